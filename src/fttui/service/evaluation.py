"""Asks every model every prompt, grades the answers, and keeps each as it comes.

    plan = Plan(cases, contestants, graders, settings)
    with Store(path, resume=True) as store …
    outcome = await Evaluation(plan, store, on_progress=show).run()

Cancelling the task stops at once; what was answered is in the store, and the same plan with the same
store asks only for the rest. A provider that says "too many requests" is waited for by all; a failure
that every question would meet (a wrong key, an unknown model) ends the run with its Problem.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence

from fttui.evaluate.graders import Grader, reason
from fttui.evaluate.model_graders import Pairwise, judge_pair
from fttui.evaluate.records import Answer, Ask, Case, Grade, GraderError, Steps, failed
from fttui.evaluate.summary import Row
from fttui.problem import Problem
from fttui.service import chat, eval_store
from fttui.service.eval_gate import Gate
from fttui.service.eval_plan import Contestant, Outcome, Plan, Progress
from fttui.service.eval_store import Store
from fttui.service.provider import Provider, Wait, pause_before
from fttui.service.types import ChatSettings

ATTEMPTS = 5  # for what may pass: a lost connection, an overloaded server
LIMITED_ATTEMPTS = 12  # for "too many requests", each after the wait that was asked for
LONGEST_WAIT = 300.0  # seconds; who asks for more is asked another day
IN_A_ROW = 5  # failures of one model before it is given up
LARGE = 20_000  # characters from which on an answer is graded in a thread
# … but not by those that ask a model, nor by a pattern, which can be stopped only here.
ON_THE_LOOP = frozenset({"score_model", "label_model", "multi", "regex"})

Messages = Sequence[chat.Message]


class _NotKept(GraderError):
    """An answer that is not in the store, while only what is there is looked at."""

    def __str__(self) -> str:
        return "the judge was not asked yet"


# Refusals that are about the prompt, not about the account: the model has failed that prompt.
ABOUT_THE_PROMPT = frozenset(
    {"context_length_exceeded", "content_filter", "content_policy_violation", "bad_request",
     "invalid_request_error", "invalid_prompt", "too_large", "string_above_max_length"}
)  # fmt: skip


class Evaluation:
    """One run of a plan."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        on_row: Callable[[Row], None] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.plan, self.store = plan, store
        self._on_progress, self._on_row, self._sleep = on_progress, on_row, sleep
        self._gates: dict[str, Gate] = {}
        self._rows: dict[tuple[int, str], Row] = {}
        self._judged: dict[tuple[str, str], dict[int, Grade]] = {}
        self._judge_answers: dict[str, list[Answer]] = {}
        self._failures: Counter[str] = Counter()
        self._problem: Problem | None = None
        self._known = 0
        self._scores: dict[str, tuple[float, int]] = {}
        self._able: set[str] = set()  # who has answered at least once
        self._may_ask = True
        self.fresh: dict[tuple[str, str], list[Answer]] = {}  # (profile, model) → asked by this run
        self._repeats = _repeats(plan.cases.rows)
        self.busy = 0.0  # seconds questions were out, all together

    async def run(self) -> Outcome:
        """Raises Problem where going on makes no sense; `partial` has what is there."""
        work = self.plan.work()
        lanes = max(1, self.plan.concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(lanes, self.plan.total)):
                    group.create_task(self._lane(work))
        except BaseExceptionGroup as several:
            raise _first(several) from None
        return self.partial()

    async def review(self) -> Outcome:
        """What the store holds, graded. Nobody is asked; what is not there stays unanswered."""
        self._may_ask = False
        return await self.run()

    def partial(self) -> Outcome:
        """What there is now, whole or not."""
        rows = [
            self._rows.get((at, who.label)) or Row(self.plan.cases.rows[at], who.label, None)
            for who in self.plan.contestants
            for at in range(len(self.plan.cases.rows))
        ]
        return Outcome(rows, self._judged, self._judge_answers, self._problem)

    async def _lane(self, work: Iterator[tuple[int, Contestant]]) -> None:
        for at, who in work:
            await self._one(at, who)
            self._tell()

    async def _one(self, at: int, who: Contestant) -> None:
        case = self.plan.cases.rows[at]
        try:
            answer = await self._ask(
                who.provider, who.model, self.plan.messages(who, case), self.plan.asked_with(case),
                repeat=self._repeats[at], label=who.label, line=case.line,
            )  # fmt: skip
        except _NotKept:
            return
        except Problem as problem:
            self._missing(who, problem)
            return
        self._failures[who.label] = self._failures[who.label] + 1 if answer.error else 0
        if not answer.error:
            self._able.add(who.label)
        elif self._gives_up(who):
            raise Problem(
                f"{who.model} refuses every prompt.", answer.error,
                "Look at one: fttui chat MODEL.", code="refuses_all",
            )  # fmt: skip
        grades = {
            grader.name: await self._grade(grader, case, answer) for grader in self.plan.graders
        }
        await self._keep(at, Row(case, who.label, answer, grades))

    def _gives_up(self, who: Contestant) -> bool:
        many = self._failures[who.label] >= IN_A_ROW and who.label not in self._able
        return many and self._may_ask

    def _missing(self, who: Contestant, problem: Problem) -> None:
        """One answer did not come. Nothing comes of asking on where no answer could."""
        self._problem = problem
        self._failures[who.label] += 1
        if not problem.retry or self._failures[who.label] >= IN_A_ROW:
            raise problem

    async def _keep(self, at: int, row: Row) -> None:
        self._rows[at, row.model] = row
        lead = row.grades[self.plan.graders[0].name]
        total, count = self._scores.get(row.model, (0.0, 0))
        value = lead.score if lead.passed is None else float(lead.passed)
        self._scores[row.model] = (total + value, count + 1)
        self.store.note(
            row=row.case.line, model=row.model,
            grades={name: grade.as_dict() for name, grade in row.grades.items()},
        )  # fmt: skip
        if self._on_row is not None:
            self._on_row(row)
        if self.plan.pairwise is not None:
            await self._judge(at, self.plan.pairwise)

    def outstanding(self) -> list[tuple[Contestant, Case]]:
        """What the store has no answer to: what is still to be asked, and paid."""
        return [
            (who, self.plan.cases.rows[at])
            for at, who in self.plan.work()
            if self._key(at, who) not in self.store.answers
        ]

    def _key(self, at: int, who: Contestant) -> str:
        case = self.plan.cases.rows[at]
        return eval_store.key(
            who.provider.profile.identity, who.model, self.plan.messages(who, case),
            self.plan.asked_with(case).body(), self._repeats[at],
        )  # fmt: skip

    # ---- grading

    async def _grade(self, grader: Grader, case: Case, answer: Answer) -> Grade:
        if answer.error:
            return failed(answer.error)
        try:
            steps = grader.steps(case, answer)
            if len(answer.text) > LARGE and grader.kind not in ON_THE_LOOP:
                return await asyncio.to_thread(_finish, steps)
            return await self._drive(steps, case)
        except Problem as problem:
            if not problem.retry and problem.code not in ABOUT_THE_PROMPT:
                raise
            return failed(_told(problem))
        except Exception as exc:  # noqa: BLE001 - a broken grader fails its row, not the run
            return failed(reason(exc))

    async def _drive(self, steps: Steps, case: Case) -> Grade:
        """Ask what the grader wants to know until it has its grade."""
        said: str | None = None
        while True:
            try:
                ask = next(steps) if said is None else steps.send(said)
            except StopIteration as end:
                grade: Grade = end.value
                return grade
            said = await self._ask_judge(ask, case)

    async def _ask_judge(self, ask: Ask, case: Case) -> str:
        provider = self.plan.judge or self.plan.contestants[0].provider
        answer = await self._ask(
            provider, ask.model, list(ask.messages), ChatSettings(extra=dict(ask.settings)),
            label=f"judge {ask.model}", line=case.line,
        )  # fmt: skip
        self._judge_answers.setdefault(ask.model, []).append(answer)
        if answer.error:
            raise Problem("The judge gave no answer.", answer.error, code="content_filter")
        return answer.text

    async def _judge(self, at: int, judge: Pairwise) -> None:
        """When the last answer to a prompt is there: each contestant's against the first one's."""
        rows = [self._rows.get((at, who.label)) for who in self.plan.contestants]
        if any(row is None for row in rows):
            return
        first, *others = (row for row in rows if row is not None)
        for other in others:
            if first.answer is None or other.answer is None:
                continue
            grades = self._judged.setdefault((first.model, other.model), {})
            if first.case.line in grades:
                continue
            grades[first.case.line] = failed("being judged")
            try:
                steps = judge_pair(judge, first.case, other.answer, first.answer)
                grades[first.case.line] = await self._drive(steps, first.case)
            except Problem as problem:
                if not problem.retry and problem.code not in ABOUT_THE_PROMPT:
                    raise
                grades[first.case.line] = failed(_told(problem))
            except Exception as exc:  # noqa: BLE001 - as above
                grades[first.case.line] = failed(reason(exc))

    # ---- asking

    async def _ask(
        self,
        provider: Provider,
        model: str,
        messages: Messages,
        settings: ChatSettings,
        *,
        label: str,
        line: int,
        repeat: int = 0,
    ) -> Answer:
        place = provider.profile.identity
        name = eval_store.key(place, model, messages, settings.body(), repeat)
        known = self.store.answers.get(name)
        if known is not None:
            self._known += 1
            await asyncio.sleep(0)  # a thousand known answers must not hold the screen
            return known
        if not self._may_ask:
            raise _NotKept
        answer = await self._persist(provider, model, messages, settings)
        self.fresh.setdefault((provider.profile.name, model), []).append(answer)
        self.store.put(name, answer, label=label, model=model, line=line)
        return answer

    async def _persist(
        self,
        provider: Provider,
        model: str,
        messages: Messages,
        settings: ChatSettings,
    ) -> Answer:
        """Ask until there is an answer, as long as asking again can help."""
        gate = self._gate(provider)
        attempt = 0
        while True:
            attempt += 1
            try:
                async with gate.slot():
                    started = time.monotonic()
                    try:
                        result = await chat.answer(provider, model, messages, settings)
                    finally:
                        self.busy += time.monotonic() - started
                gate.answered()
                return _answer(result)
            except Problem as problem:
                if _about_the_prompt(problem):
                    filtered = problem.code.startswith("content_")
                    end = "content_filter" if filtered else "failed"
                    return Answer(error=_told(problem), end=end)
                wait = pause_before(attempt, problem)
                limited = problem.code == "rate_limit" or problem.detail.get("status") == 429
                most = LIMITED_ATTEMPTS if limited else ATTEMPTS
                if not problem.retry or attempt >= most or wait > LONGEST_WAIT:
                    raise
                await self._wait(provider, gate, Wait(wait, attempt + 1, most, problem), limited)

    async def _wait(self, provider: Provider, gate: Gate, wait: Wait, limited: bool) -> None:
        if provider.on_wait is not None:
            provider.on_wait(wait)
        if provider.profile.provider == "local" and wait.problem.code == "refused":
            await provider.close()  # the next question starts the local server again
        if limited:
            gate.refused(wait.seconds)
            self._tell()
        else:
            await self._sleep(wait.seconds)

    def _gate(self, provider: Provider) -> Gate:
        place = provider.profile.identity
        if place not in self._gates:
            self._gates[place] = Gate(self.plan.concurrency, sleep=self._sleep)
        return self._gates[place]

    def progress(self) -> Progress:
        """How far it is now."""
        gates = self._gates.values()
        return Progress(
            len(self._rows),
            self.plan.total,
            sum(gate.out for gate in gates),
            max((gate.waiting for gate in gates), default=0.0),
            self._known,
            dict(self._scores),
        )

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self.progress())


def _finish(steps: Steps) -> Grade:
    try:
        next(steps)
    except StopIteration as end:
        grade: Grade = end.value
        return grade
    return failed("the grader needs a model to ask")


def _told(problem: Problem) -> str:
    """What, why and what to do, as one line of sentences."""
    return " ".join(part if part[-1:] in ".!?" else f"{part}." for part in problem.lines())


def _about_the_prompt(problem: Problem) -> bool:
    status = problem.detail.get("status")
    return problem.code in ABOUT_THE_PROMPT or (status in (400, 413, 422) and not problem.retry)


def _answer(result: chat.ChatResult) -> Answer:
    usage = result.usage
    calls = tuple({"name": c["name"], "arguments": c["arguments"]} for c in result.tool_calls)
    blocked = result.end == "content_filter" and not result.text
    return Answer(
        result.text,
        calls,
        result.refusal,
        result.end,
        usage.prompt if usage else 0,
        result.tokens,
        usage.cached if usage else 0,
        round(result.seconds, 4),
        result.first_token and round(result.first_token, 4),
        "the provider's content filter took the answer away" if blocked else "",
    )


def _repeats(rows: Sequence[Case]) -> list[int]:
    """For each case, how many before it in the file ask the very same."""
    seen: Counter[str] = Counter()
    made = []
    for case in rows:
        name = eval_store.key("", "", case.messages, {"tools": list(case.tools)})
        made.append(seen[name])
        seen[name] += 1
    return made


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    """The Problem that ended the lanes, else whatever it was."""
    found = several.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
