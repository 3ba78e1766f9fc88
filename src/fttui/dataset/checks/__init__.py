"""The checks: a catalogue, and one small function for each kind of thing that can be wrong."""

from fttui.dataset.checks.catalogue import CATALOGUE, Check

__all__ = ["CATALOGUE", "Check"]
