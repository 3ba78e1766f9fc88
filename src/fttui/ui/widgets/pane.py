"""Titles in a pane's border, set only when they say something new: setting one draws the whole pane."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget


def entitle(pane: Widget, title: Content, subtitle: Content | None = None) -> None:
    """Give a pane its title, and a subtitle where there is one; without news nothing is drawn."""
    for name, content in (("border_title", title), ("border_subtitle", subtitle)):
        if content is None:
            continue
        now = (content.plain, content.spans)
        known = getattr(pane, f"_said_{name}", None)
        if now != known:
            setattr(pane, f"_said_{name}", now)
            setattr(pane, name, content)
