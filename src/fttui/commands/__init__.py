"""The headless twin: one file a command, on the same core as the app."""
