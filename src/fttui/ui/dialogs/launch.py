"""Launch a job: what, with which settings, for how much, from whose account. The draft survives everything."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Static

from fttui.service import sweep
from fttui.ui.dialogs.base import Dialog
from fttui.ui.dialogs.launch_form import Form, Row
from fttui.ui.dialogs.launch_picks import Picks
from fttui.ui.launch import fields as form_fields
from fttui.ui.launch import plan, price
from fttui.ui.launch.checking import Checking
from fttui.ui.launch.draft import Draft, key
from fttui.ui.launch.launching import Launching
from fttui.ui.launch.words import account, dataset, field_text, model_text, validation_text
from fttui.ui.text import Part, say
from fttui.ui.widgets.picker import Picker

if TYPE_CHECKING:
    from fttui.dataset.report import Report
    from fttui.pricing.workload import Workload
    from fttui.service.types import Job
    from fttui.ui.app import FttuiApp
    from fttui.ui.jobs.feed import Feed

MOVE = "↑↓ move  enter choose  1, 2 in a field: a sweep  esc close (draft kept)"
TOLD = (("dataset", "dataset"), ("account", "whose money"))
PICKED = (("method", "method"), ("model", "train"), ("validation", "validation"))


class LaunchDialog(Dialog[list["Job"]]):
    """Answers the jobs that were made, or None."""

    CSS = """
    LaunchDialog > #box { width: 96; max-width: 100%; max-height: 100%; padding: 0 2; }
    LaunchDialog .title { margin-bottom: 0; }
    LaunchDialog #form { max-height: 62vh; }
    LaunchDialog.-short #form { max-height: 6; }
    LaunchDialog #sum { height: auto; margin-top: 1; }
    LaunchDialog.-low #sum { margin-top: 0; }
    LaunchDialog #sum > Row { height: auto; max-height: 2; }
    LaunchDialog #sum Static { width: 1fr; }
    LaunchDialog #sum Label { width: 16; color: $muted; }
    LaunchDialog.-short #row-lifetime { display: none; }
    LaunchDialog #why { height: auto; min-height: 1; max-height: 3; }
    LaunchDialog #buttons { height: 1; }
    LaunchDialog Button { height: 1; min-width: 14; margin-right: 2; background: $panel; }
    LaunchDialog Button:focus { background: $primary; color: $background; text-style: bold; }
    LaunchDialog .keys { margin-top: 0; }
    LaunchDialog.-busy #form { opacity: 50%; }
    """
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [
        (0, "-short"),
        (22, "-low"),
        (30, "-tall"),
    ]
    # With priority: what is typed right after an arrow goes into the next field, however fast.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "Next", show=False, priority=True),
        Binding("up", "app.focus_previous", "Previous", show=False, priority=True),
    ]

    def __init__(self, app: FttuiApp, feed: Feed) -> None:
        super().__init__()
        self.fttui = app
        self._feed = feed
        profile, thread = feed.provider.profile, app.thread
        self.desk = plan.Desk(app.backend.catalog, profile, date.today())
        self.checking = Checking(app, self._checked)
        self.launching = Launching(app, feed, self._moved_on, self._made)
        self.picks = Picks(self)
        self._refused: dict[str, str] = {}  # row → what the provider said about it
        self._work: tuple[Report, str, float, Workload] | None = None
        kept = Draft.recall(app.state.recall(key(thread.path))) if thread.path else None
        usual = self.desk.models(plan.method_of(thread.report))
        self.draft = kept or plan.fresh(thread, usual, self.desk.home.suffix_max)
        if not self.draft.model and usual:
            self.draft.model = usual[0].id

    # -- the plan

    @property
    def feed(self) -> Feed:
        """The profile the job is made at."""
        return self._feed

    @property
    def report(self) -> Report | None:
        """What was found in the files for this very plan; None while they are checked."""
        return self.checking.report

    @property
    def method(self) -> str:
        return self.draft.method or plan.method_of(self.fttui.thread.report)

    @property
    def fields(self) -> tuple[form_fields.Field, ...]:
        return self.desk.fields(self.draft, self.method)

    @property
    def form(self) -> Form:
        return self.query_one(Form)

    def quote(self) -> price.Quote:
        model, axes = self.desk.model(self.draft), plan.axes(self.draft, self.fields)
        usual = self.draft.text("n_epochs")
        return price.quote(
            model,
            self._workload(),
            method=self.method,
            epochs=[row.get("n_epochs", usual) for row in sweep.combinations(axes)],
            counted=bool(
                not self.draft.share
                and model
                and self.report
                and self.report.tokens.encoding == model.encoding
            ),
            named=bool(self.draft.model),
        )

    def _workload(self) -> Workload | None:
        """What would be trained on; looked at once for each plan, not at every key."""
        report, model = self.report, self.desk.base(self.draft.model)
        if report is None or model is None:
            return None
        known, share = self._work, self.draft.share
        if known is None or known[0] is not report or known[1:3] != (model.key, share):
            known = (report, model.key, share, price.workload(report, model, share))
            self._work = known
        return known[3]

    def _why_not(self, wrong: dict[str, str]) -> str:
        """The first reason why this cannot be launched."""
        profile = self._feed.provider.profile
        if profile.read_only:
            return f"profile {profile.name} is read-only"
        lacks = self.desk.no_method(self.method, self.fttui.thread.report)
        if lacks:
            return f"method: {lacks}"
        model = self.desk.base(self.draft.model)
        if model is None and not self.draft.model:
            return f"no model of {self.desk.home.title} can be trained by {self.method} today"
        if model is not None and not model.can_train(date.today()):
            return f"{model.id} can no longer be trained here"
        if model is not None and self.method not in model.methods:
            return f"{model.id} is not trained by {self.method}, but by {', '.join(model.methods)}"
        if self.checking.problem is not None:
            return self.checking.problem.what
        name = next(iter(wrong), "")
        if name:
            return f"{form_fields.NAMES.get(name, name)}: {wrong[name]}"
        return plan.blocked(self.fttui.thread, self.report)

    # -- the form

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say("Launch a fine-tuning job"), classes="title")
            yield Form(TOLD, PICKED, self.fields, self.draft)
            with Vertical(id="sum"):
                yield Row("jobs", "sweep", Static(id="told-jobs"))
                yield Row("price", "price", Static(id="told-price"))
                yield Row("lifetime", "lifetime", Static(id="told-lifetime"))
            yield Static(id="why")
            with Horizontal(id="buttons"):
                yield Button("Review and launch", id="launch", variant="primary", compact=True)
                yield Button("Close", id="close", compact=True)
            yield Label(say((MOVE, "dim")), classes="keys")

    def on_mount(self) -> None:
        self.fttui.thread_changed.subscribe(self, self._thread_changed)
        self.sync()
        first = next(iter(self.desk.wrong(self.draft, self.fields)), "")
        if not (first and self.form.focus_on(first)):
            self.query_one("#launch").focus()
        self.run_worker(self.picks.look(), group="look", exit_on_error=False)

    def _thread_changed(self, fields: frozenset[str]) -> None:
        if self.is_mounted and fields & {"report", "problem", "progress", "validation"}:
            self._follow()

    def _follow(self) -> None:
        """Bring the rows in step with the method and the model, and say what follows."""
        if self.form.has(self.fields):
            self.sync()
        else:  # as a worker: rows that go away still have something to say to this dialog
            self.run_worker(self._rebuild(), group="rows", exclusive=True, exit_on_error=False)

    async def _rebuild(self) -> None:
        focused = self.focused.id if self.focused else None
        await self.form.set_fields(self.fields, self.draft)
        self.sync()
        if self.focused is None and focused and self.query(f"#{focused}"):
            self.query_one(f"#{focused}").focus()

    def _checked(self) -> None:
        if self.is_attached:
            self.sync()

    # -- in step

    def sync(self) -> None:
        """Show the price, the lifetime and what is wrong, as they are now."""
        told = self.fttui.thread.report
        lacks = self.desk.no_method(self.method, told)
        target = self.desk.target(self.draft, plan.method_of(told) if lacks else self.method)
        if self.checking.want(target, self.draft.validation_path, bool(self.draft.share)):
            self.run_worker(
                self.checking.check(), group="check", exclusive=True, exit_on_error=False
            )
        form, wrong = self.form, self.desk.wrong(self.draft, self.fields)
        form.say("dataset", dataset(self.fttui.thread, self.checking, self.method))
        form.say("account", account(self._feed.provider.profile, self.desk.home))
        form.show("method", plan.METHODS[self.method])
        form.show("model", model_text(self.draft.model, self.desk))
        form.show("validation", validation_text(self.draft, self.report))
        for field in self.fields:
            form.show(f"field-{field.name}", field_text(field, self.draft))
        form.unfold(self.draft)
        reason = self._why_not(wrong)
        form.mark({**self._refused, **wrong})
        self._sum()
        self.query_one("#launch", Button).disabled = bool(reason) or bool(self.launching.stage)
        self._say_why(reason)

    def _sum(self) -> None:
        axes = plan.axes(self.draft, self.fields)
        self.query_one("#row-jobs").display = bool(axes)
        self.query_one("#told-jobs", Static).update(say(*self._sweep(axes)))
        self.query_one("#told-price", Static).update(say(*self.quote().parts))
        life = price.lifetime(self.desk.base(self.draft.model), date.today())
        self.query_one("#told-lifetime", Static).update(say(*life))

    def _sweep(self, axes: tuple[sweep.Axis, ...]) -> list[Part]:
        parts: list[Part] = [(plan.grid_text(axes), "bold"), (", one after another", "dim")]
        if self.draft.made:
            parts.append((f" · {len(self.draft.made)} are made already", "ok"))
        if not self._feed.provider.capabilities.metadata:
            parts.append((f" · {self.desk.home.title} keeps no tags: not grouped later", "warning"))
        return parts

    def _say_why(self, reason: str) -> None:
        refused = self.launching.refusal
        if self.launching.stage is not None:
            content = say(*self.launching.parts())
        elif refused is not None:
            lines: list[list[Part]] = [[(f"✗ {refused.what}", "error")]]
            lines += [[refused.why]] if refused.why else []
            lines += [[("→ ", "accent"), refused.remedy]] if refused.remedy else []
            content = Content("\n").join([say(*line) for line in lines])
        else:
            content = say((f"✗ {reason}", "error")) if reason else say("")
        self.query_one("#why", Static).update(content)

    def _changed(self) -> None:
        """Something was typed or chosen: keep the draft, show what follows from it."""
        self.launching.refusal = None
        self._refused = {}
        if self.draft.sent:  # another plan is another launch: its own tag
            self.draft = self.draft.another()
        self._keep()
        self._follow()

    def _keep(self) -> None:
        if self.fttui.thread.path is not None:
            self.fttui.state.remember(key(self.fttui.thread.path), self.draft.keep())

    # -- typing and choosing

    def _field(self, widget: Widget) -> str:
        return (widget.id or "").removeprefix("field-")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        name = self._field(event.input)
        if self.draft.fields.get(name, "") != event.value:
            self.draft.fields[name] = event.value
            self._changed()

    @on(Input.Submitted)
    def _next(self) -> None:
        self.focus_next()

    @on(Picker.Stepped)
    def _stepped(self, event: Picker.Stepped) -> None:
        row = self._field(event.picker)
        values, now = self.picks.values(row), self.picks.value(row)
        if values:
            at = values.index(now) if now in values else 0
            self._choose(row, values[(at + event.delta) % len(values)])

    @on(Picker.Asked)
    def _asked(self, event: Picker.Asked) -> None:
        row = self._field(event.picker)
        now = self.picks.value(row)

        def taken(value: str) -> None:
            if value != now:
                self._choose(row, value)

        self.picks.ask(row, taken)

    def _choose(self, row: str, value: str) -> None:
        self.picks.take(row, value)
        self._changed()

    # -- launching

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.action_close()

    def action_close(self) -> None:
        """Escape: stop what can be stopped; else close, the draft is kept."""
        if self.launching.stage is None:
            self.dismiss(None)
        elif self.launching.stop():
            self.workers.cancel_group(self, "launch")
        elif not plan.axes(self.draft, self.fields):
            self.fttui.notify("the job is being made: wait for the answer", severity="warning")

    @on(Button.Pressed, "#launch")
    def _review(self) -> None:
        if self.launching.stage is not None or self._why_not(
            self.desk.wrong(self.draft, self.fields)
        ):
            return
        from fttui.ui.dialogs import launch_review
        from fttui.ui.launch.words import review

        quote = self.quote()
        rows = review(self, quote)
        limit = self.fttui.backend.config.settings.confirm_above
        jobs = sweep.count(plan.axes(self.draft, self.fields))

        def answered(yes: bool | None) -> None:
            if yes:
                self._go(quote)

        self.app.push_screen(launch_review.question(quote, rows, limit, jobs), answered)

    def _go(self, quote: price.Quote) -> None:
        path, report = self.fttui.thread.path, self.report
        if path is None or report is None:
            return
        orders = self.desk.orders(self.draft, self.method, path, report, list(quote.each))
        left = [order for order in orders if order.tag not in self.draft.made]
        self.draft.sent = True
        self._keep()
        self._refused = {}
        self.add_class("-busy")
        self.run_worker(self._launch(left), group="launch", exclusive=True, exit_on_error=False)

    async def _launch(self, orders: list[plan.Order]) -> None:
        jobs = await self.launching.go(orders, len(self.draft.made))
        if jobs is not None:
            self.fttui.state.forget(key(self.fttui.thread.path))
            self.dismiss(jobs)
            return
        refusal = self.launching.refusal
        names = frozenset({"dataset", "method", "model", "validation"})
        names |= {field.name for field in self.fields}
        row = form_fields.row_of(str(refusal.detail.get("param", "")), names) if refusal else ""
        if refusal is not None and row:
            self._refused = {row: refusal.why or refusal.what}
            self.form.focus_on(row)
        self.sync()
        if refusal is not None:
            from fttui.ui import doors

            if doors.is_door(refusal):  # more of the same would not help: show the ways out
                self.fttui.show_problem(refusal)

    def _made(self, order: plan.Order, job: Job) -> None:
        self.draft.made[order.tag] = job.id
        self._keep()

    def _moved_on(self) -> None:
        """The launch is at another stage."""
        if self.is_attached:
            busy = self.launching.stage is not None
            self.set_class(busy, "-busy")
            self.query_one("#launch", Button).disabled = busy
            if busy:
                self._say_why("")
            else:
                self.sync()
