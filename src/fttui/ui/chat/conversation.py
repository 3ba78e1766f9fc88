"""A conversation with one to three models: what is sent to each, what came back, all kept as it happens."""

from __future__ import annotations

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

    facts: tokens, prompt_tokens, first, seconds, rate, amount, currency, notes. problem: its lines.
    """

    model: str
    column: int
    text: str = ""
    end: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    problem: list[str] = field(default_factory=list)
    id: int = 0

    @property
    def running(self) -> bool:
        return not self.end

    @property
    def broken(self) -> bool:
        """It should be asked again."""
        return bool(self.problem) or self.end in (LEFT, "stopped", "cut", "failed")

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
        }


@dataclass
class Turn:
    """A prompt to all columns. context: messages of the dataset that go before it; expected: its answer there."""

    prompt: str
    context: list[dict[str, Any]] = field(default_factory=list)
    expected: str = ""
    source: str = ""  # "train.jsonl line 12"
    replies: dict[int, Reply] = field(default_factory=dict)


class Conversation:
    """The turns so far. Nothing is written before the first prompt is sent."""

    def __init__(self, state: State, profile: str) -> None:
        self.state = state
        self.profile = profile
        self.id = 0
        self.turns: list[Turn] = []
        self._kept: dict[int, float] = {}

    @classmethod
    def last(cls, state: State, profile: str) -> Conversation:
        """The one that was written to most recently, or an empty one."""
        made = cls(state, profile)
        newest = state.chats(profile, 1)
        if newest:
            made.id = newest[0][0]
            for row in state.messages(made.id):
                made._load(row)
        return made

    def _load(self, row: dict[str, Any]) -> None:
        facts = dict(row["facts"])
        if row["role"] == "user":
            self.turns.append(
                Turn(
                    row["content"],
                    facts.get("context", []),
                    facts.get("expected", ""),
                    facts.get("source", ""),
                )
            )
        elif self.turns:
            column = int(facts.pop("column", 0))
            end = str(facts.pop("end", "")) or LEFT
            problem = [str(line) for line in facts.pop("problem", [])]
            reply = Reply(row["model"], column, row["content"], end, facts, problem, row["id"])
            if column >= 0:
                self.turns[-1].replies[column] = reply

    # -- sending

    def ask(self, turn: Turn) -> None:
        """Add a prompt and write it down."""
        if not self.id:
            self.id = self.state.new_chat(self.profile, one_line(turn.prompt, 60))
        self.turns.append(turn)
        self.state.add_message(
            self.id,
            len(self.turns) - 1,
            "",
            "user",
            turn.prompt,
            context=turn.context,
            expected=turn.expected,
            source=turn.source,
        )

    def begin(self, column: int, model: str) -> Reply:
        """A column's answer to the last prompt begins; what it said before is replaced."""
        turn = self.turns[-1]
        old = turn.replies.get(column)
        reply = Reply(model, column, id=old.id if old and old.model == model else 0)
        turn.replies[column] = reply
        if reply.id:
            self.state.update_message(reply.id, "", **reply.stored())
        else:
            number = len(self.turns) - 1
            reply.id = self.state.add_message(
                self.id, number, model, "assistant", "", **reply.stored()
            )
        return reply

    def keep(self, reply: Reply, *, now: bool = False) -> None:
        """Write an answer down, at most every few seconds while it grows."""
        clock = monotonic()
        if now or clock - self._kept.get(reply.id, 0.0) > KEEP_SECONDS:
            self._kept[reply.id] = clock
            self.state.update_message(reply.id, reply.text, **reply.stored())

    def messages(self, column: int, system: str) -> list[dict[str, Any]]:
        """What a column's model is sent: what it answered since the last row, then the last prompt.

        A row of the dataset is asked as it stands there, on its own, with its own system prompt.
        """
        *earlier, last = self.turns
        if last.source:
            return [*last.context, _said("user", last.prompt)]
        rows = [place for place, turn in enumerate(earlier) if turn.source]
        sent: list[dict[str, Any]] = []
        if system and not rows:
            sent.append(_said("system", system))
        for turn in earlier[rows[-1] if rows else 0 :]:
            reply = turn.replies.get(column)
            if reply is not None and reply.text:
                sent += [*turn.context, _said("user", turn.prompt), _said("assistant", reply.text)]
        return [*sent, _said("user", last.prompt)]

    def drop(self, column: int) -> None:
        """A column is taken away: its answers stay written down, those to its right move up."""
        for turn in self.turns:
            replies, turn.replies = turn.replies, {}
            for place, reply in replies.items():
                reply.column = place - 1 if place > column else -1 if place == column else place
                if reply.column >= 0:
                    turn.replies[reply.column] = reply
                if reply.column != place:
                    self.keep(reply, now=True)


def _said(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "content": content}
