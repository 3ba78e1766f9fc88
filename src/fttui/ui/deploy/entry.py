"""How the other panes reach deployments: why a model cannot be deployed, deploying it, its name in chat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fttui.service.provider import Provider
    from fttui.service.types import Job
    from fttui.ui.app import FttuiApp
    from fttui.ui.jobs.ranking import Kept


def why_not(provider: Provider | None, model: str) -> str:
    """Why this model cannot be deployed, "" where it can."""
    if provider is None:
        return "the provider is not asked yet"
    if provider.capabilities.needs_deploy and not model:
        return "there is no tuned model yet"
    from fttui.service import deployments

    reason = deployments.why_not(provider)
    if not reason and provider.profile.read_only:
        reason = f"profile {provider.profile.name!r} is read-only"
    return reason


def model_of(row: Kept) -> str:
    """What is deployed of a checkpoint: the last one is the job's model, an earlier one goes by its id."""
    job, checkpoint = row.track.job, row.checkpoint
    if job.fine_tuned_model and (row.final or checkpoint.model == job.fine_tuned_model):
        return job.fine_tuned_model
    return checkpoint.id if checkpoint.id.startswith("ftchkpt-") else checkpoint.model


def provider_of(app: FttuiApp, job: Job) -> Provider | None:
    """The provider a job belongs to: one of several profiles may be in hand."""
    feed = app.backend.feed_of(job)
    return feed.provider if feed is not None else None


def row_why_not(app: FttuiApp, name: str, row: Kept) -> str:
    """Why a checkpoint cannot be deployed, or asked (`name`: deploy or chat); "" where it can."""
    provider, model = provider_of(app, row.track.job), model_of(row)
    return why_not(provider, model) if name == "deploy" else why_no_chat(app, provider, model)


def deploy_row(app: FttuiApp, row: Kept) -> None:
    """Deploy a checkpoint, or show its deployment."""
    job = row.track.job
    provider = provider_of(app, job)
    if provider is not None:
        hint = "" if model_of(row) == job.fine_tuned_model else f"step-{row.step}"
        deploy(app, provider, model_of(row), base=job.model, job=job.id, hint=hint)


def row_names(app: FttuiApp, row: Kept, models: Sequence[str]) -> list[str]:
    """Names of models as chat asks them: of a deployment, where the model has one."""
    asked = [model_of(row) if model == row.model else model for model in models]
    named = asked_as(app, provider_of(app, row.track.job), asked)
    # What has no deployment keeps the name it was called by.
    back = dict(zip(asked, models, strict=True))
    return [back.get(name, name) for name in named]


def asked_as(app: FttuiApp, provider: Provider | None, models: Sequence[str]) -> list[str]:
    """Models by the names chat asks for, none twice. Where some of them are deployed and others are
    not, those are left out: they cannot answer."""
    if provider is None or not provider.capabilities.needs_deploy:
        return list(dict.fromkeys(models))
    profile = provider.profile.name
    found = {model: app.deployed.find(profile, model) for model in models}
    names = [row.name for model in models if (row := found[model]) is not None]
    return list(dict.fromkeys(names or models))


def why_no_chat(app: FttuiApp, provider: Provider | None, model: str) -> str:
    """Why a tuned model cannot be asked yet where it must be deployed first; "" where it can."""
    if provider is None or not provider.capabilities.needs_deploy or why_not(provider, model):
        return ""  # where its deployments cannot be read, it may be deployed all the same
    found = app.deployed.find(provider.profile.name, model)
    if app.deployed.of(provider.profile.name) is None or (found is not None and found.made):
        return ""
    return "it is still being deployed" if found is not None else "it answers once deployed (D)"


def deploy_job(app: FttuiApp, job: Job) -> None:
    """Deploy what a job made, or show its deployment."""
    provider = provider_of(app, job)
    if provider is not None and job.fine_tuned_model:
        deploy(app, provider, job.fine_tuned_model, base=job.model, job=job.id)


def deploy(
    app: FttuiApp, provider: Provider, model: str, *, base: str = "", job: str = "", hint: str = ""
) -> None:
    """Ask how, confirm the price, deploy; a model that is deployed already is shown instead."""
    from fttui.ui.deploy.form import DeployDialog

    found = app.deployed.find(provider.profile.name, model)
    if found is not None:
        app.notify(f"{model} is deployed as {found.name}", timeout=6)
        show(app, found.name)
        return

    def answered(name: str | None) -> None:
        if name:
            show(app, name)

    app.push_screen(DeployDialog(app, provider, model, base=base, job=job, hint=hint), answered)


def show(app: FttuiApp, name: str = "") -> None:
    """Go to the deployments, to the one called `name`."""
    if name:
        app.state.remember("deployments.row", name)
    app.go("deployments")
