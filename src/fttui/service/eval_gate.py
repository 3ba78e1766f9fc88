"""How many questions are out at once: fewer after "too many requests", slowly more again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

GROW_AFTER = 4  # good answers a slot before one more is tried


class Gate:
    """One gate for all that goes to one provider. `limit` moves between 1 and `most`."""

    def __init__(
        self,
        most: int,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most = self.limit = max(1, most)
        self.out = 0  # questions out now
        self._until = 0.0
        self._good = 0
        self._sleep, self._clock = sleep, clock
        self._room = asyncio.Condition()

    @property
    def waiting(self) -> float:
        """Seconds until the provider may be asked again; 0: now."""
        return max(0.0, self._until - self._clock())

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Inside: one question may be out."""
        while True:
            if (pause := self.waiting) > 0:
                await self._sleep(pause)
            elif self.out < self.limit:
                break
            else:
                async with self._room:
                    await self._room.wait_for(lambda: self.out < self.limit)
        self.out += 1
        try:
            yield
        finally:
            self.out -= 1
            async with self._room:
                self._room.notify_all()

    def answered(self) -> None:
        self._good += 1
        if self.limit < self.most and self._good >= GROW_AFTER * self.limit:
            self.limit, self._good = self.limit + 1, 0

    def refused(self, seconds: float) -> None:
        """The provider asks to wait: nobody starts before, and half as many then."""
        fresh = self.waiting == 0
        self._until = max(self._until, self._clock() + seconds)
        if fresh:  # the questions that were out together are one refusal
            self.limit, self._good = max(1, self.limit // 2), 0
