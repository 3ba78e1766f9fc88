"""How long to wait before asking a provider again: often while something moves, rarely when nothing does."""

from __future__ import annotations

from dataclasses import dataclass

from fttui.problem import Problem

FASTEST = 2.0  # seconds between looks while a job on screen is moving
SEEN_SLOWEST = 15.0  # a live job on screen that says nothing new
UNSEEN_SLOWEST = 60.0  # live jobs, none on screen
IDLE, IDLE_SLOWEST = 30.0, 300.0  # nothing is running
OFFLINE, OFFLINE_SLOWEST = 5.0, 120.0
BUSY, BUSY_SLOWEST = 10.0, 300.0  # after 429 without Retry-After
GROWTH = 1.5


@dataclass(slots=True)
class Pace:
    """The seconds to the next look; `after` a good one, `failed` after a bad one."""

    seconds: float = FASTEST

    def after(self, *, changed: bool, live: bool, seen: bool) -> float:
        """live: some job is running; seen: one of those is on screen."""
        if not live:
            low, high = IDLE, IDLE_SLOWEST
        else:
            low, high = FASTEST, SEEN_SLOWEST if seen else UNSEEN_SLOWEST
        grown = low if changed else self.seconds * GROWTH
        self.seconds = min(high, max(low, grown))
        return self.seconds

    def failed(self, problem: Problem) -> float:
        """What the provider asks for; else doubling, from seconds when offline to minutes."""
        if problem.code == "rate_limit":
            low, high = BUSY, BUSY_SLOWEST
        else:
            low, high = OFFLINE, OFFLINE_SLOWEST
        self.seconds = min(high, max(low, self.seconds * 2))
        asked = problem.detail.get("retry_after")
        if isinstance(asked, int | float):
            self.seconds = max(self.seconds if problem.code != "rate_limit" else 0.0, float(asked))
        return self.seconds

    def hurry(self) -> None:
        """Someone acted: look soon, and often again."""
        self.seconds = FASTEST
