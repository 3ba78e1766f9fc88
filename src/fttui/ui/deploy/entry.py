"""How the other panes reach deployments: why a model cannot be deployed, deploying it, its name in chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fttui.service.provider import Provider
    from fttui.service.types import Checkpoint, Job
    from fttui.ui.app import FttuiApp


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


def model_of(checkpoint: Checkpoint, job: Job | None) -> str:
    """What is deployed of a checkpoint: the last one is the job's model, an earlier one goes by its id."""
    if job is not None and job.fine_tuned_model == checkpoint.model != "":
        return job.fine_tuned_model
    return checkpoint.id if checkpoint.id.startswith("ftchkpt-") else checkpoint.model


def why_no_chat(app: FttuiApp, provider: Provider | None, model: str) -> str:
    """Why a tuned model cannot be asked yet where it must be deployed first; "" where it can."""
    if provider is None or not provider.capabilities.needs_deploy or why_not(provider, model):
        return ""  # where its deployments cannot be read, it may be deployed all the same
    found = app.deployed.find(provider.profile.name, model)
    if app.deployed.of(provider.profile.name) is None or (found is not None and found.made):
        return ""
    return "it is still being deployed" if found is not None else "it answers once deployed (D)"


def chat_name(app: FttuiApp, provider: Provider | None, model: str) -> str:
    """The name a model is asked by: its deployment's, where it has one."""
    if provider is None or not provider.capabilities.needs_deploy:
        return model
    found = app.deployed.find(provider.profile.name, model)
    return found.name if found is not None else model


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

    def answered(made: bool | None) -> None:
        if made:
            show(app)

    app.push_screen(DeployDialog(app, provider, model, base=base, job=job, hint=hint), answered)


def show(app: FttuiApp, name: str = "") -> None:
    """Go to the deployments, to the one called `name`."""
    if name:
        app.state.remember("deployments.row", name)
    app.go("deployments")
