"""Graders and comparisons of answers: pure."""
