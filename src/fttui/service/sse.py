"""Server-sent events, read as loosely as they are sent."""

from __future__ import annotations

from collections.abc import AsyncIterator

DONE = "[DONE]"
LONGEST = 8_000_000  # bytes of one event; a stream without a line end must not fill the memory


async def events(pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The `data` of each event; comments, other fields and CRLF are taken as they come.

    An event that is not ended by a blank line before the stream ends is still given: a service
    that forgets the last newline has said it all the same.
    """
    data: list[str] = []
    async for line in lines(pieces):
        if not line:
            if data:
                yield "\n".join(data)
                data = []
        elif line.startswith("data:"):
            value = line[5:].removeprefix(" ")
            if data and (value == DONE or value.startswith("{")):  # blank line forgotten between
                yield "\n".join(data)
                data = []
            data.append(value)
    if data:
        yield "\n".join(data)


async def lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """Lines without their ends; cut only at \\n and \\r\\n, never inside a character."""
    rest = b""
    async for piece in pieces:
        rest += piece
        if len(rest) > LONGEST and b"\n" not in rest:
            raise ValueError("a line without an end")
        *full, rest = rest.split(b"\n")
        for line in full:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")
    if rest:
        yield rest.removesuffix(b"\r").decode("utf-8", "replace")
