"""What Chat is made of, beside its screen."""
