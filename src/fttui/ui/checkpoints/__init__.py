"""What the checkpoints area is made of: its table, its words, what can be done to a checkpoint."""
