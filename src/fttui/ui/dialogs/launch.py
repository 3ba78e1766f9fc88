"""Launch a job: what, with which settings, for how much, from whose account. The draft survives everything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Static

from fttui.problem import Problem
from fttui.text import plural, size
from fttui.ui.dialogs.base import Dialog
from fttui.ui.launch import plan
from fttui.ui.text import Part, say
from fttui.ui.widgets.picker import Picker

if TYPE_CHECKING:
    from fttui.pricing.catalog import Model
    from fttui.service.types import Job
    from fttui.ui.app import FttuiApp
    from fttui.ui.jobs.feed import Feed
    from fttui.ui.launch.run import Stage

BAR = 24  # columns of the progress bar
MOVE = "↑ ↓ move   enter choose, next   esc close (the draft is kept)"


class LaunchDialog(Dialog["Job"]):
    """Answers the job that was made, or None."""

    CSS = """
    LaunchDialog > #box { width: 92; max-width: 100%; max-height: 100%; padding: 0 2; }
    LaunchDialog .title { margin-bottom: 0; }
    LaunchDialog #form { height: auto; max-height: 68vh; background: $surface; }
    LaunchDialog Input, LaunchDialog Picker { background: $background; }
    LaunchDialog Input:focus, LaunchDialog Picker:focus { background: $panel; }
    LaunchDialog.-short #form { max-height: 7; }
    LaunchDialog .row { height: auto; max-height: 2; }
    LaunchDialog .row > Input { width: 22; }
    LaunchDialog .row > #suffix { width: 34; }
    LaunchDialog .row > Static { width: 1fr; }
    LaunchDialog .row > Label { width: 15; color: $muted; }
    LaunchDialog .row > .hint { width: 1fr; height: 1; color: $muted; padding: 0 1; }
    LaunchDialog .gap { margin-top: 1; }
    LaunchDialog #why { height: auto; min-height: 2; max-height: 3; }
    LaunchDialog #buttons { height: 1; }
    LaunchDialog Button { height: 1; min-width: 14; margin-right: 2; background: $panel; }
    LaunchDialog Button:focus { background: $primary; color: $background; text-style: bold; }
    LaunchDialog .keys { margin-top: 0; }
    LaunchDialog.-busy #form { opacity: 50%; }
    """
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-short"), (22, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Previous", show=False),
    ]

    def __init__(self, app: FttuiApp, feed: Feed) -> None:
        super().__init__()
        self.fttui = app
        self._feed = feed
        self._stage: Stage | None = None
        self._refusal: Problem | None = None
        profile = feed.provider.profile
        thread = self.fttui.thread
        catalog = self.fttui.backend.catalog
        self._method = plan.method(thread.report)
        self._models = [
            model
            for model in plan.trainable(catalog, profile, date.today())
            if self._method in model.methods
        ]
        home = catalog.providers.get(profile.provider)
        self._suffix_max = home.suffix_max if home else 64
        self._knobs = plan.knobs(catalog, profile, self._method)
        kept = plan.Draft.recall(self.fttui.state.recall(self._key)) if thread.path else None
        self.draft = kept or plan.fresh(thread, self._models, self._suffix_max)
        if not any(model.id == self.draft.model for model in self._models):
            self.draft.model = self._models[0].id if self._models else ""

    @property
    def _key(self) -> str:
        path = self.fttui.thread.path
        return plan.key(path) if path else "launch:"

    # -- the form

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say("Launch a fine-tuning job"), classes="title")
            with VerticalScroll(id="form", can_focus=False):
                yield from self._form()
            yield Static(id="why")
            with Horizontal(id="buttons"):
                yield Button("Review and launch", id="launch", variant="primary", compact=True)
                yield Button("Close", id="close", compact=True)
            yield Label(say((MOVE, "dim")), classes="keys")

    def _form(self) -> Iterator[Widget]:
        yield from self._told("dataset", self._dataset())
        yield from self._told("whose money", self._whose())
        yield _row("base model", Picker(id="model"), gap=True)
        yield _row("validation", Picker(id="validation"))
        for name, knob in self._knobs.items():
            field = Input(
                self.draft.hyperparameters.get(name, ""),
                placeholder="auto" if knob.auto else "not set",
                compact=True,
                id=f"knob-{name}",
            )
            yield _row(plan.NAMES.get(name, name), field, knob.range_text())
        suffix = Input(self.draft.suffix, placeholder="none", compact=True, id="suffix")
        yield _row("suffix", suffix, "names the model")
        seed = Input(self.draft.seed, placeholder="any", compact=True, id="seed")
        yield _row("seed", seed, "same number, same run")
        yield _row("price", Static(id="price"), gap=True)
        yield _row("lifetime", Static(id="lifetime"))

    def _told(self, name: str, parts: list[Part]) -> Iterator[Widget]:
        yield _row(name, Static(say(*parts), id=name.replace(" ", "-")))

    def _dataset(self) -> list[Part]:
        thread = self.fttui.thread
        if thread.path is None:
            return [("none is open", "error")]
        parts: list[Part] = [(thread.path.name, "bold")]
        report = thread.report
        if report is None:
            return [*parts, (" · being checked …", "dim")]
        errors = report.severities.get("error", 0)
        warnings = report.severities.get("warning", 0)
        verdict: Part = (
            (f"✗ {plural(errors, 'error')}", "error") if errors else ("✓ no errors", "ok")
        )
        parts += [" · ", verdict]
        if warnings:
            parts.append((f" · ⚠ {plural(warnings, 'warning')}", "warning"))
        parts.append((f" · {plural(report.examples, 'example')} · {self._method}", "dim"))
        return parts

    def _whose(self) -> list[Part]:
        profile = self._feed.provider.profile
        parts: list[Part] = [(profile.name, "accent"), (f" · {profile.host}", "dim")]
        owner = "/".join(part for part in (profile.organization, profile.project) if part)
        if owner:
            parts.append((f" · {owner}", "bold"))
        if profile.provider == "local":
            parts.append((" · costs nothing", "ok"))
        return parts

    def on_mount(self) -> None:
        self.fttui.thread_changed.subscribe(self, self._thread_changed)
        self.sync()
        first = next(iter(self._wrong()), "")
        wanted = f"#{'knob-' + first if first in self._knobs else first}" if first else "#launch"
        self.query(wanted).first(Widget).focus()

    def _thread_changed(self, fields: frozenset[str]) -> None:
        if self.is_mounted and fields & {"report", "problem", "progress", "validation"}:
            self.query_one("#dataset", Static).update(say(*self._dataset()))
            self.sync()

    # -- in step

    @property
    def model(self) -> Model | None:
        return next((model for model in self._models if model.id == self.draft.model), None)

    def quote(self) -> plan.Quote:
        catalog, report = self.fttui.backend.catalog, self.fttui.thread.report
        return plan.quote(catalog, self.model, report, self.draft, self._method)

    def _wrong(self) -> dict[str, str]:
        return plan.wrong(self.draft, self._knobs, self._suffix_max)

    def _why_not(self) -> str:
        """The first reason why this cannot be launched."""
        if self._feed.provider.profile.read_only:
            return f"profile {self._feed.provider.profile.name} is read-only"
        blocked = plan.blocked(self.fttui.thread, self.draft)
        if blocked:
            return blocked
        if not self._models:
            return f"no model of this provider can be trained by {self._method} today"
        wrong = self._wrong()
        name = next(iter(wrong), "")
        return f"{plan.NAMES.get(name, name)}: {wrong[name]}" if name else ""

    def sync(self) -> None:
        """Show the price, the lifetime and what is wrong, as they are now."""
        model = self.model
        self.query_one("#model", Picker).text = self._model_line(model)
        self.query_one("#validation", Picker).text = self._validation_line()
        self.query_one("#price", Static).update(say(*self.quote().parts))
        self.query_one("#lifetime", Static).update(say(*plan.lifetime(model, date.today())))
        reason = self._why_not()
        self.query_one("#launch", Button).disabled = bool(reason) or self._stage is not None
        self._say_why(reason)

    def _model_line(self, model: Model | None) -> str:
        if model is None:
            return self.draft.model or "none can be trained"
        return f"{model.id}  {model.title}" if model.title != model.id else model.id

    def _validation_line(self) -> str:
        if self.draft.share:
            report = self.fttui.thread.report
            many = f" (about {round(report.examples * self.draft.share):,})" if report else ""
            return f"hold out {self.draft.share:.0%} of the examples{many}"
        path = self.draft.validation_path
        return f"file {path.name}" if path else "none: over-fitting will not show"

    def _say_why(self, reason: str) -> None:
        if self._stage is not None:
            content = say(*self._stage_line(self._stage))
        elif self._refusal is not None:
            refused = self._refusal
            lines: list[list[Part]] = [[(f"✗ {refused.what}", "error")]]
            lines += [[refused.why]] if refused.why else []
            lines += [[("→ ", "accent"), refused.remedy]] if refused.remedy else []
            content = Content("\n").join([say(*line) for line in lines])
        else:
            content = say((f"✗ {reason}", "error")) if reason else say("")
        self.query_one("#why", Static).update(content)

    def _stage_line(self, stage: Stage) -> list[Part]:
        parts: list[Part] = [(f"{stage.text} ", "")]
        if stage.total:
            full = BAR * stage.done // stage.total
            plain = self.fttui.ascii_only
            parts += [
                (("#" if plain else "━") * full, "primary"),
                (("." if plain else "━") * (BAR - full), "faint"),
                (f" {100 * stage.done // stage.total:3d} %  ", "bold"),
                (f"{size(stage.done)} of {size(stage.total)}", "dim"),
            ]
        if stage.may_stop:
            parts.append(("   esc stops it", "dim"))
        return parts

    def _changed(self) -> None:
        """Something was typed or chosen: keep the draft, show what follows from it."""
        self._refusal = None
        if self.draft.sent:  # another plan is another launch: its own tag
            self.draft = plan.Draft(**{**self.draft.keep(), "tag": plan.Draft().tag, "sent": False})
        self._keep()
        self.sync()

    def _keep(self) -> None:
        if self.fttui.thread.path is not None:
            self.fttui.state.remember(self._key, self.draft.keep())

    # -- typing and choosing

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        name, text = event.input.id or "", event.value
        if name.startswith("knob-"):
            name = name.removeprefix("knob-")
            if self.draft.hyperparameters.get(name, "") == text:
                return
            self.draft.hyperparameters[name] = text
        elif name in ("suffix", "seed") and getattr(self.draft, name) != text:
            setattr(self.draft, name, text)
        else:
            return
        self._changed()

    @on(Input.Submitted)
    def _next(self) -> None:
        self.focus_next()

    @on(Picker.Stepped, "#model")
    def _step_model(self, event: Picker.Stepped) -> None:
        ids = [model.id for model in self._models]
        if ids:
            at = ids.index(self.draft.model) if self.draft.model in ids else 0
            self.draft.model = ids[(at + event.delta) % len(ids)]
            self._changed()

    @on(Picker.Asked, "#model")
    def _ask_model(self) -> None:
        from fttui.ui.dialogs import launch_review
        from fttui.ui.dialogs.choose import Choose

        choices = launch_review.model_choices(self._models)

        def chosen(name: str | None) -> None:
            if name:
                self.draft.model = name
                self._changed()

        self.app.push_screen(Choose("Base model", choices, value=self.draft.model), chosen)

    def _validations(self) -> list[str]:
        thread = self.fttui.thread
        files = [str(thread.validation)] if thread.validation else []
        if self.draft.validation_path and self.draft.validation not in files:
            files.append(self.draft.validation)
        return [*files, *(plan.SPLIT + share for share in plan.SPLITS), ""]

    @on(Picker.Stepped, "#validation")
    def _step_validation(self, event: Picker.Stepped) -> None:
        found = self._validations()
        at = found.index(self.draft.validation) if self.draft.validation in found else 0
        self.draft.validation = found[(at + event.delta) % len(found)]
        self._changed()

    @on(Picker.Asked, "#validation")
    def _ask_validation(self) -> None:
        from fttui.ui.dialogs import launch_review
        from fttui.ui.dialogs.choose import Choose

        choices = launch_review.validation_choices(self._validations())

        def chosen(value: str | None) -> None:
            if value == "other":
                self._ask_file()
            elif value is not None:
                self.draft.validation = "" if value == "none" else value
                self._changed()

        self.app.push_screen(
            Choose("Validation", choices, value=self.draft.validation or "none"), chosen
        )

    def _ask_file(self) -> None:
        from pathlib import Path

        from fttui.ui.dialogs.prompt import Prompt

        def check(text: str) -> str:
            path = Path(text.strip()).expanduser()
            return "" if path.is_file() else f"no such file: {path}"

        def chosen(text: str | None) -> None:
            if text:
                self.draft.validation = str(Path(text.strip()).expanduser())
                self._changed()

        self.app.push_screen(Prompt("Validation file", check=check), chosen)

    # -- launching

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.action_close()

    def action_close(self) -> None:
        """Escape: stop what can be stopped; else close, the draft is kept."""
        if self._stage is None:
            self.dismiss(None)
        elif self._stage.may_stop:
            self.workers.cancel_group(self, "launch")
        else:
            self.fttui.notify("the job is being made: wait for the answer", severity="warning")

    @on(Button.Pressed, "#launch")
    def _review(self) -> None:
        if self._why_not() or self._stage is not None:
            return
        from fttui.ui.dialogs import launch_review

        quote = self.quote()
        rows = self._review_rows(quote)
        limit = self.fttui.backend.config.settings.confirm_above

        def answered(yes: bool | None) -> None:
            if yes:
                self._go(quote)

        self.app.push_screen(launch_review.question(quote, rows, limit), answered)

    def _review_rows(self, quote: plan.Quote) -> list[tuple[str, list[Part]]]:
        knobs = [
            f"{plan.NAMES.get(name, name)} {self.draft.hyperparameters.get(name) or 'auto'}"
            for name, knob in self._knobs.items()
            if knob.auto or self.draft.hyperparameters.get(name)
        ]
        return [
            ("dataset", self._dataset()),
            ("validation", [self._validation_line()]),
            ("model", [self.draft.model]),
            ("settings", [" · ".join(knobs)]),
            ("account", self._whose()),
            ("price", list(quote.parts)),
            ("lifetime", plan.lifetime(self.model, date.today())),
        ]

    def _go(self, quote: plan.Quote) -> None:
        order = plan.order(self.draft, self.fttui.thread, self._knobs, quote)
        self.draft.sent = True
        self._keep()
        self._refusal = None
        self.run_worker(self._launch(order), group="launch", exclusive=True, exit_on_error=False)

    async def _launch(self, order: plan.Order) -> None:
        import asyncio

        from fttui.ui.launch import run as launch_run

        app = self.fttui
        self.add_class("-busy")
        app.backend.unfinished["launch"] = "A launch is on its way: it would stop."
        self._tell(launch_run.Stage("beginning"))
        try:
            job = await launch_run.run(app, self._feed, order, self._tell)
        except Problem as problem:
            self._refusal = problem
        except asyncio.CancelledError:
            self._refusal = Problem("The launch was stopped.", "No job was made.")
            raise
        else:
            self._done(job)
        finally:
            app.backend.unfinished.pop("launch", None)
            self._stage = None
            if self.is_attached:
                self.remove_class("-busy")
                self.sync()

    def _tell(self, stage: Stage) -> None:
        self._stage = stage
        if self.is_attached:
            self.query_one("#launch", Button).disabled = True
            self._say_why("")

    def _done(self, job: Job) -> None:
        self.fttui.state.forget(self._key)
        self.dismiss(job)


def _row(name: str, widget: Widget, hint: str = "", *, gap: bool = False) -> Horizontal:
    children: list[Widget] = [Label(say(name)), widget]
    if hint:
        children.append(Static(say((hint, "dim")), classes="hint"))
    return Horizontal(*children, classes="row gap" if gap else "row")
