"""A plan in words: what the form's rows and the review say."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from fttui.text import plural
from fttui.ui.launch import plan, price
from fttui.ui.launch.draft import Draft
from fttui.ui.launch.fields import Field
from fttui.ui.text import Part

if TYPE_CHECKING:
    from fttui.config import Profile
    from fttui.dataset.report import Report
    from fttui.pricing.records import Provider
    from fttui.ui.dialogs.launch import LaunchDialog
    from fttui.ui.launch.checking import Checking
    from fttui.ui.thread import Thread


def dataset(thread: Thread, checking: Checking, method: str) -> list[Part]:
    """The file and what was found in it for this plan."""
    if thread.path is None:
        return [("none is open", "error")]
    parts: list[Part] = [(thread.path.name, "bold")]
    report = checking.report
    if report is None:
        percent = f" {checking.percent} %" if checking.percent is not None else ""
        return [*parts, (f" · being checked for this plan …{percent}", "dim")]
    return [*parts, *verdict(report), (f" · {plural(report.examples, 'example')}", "dim")]


def verdict(report: Report) -> list[Part]:
    errors = report.severities.get("error", 0)
    warnings = report.severities.get("warning", 0)
    found: Part = (f"✗ {plural(errors, 'error')}", "error") if errors else ("✓ no errors", "ok")
    parts: list[Part] = [" · ", found]
    if warnings:
        parts.append((f" · ⚠ {plural(warnings, 'warning')}", "warning"))
    return parts


def account(profile: Profile, home: Provider) -> list[Part]:
    """Whose money is spent: profile, host, organisation, project."""
    parts: list[Part] = [(profile.name, "accent"), (f" · {profile.host}", "dim")]
    owner = "/".join(part for part in (profile.organization, profile.project) if part)
    if owner:
        parts.append((f" · {owner}", "bold"))
    if home.id == "local":
        parts.append((" · costs nothing", "ok"))
    return parts


def model_text(name: str, desk: plan.Desk) -> str:
    """The model as the form names it: a base with its title, a tuned one with what it goes on from."""
    model = desk.base(name)
    if model is None:
        return f"{name} (not in the catalogue)" if name else "none can be trained"
    if name != model.id and name not in model.aliases:
        return f"{name} · goes on from a tuned model"
    return f"{name} · {model.title}" if model.title != name else name


def validation_text(draft: Draft, report: Report | None) -> str:
    if draft.share:
        many = f" (about {round(report.examples * draft.share):,})" if report else ""
        return f"hold out {draft.share:.0%} of the examples{many}"
    path = draft.validation_path
    if path is None:
        return "none: over-fitting will not show"
    found = ""
    if report is not None and report.validation is not None:
        errors = report.validation.severities.get("error", 0)
        state = f"✗ {plural(errors, 'error')}" if errors else "✓ no errors"
        found = f" · {plural(report.validation.examples, 'example')} · {state}"
    return f"file {path.name}{found}"


def field_text(field: Field, draft: Draft) -> str:
    """What a picked field shows."""
    text = draft.text(field.name)
    if field.kind != "json":
        return text or field.usual
    if not text:
        return "none: enter to write one" if field.required else f"none ({field.hint})"
    from fttui.ui.launch import grader

    words = grader.words(text)
    fault = field.check(text)
    return f"{words} · ✗ {fault}" if fault else f"{words} · ✓"


def review(dialog: LaunchDialog, quote: price.Quote) -> list[tuple[str, list[Part]]]:
    """The rows of the last question."""
    from fttui.ui.dialogs import launch_review

    draft, fields, thread = dialog.draft, dialog.fields, dialog.fttui.thread
    axes = plan.axes(draft, fields)
    rows: list[tuple[str, list[Part]]] = [
        ("dataset", dataset(thread, dialog.checking, dialog.method)),
        ("files", launch_review.files(_sent(dialog))),
        ("validation", [validation_text(draft, dialog.report)]),
        ("method", [dialog.method]),
        ("train", [draft.model]),
        *launch_review.settings(draft, fields),
    ]
    if axes:
        made = f" ({len(draft.made)} are made already)" if draft.made else ""
        rows.append(("sweep", [(plan.grid_text(axes), "bold"), made]))
    life = price.lifetime(dialog.desk.base(draft.model), date.today())
    return [
        *((name, parts) for name, parts in rows if parts),
        ("account", account(dialog.desk.profile, dialog.desk.home)),
        ("price", list(quote.parts)),
        ("lifetime", life or [("not known", "dim")]),
    ]


def _sent(dialog: LaunchDialog) -> dict[str, tuple[int, str]]:
    """The files of the plan: what is sent, and what this profile sent before."""
    thread, report, draft = dialog.fttui.thread, dialog.report, dialog.draft
    if thread.path is None or report is None or draft.share:
        return {}  # a split is made of copies, which are looked for when they are there
    state, profile = dialog.fttui.state, dialog.desk.profile.name
    found = {thread.path.name: (report.bytes, state.upload_of(profile, report.sha256))}
    other, path = report.validation, draft.validation_path
    if other is not None and path is not None:
        found[path.name] = (other.bytes, state.upload_of(profile, other.sha256))
    return found
