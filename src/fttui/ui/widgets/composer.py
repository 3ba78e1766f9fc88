"""Where a prompt is written: enter sends, a few ways to start a new line, tab leaves the text alone."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widgets import TextArea

NEWLINE = ("ctrl+j", "alt+enter", "shift+enter")  # through tmux only the first reaches us
LINES = 8  # it grows up to this many lines, then scrolls


class Composer(TextArea):
    """A text area that posts `Sent` on enter. A line that ends with a backslash goes on instead."""

    DEFAULT_CSS = """
    Composer {
        height: auto; min-height: 3; max-height: 10; background: $background; padding: 0 1;
        border: round $border-blurred; border-title-color: $muted; border-subtitle-color: $faint;
    }
    Composer:focus { border: round $primary; border-title-color: $text-primary; border-subtitle-color: $muted; }
    """

    class Sent(Message):
        """A prompt is complete."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Page(Message):
        """A page key: for the transcript, not for a prompt of a few lines."""

        def __init__(self, direction: int) -> None:
            super().__init__()
            self.direction = direction

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            id=id,
            compact=False,
            highlight_cursor_line=False,
            placeholder="Write a prompt",
        )
        self.cursor_blink = False
        self._past: list[str] = []
        self._place = 0

    def fill(self, text: str) -> None:
        """Put a text in, cursor at its end."""
        self.text = text
        self.move_cursor(self.document.end)

    def remember(self, prompts: list[str]) -> None:
        """What `up` on the first line brings back, oldest first."""
        self._past = prompts
        self._place = len(prompts)

    async def _on_key(self, event: events.Key) -> None:
        """Keys not taken here go on to the text area by themselves."""
        if event.key in NEWLINE:
            self._take(event)
            self.insert("\n")
        elif event.key == "enter":
            self._take(event)
            self._enter()
        elif event.key in ("pageup", "pagedown"):
            self._take(event)
            self.post_message(self.Page(1 if event.key == "pagedown" else -1))
        elif event.key == "up" and self.cursor_at_first_line and self._may_recall():
            self._take(event)
            self._recall(-1)
        elif event.key == "down" and self.cursor_at_last_line and self._place < len(self._past):
            self._take(event)
            self._recall(1)

    @staticmethod
    def _take(event: events.Key) -> None:
        event.stop()
        event.prevent_default()

    def _enter(self) -> None:
        text = self.text
        if text.endswith("\\"):
            self.fill(text[:-1] + "\n")
        elif text.strip():
            self.post_message(self.Sent(text.strip("\n")))

    def _may_recall(self) -> bool:
        """There is something older, and no draft that would be lost."""
        return self._place > 0 and (not self.text or self._place < len(self._past))

    def _recall(self, step: int) -> None:
        self._place = max(0, min(self._place + step, len(self._past)))
        self.fill(self._past[self._place] if self._place < len(self._past) else "")
