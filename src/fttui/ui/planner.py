"""The plan of the thread: which base model, what it would cost; kept in step without the Cost area open."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from fttui.problem import Problem

if TYPE_CHECKING:
    from fttui.pricing.catalog import Model
    from fttui.pricing.estimate import Estimate
    from fttui.pricing.use import Traffic
    from fttui.pricing.workload import Workload
    from fttui.ui.app import FttuiApp

# The model a provider's plan starts with; where it is gone, the cheapest that can be trained.
USUAL = {
    "openai": "gpt-4.1-mini-2025-04-14",
    "azure": "gpt-4.1-nano-2025-04-14",
    "local": "smollm2-135m-instruct",
}
METHODS: Mapping[str, str] = {"preference": "dpo", "reinforcement": "reinforcement"}
SPLITS = (0.0, 0.1, 0.2, 0.3)
MAX_EPOCHS = 50
INPUTS = frozenset({"report", "model", "epochs", "split", "index", "path"})
SAMPLE = 40  # lines looked at for a first guess while the file is being scanned
LETTERS_PER_TOKEN = 4


class Planner:
    """`thread.model` for the active profile, and `thread.estimate` whenever something it depends on changes.

    problem: why there is no estimate. approximate: made of a guess, the file is still being scanned.
    """

    def __init__(self, app: FttuiApp) -> None:
        self.app = app
        self.problem: Problem | None = None
        self._profile = ""
        self._ready = self._preparing = False
        self.prepared = asyncio.Event()  # the first model is chosen, or will not be

    def begin(self) -> None:
        """Follow the thread from now on (the app is running)."""
        self.app.thread_changed.subscribe(self.app, self._changed)

    # -- the default model

    def _changed(self, fields: frozenset[str]) -> None:
        profile = self.app.backend.profile_if_known
        if profile is None:
            return
        if not self._ready:
            if not self._preparing:
                self._preparing = True
                self.app.run_worker(self._prepare(), group="planner", exit_on_error=False)
        elif profile.name != self._profile:
            self._profile = profile.name
            self._choose(profile.provider)
        elif fields & INPUTS:
            self.update()

    async def _prepare(self) -> None:
        """Read the catalogue off the event loop: it is needed now for the first time."""
        try:
            await asyncio.to_thread(lambda: self.app.backend.catalog)
            self._ready = True
            self._changed(frozenset())
        except Problem as problem:
            self.problem = problem
        finally:
            self.prepared.set()

    def _choose(self, provider: str) -> None:
        """A model of this provider: the one planned with last, the usual one, or the cheapest."""
        catalog, today = self.app.backend.catalog, date.today()
        names = (self.app.state.recall(f"plan.model.{provider}", ""), USUAL.get(provider, ""))
        model = None
        for name in names:
            found = catalog.get(name, provider) if name else None
            if found is not None and found.can_train(today):
                model = found
                break
        if model is None and provider in catalog.providers:
            model = catalog.cheapest(provider, today)
        self._set(model)

    def choose(self, model: Model) -> None:
        """The user's choice; remembered for its provider."""
        self.app.state.remember(f"plan.model.{model.provider}", model.id)
        self._set(model)

    def _set(self, model: Model | None) -> None:
        before = self.app.thread.model
        self.app.thread.model = model  # the sum and the model are told as one change
        self._estimate()
        self.app.change(model=model)
        limits = [(m.encoding, m.example_limit, m.provider) if m else None for m in (before, model)]
        if limits[0] != limits[1] and self.app.thread.index is not None:
            self.app.backend.start_scan()  # other limits, other findings

    def told(self, shutdowns: Mapping[str, date | None]) -> None:
        """The provider's own shutdown dates, by model: they win over the catalogue's."""
        backend, model = self.app.backend, self.app.thread.model
        provider = backend.profile.provider
        if not any(shutdowns.values()):
            return
        backend.catalog = backend.catalog.with_shutdowns(shutdowns, provider)
        if model is not None and model.provider == provider:
            self._set(backend.catalog.find(model.key))

    # -- the workload

    @property
    def method(self) -> str:
        report = self.app.thread.report
        return METHODS.get(report.format, "supervised") if report else "supervised"

    @property
    def approximate(self) -> bool:
        return self.app.thread.report is None

    def workload(self, model: Model | None = None) -> Workload | None:
        """What would be trained on, in the tokens of `model`; a guess until the file is scanned."""
        whole = self.whole(model)
        report = self.app.thread.report
        if whole is None or (report is not None and report.validation is not None):
            return whole
        return held_out(whole, self.app.thread.split)

    def whole(self, model: Model | None = None) -> Workload | None:
        """The same with nothing held out."""
        thread = self.app.thread
        chosen = model or thread.model
        if chosen is None or thread.path is None or thread.problem is not None:
            return None
        if thread.report is None:
            return self._guess()
        from fttui.pricing.workload import from_report

        return from_report(thread.report, chosen)

    def _guess(self) -> Workload | None:
        """From the first lines and the size of the file, at four letters a token."""
        from fttui.dataset import formats
        from fttui.pricing.workload import Workload

        index = self.app.thread.index
        if index is None or not len(index) or not index.size:
            return None
        lines = [index.line(row) for row in range(min(SAMPLE, len(index)))]
        read = sum(len(line) + 1 for line in lines)
        examples = [formats.read(line) for line in lines]
        letters = sum(len(said.content_text) for one in examples for said in one.turns())
        scale = index.size / max(1, read)
        return Workload(
            examples=len(index) if index.complete else round(len(lines) * scale),
            tokens=round(letters * scale) // LETTERS_PER_TOKEN,
        )

    # -- the sum

    def update(self) -> None:
        """Recompute the estimate and tell the panes if it is another one."""
        before = self.app.thread.estimate
        if self._estimate() != before:
            self.app.change(estimate=self.app.thread.estimate)

    def _estimate(self) -> Estimate | None:
        thread = self.app.thread
        thread.estimate, self.problem = None, None
        workload = self.workload()
        if workload is not None and thread.model is not None:
            try:
                thread.estimate = workload.estimate(
                    thread.model, epochs=thread.epochs, method=self.method
                )
            except Problem as problem:
                self.problem = problem
        return thread.estimate

    # -- use

    @property
    def traffic(self) -> Traffic:
        """A month of requests: as the user set it for this file, else shaped like its examples."""
        from fttui.pricing import advice
        from fttui.pricing.use import Traffic

        kept = self.app.state.recall(self._traffic_key)
        if kept:
            try:
                shares = {k: Decimal(kept.pop(k)) for k in ("cached_share", "batch_share")}
                return Traffic(**(kept | shares))
            except (TypeError, KeyError, ArithmeticError):
                self.app.state.forget(self._traffic_key)  # written by another version
        workload = self.workload()
        return advice.default_traffic(workload) if workload else Traffic()

    @property
    def _traffic_key(self) -> str:
        return f"cost.traffic.{self.app.thread.path or ''}"

    def set_traffic(self, traffic: Traffic | None) -> None:
        """Keep it for this file; None: back to the shape of the examples."""
        if traffic is None:
            self.app.state.forget(self._traffic_key)
        else:
            kept = asdict(traffic)
            kept |= {name: str(kept[name]) for name in ("cached_share", "batch_share")}
            self.app.state.remember(self._traffic_key, kept)
        self.app.change()

    # -- keys of the Cost area

    def step_epochs(self, delta: int) -> None:
        """One more or less; from `auto` it starts at what auto stands for."""
        thread = self.app.thread
        now = thread.epochs or (thread.estimate.epochs if thread.estimate else 3)
        self.app.change(epochs=max(1, min(MAX_EPOCHS, now + delta)))

    def next_split(self) -> None:
        now = self.app.thread.split
        later = [share for share in SPLITS if share > now + 1e-9]
        self.app.change(split=later[0] if later else 0.0)


def held_out(whole: Workload, share: float) -> Workload:
    """The workload when `share` of the examples is kept for validation (0 to 1), in proportion."""
    if not share:
        return whole
    validation = round(whole.tokens * share)

    def fewer(count: int) -> int:
        return round(count * (1 - share))

    return replace(
        whole,
        examples=fewer(whole.examples),
        tokens=whole.tokens - validation,
        validation_tokens=validation,
        trained_tokens=None if whole.trained_tokens is None else fewer(whole.trained_tokens),
        truncated_tokens=fewer(whole.truncated_tokens),
        image_tokens=fewer(whole.image_tokens),
        system_tokens=fewer(whole.system_tokens),
    )
