"""What Cost shows, as facts and as lines."""
