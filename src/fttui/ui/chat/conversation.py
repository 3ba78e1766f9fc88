"""A conversation with one to four models: what is sent to each, what came back, all kept as it happens.

It is a tree: a question asked again, or in other words, is a branch beside the old one. `turns` is
the path that is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from fttui.text import one_line

if TYPE_CHECKING:
    from fttui.service.chat import ChatResult
    from fttui.state import State

KEEP_SECONDS = 2.0  # how often a growing answer is written down
LEFT = "left"  # the end of an answer that was running when fttui was closed


@dataclass
class Reply:
    """One model's answer. end: "" while it runs, else the service's word for how it ended.

    model: a voice, see `voices`. facts: tokens, prompt_tokens, first, seconds, rate, amount,
    currency, notes, calls. problem: its lines. waiting: why nothing comes yet.
    """

    model: str
    column: int
    text: str = ""
    end: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    problem: list[str] = field(default_factory=list)
    id: int = 0
    waiting: str = ""

    @property
    def running(self) -> bool:
        return not self.end

    @property
    def broken(self) -> bool:
        """It should be asked again."""
        return bool(self.problem) or self.end in (LEFT, "stopped", "cut", "failed")

    @property
    def unfinished(self) -> bool:
        """There is a beginning that could be gone on with."""
        return bool(self.text) and (self.broken or self.end == "length")

    @property
    def calls(self) -> list[dict[str, Any]]:
        return list(self.facts.get("calls") or ())

    def stored(self) -> dict[str, Any]:
        return {**self.facts, "column": self.column, "end": self.end, "problem": self.problem}

    def take(self, result: ChatResult) -> None:
        """What the service measured."""
        usage = result.usage
        self.facts |= {
            "tokens": result.tokens,
            "prompt_tokens": usage.prompt if usage else None,
            "cached_tokens": usage.cached if usage else 0,
            "counted": usage is not None,
            "first": result.first_token,
            "seconds": result.seconds,
            "rate": result.tokens_per_second,
            "notes": list(result.notes),
            "calls": result.tool_calls,
            "refused": bool(result.refusal),
        }


@dataclass
class Turn:
    """A prompt to all columns. context: messages of the dataset that go before it; expected: its
    answer there. id: of its message in the state; parent: of the question before it, 0 for none."""

    prompt: str
    context: list[dict[str, Any]] = field(default_factory=list)
    expected: str = ""
    source: str = ""  # "train.jsonl line 12"
    replies: dict[int, Reply] = field(default_factory=dict)
    id: int = 0
    parent: int = 0

    def again(self, prompt: str | None = None) -> Turn:
        """The same question, or one in other words, not answered yet."""
        return Turn(
            self.prompt if prompt is None else prompt, self.context, self.expected, self.source
        )


class Conversation:
    """All questions, and the path among them that is shown. Nothing is written before the first is sent."""

    def __init__(self, state: State, profile: str) -> None:
        self.state = state
        self.profile = profile
        self.id = 0
        self.turns: list[Turn] = []  # the path that is shown
        self._every: list[Turn] = []  # all questions, in the order they were asked
        self._kept: dict[int, float] = {}

    @classmethod
    def last(cls, state: State, profile: str) -> Conversation:
        """The one that was written to most recently, or an empty one."""
        newest = state.chats(profile, 1)
        return cls.saved(state, profile, newest[0][0]) if newest else cls(state, profile)

    @classmethod
    def saved(cls, state: State, profile: str, chat: int) -> Conversation:
        """A conversation as it was left, on the branch that was shown last."""
        made = cls(state, profile)
        made.id = chat
        for row in state.messages(chat):
            made._load(row)
        shown = made._find(int(state.recall(f"chat.shown.{chat}", 0)))
        if made._every:
            made._show(made._tip(shown) if shown else made._every[-1])
        return made

    def _load(self, row: dict[str, Any]) -> None:
        facts = dict(row["facts"])
        if row["role"] == "user":
            before = self._every[-1].id if self._every else 0
            self._every.append(
                Turn(
                    row["content"],
                    facts.get("context", []),
                    facts.get("expected", ""),
                    facts.get("source", ""),
                    id=row["id"],
                    parent=int(facts.get("parent", before)),
                )
            )
            return
        column = int(facts.pop("column", 0))
        end = str(facts.pop("end", "")) or LEFT
        problem = [str(line) for line in facts.pop("problem", [])]
        question = int(facts.pop("question", 0))
        turn = self._find(question) or (self._every[-1] if self._every else None)
        if turn is not None and column >= 0:
            model = row["model"]
            reply = Reply(model, column, row["content"], end, facts, problem, row["id"])
            turn.replies[column] = reply

    # -- branches

    def _find(self, turn_id: int) -> Turn | None:
        return next((turn for turn in self._every if turn.id == turn_id), None)

    def _show(self, tip: Turn) -> None:
        """Show the path that ends with `tip`."""
        path: list[Turn] = []
        turn: Turn | None = tip
        while turn is not None and turn not in path:
            path.append(turn)
            turn = self._find(turn.parent) if turn.parent else None
        self.turns = path[::-1]

    def _tip(self, turn: Turn) -> Turn:
        """The end of the newest branch that goes on from `turn`."""
        followers = [other for other in self._every if other.parent == turn.id]
        return self._tip(followers[-1]) if followers else turn

    def branches(self, place: int) -> list[Turn]:
        """The questions that were asked in this place, oldest first; one is on the path."""
        parent = self.turns[place].parent
        return [turn for turn in self._every if turn.parent == parent]

    def switch(self, place: int, step: int) -> bool:
        """Show the branch beside the one at `place`; False where there is none on that side."""
        beside = self.branches(place)
        wanted = beside.index(self.turns[place]) + step
        if not 0 <= wanted < len(beside):
            return False
        self._show(self._tip(beside[wanted]))
        self.state.remember(f"chat.shown.{self.id}", beside[wanted].id)
        return True

    def show(self, message: int) -> int:
        """Bring a question, or an answer, into the path by its id; its place there, -1 if unknown."""
        for turn in self._every:
            ids = {turn.id, *(reply.id for reply in turn.replies.values())}
            if message in ids:
                self._show(self._tip(turn))
                return self.turns.index(turn)
        return -1

    # -- sending

    def ask(self, turn: Turn, *, instead_of: int | None = None) -> None:
        """Add a prompt and write it down: at the end, or as a branch beside the turn at a place."""
        if not self.id:
            self.id = self.state.new_chat(self.profile, one_line(turn.prompt, 60))
        before = self.turns if instead_of is None else self.turns[:instead_of]
        turn.parent = before[-1].id if before else 0
        turn.id = self.state.add_message(
            self.id,
            len(self._every),
            "",
            "user",
            turn.prompt,
            context=turn.context,
            expected=turn.expected,
            source=turn.source,
            parent=turn.parent,
        )
        self._every.append(turn)
        self.turns = [*before, turn]
        self.state.remember(f"chat.shown.{self.id}", turn.id)

    def begin(self, column: int, model: str, place: int = -1) -> Reply:
        """A column's answer to a prompt (the last one) begins; what it said before is replaced."""
        turn = self.turns[place]
        old = turn.replies.get(column)
        reply = Reply(model, column, id=old.id if old and old.model == model else 0)
        turn.replies[column] = reply
        facts = {**reply.stored(), "question": turn.id}
        if reply.id:
            self.state.update_message(reply.id, "", **facts)
        else:
            number = self._every.index(turn)
            reply.id = self.state.add_message(self.id, number, model, "assistant", "", **facts)
        return reply

    def keep(self, reply: Reply, *, now: bool = False) -> None:
        """Write an answer down, at most every few seconds while it grows."""
        clock = monotonic()
        if now or clock - self._kept.get(reply.id, 0.0) > KEEP_SECONDS:
            self._kept[reply.id] = clock
            facts = {**reply.stored(), "question": self._question(reply)}
            self.state.update_message(reply.id, reply.text, **facts)

    def _question(self, reply: Reply) -> int:
        turns = (turn for turn in self._every if turn.replies.get(reply.column) is reply)
        return next((turn.id for turn in turns), 0)

    def messages(self, column: int, system: str, place: int = -1) -> list[dict[str, Any]]:
        """What a column's model is sent: what it answered since the last row, then the last prompt
        (or the one at `place`).

        A row of the dataset is asked as it stands there, on its own, with its own system prompt.
        """
        path = self.turns if place == -1 else self.turns[: place + 1]
        *earlier, last = path
        if last.source:
            return [*last.context, _said("user", last.prompt)]
        rows = [number for number, turn in enumerate(earlier) if turn.source]
        sent: list[dict[str, Any]] = []
        if system and not rows:
            sent.append(_said("system", system))
        called: list[dict[str, Any]] = []
        for turn in earlier[rows[-1] if rows else 0 :]:
            reply = turn.replies.get(column)
            if reply is not None and (reply.text or _whole_calls(reply)):
                sent += [*turn.context, *_asked(turn, called), _answered(reply)]
                called = _whole_calls(reply)
        return [*sent, *_asked(last, called)]

    def drop(self, column: int) -> None:
        """A column is taken away: its answers stay written down, those to its right move up."""
        for turn in self._every:
            replies, turn.replies = turn.replies, {}
            for place, reply in replies.items():
                reply.column = place - 1 if place > column else -1 if place == column else place
                if reply.column >= 0:
                    turn.replies[reply.column] = reply
                if reply.column != place:
                    facts = {**reply.stored(), "question": turn.id}
                    self.state.update_message(reply.id, reply.text, **facts)

    def voices(self) -> list[str]:
        """Who answered last, by column."""
        for turn in reversed(self.turns):
            if turn.replies:
                return [turn.replies[column].model for column in sorted(turn.replies)]
        return []


def _said(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "content": content}


def _asked(turn: Turn, called: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A prompt; after tool calls it is what the tools answered."""
    if not called:
        return [_said("user", turn.prompt)]
    return [{"role": "tool", "tool_call_id": call["id"], "content": turn.prompt} for call in called]


def _answered(reply: Reply) -> dict[str, Any]:
    calls = _whole_calls(reply)
    if not calls:
        return _said("assistant", reply.text)
    made = [
        {
            "id": call["id"],
            "type": "function",
            "function": {"name": call["name"], "arguments": call["arguments"]},
        }
        for call in calls
    ]
    return {"role": "assistant", "content": reply.text or None, "tool_calls": made}


def _whole_calls(reply: Reply) -> list[dict[str, Any]]:
    """The calls of an answer that ended with them, each with an id to answer to."""
    calls = reply.calls
    return calls if all(call.get("id") and call.get("name") for call in calls) else []
