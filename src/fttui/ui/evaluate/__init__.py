"""The evaluate pane: its set-up, the run, and what came of it."""
