"""What went wrong, why, and what to do: the one shape every failure takes before a person sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Problem(Exception):
    """A failure a person can act on.

    what:    one line, the thing that did not happen ("train.jsonl cannot be read").
    why:     one line, the cause ("permission denied").
    remedy:  one line, what to do about it.
    code:    stable and machine-readable: a check's code ("F001"), a provider's ("training_not_available").
    detail:  facts for a bug report (status, request id, redacted body); never holds a key.
    retry:   True where repeating the same request can help.
    """

    def __init__(
        self,
        what: str,
        why: str = "",
        remedy: str = "",
        *,
        code: str = "",
        retry: bool = False,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy
        self.code = code
        self.retry = retry
        self.detail = dict(detail or {})

    def lines(self) -> list[str]:
        """The lines of the message that say something, for a terminal."""
        return [line for line in (self.what, self.why, self.remedy) if line]

    def sentences(self) -> str:
        """In one line of sentences, for a message another program shows."""
        return " ".join(
            line if line.endswith((".", "!", "?")) else f"{line}." for line in self.lines()
        )

    def __str__(self) -> str:
        return "; ".join(self.lines())

    def as_dict(self) -> dict[str, Any]:
        """The shape `--json` prints under "error"."""
        return {
            "code": self.code,
            "message": self.what,
            "why": self.why,
            "remedy": self.remedy,
            **({"detail": self.detail} if self.detail else {}),
        }
