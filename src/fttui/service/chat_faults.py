"""Why a model did not answer: what is worth waiting for, and what its refusals mean in a chat."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from fttui.problem import Problem
from fttui.service.provider import Wait, pause_before

OnWait = Callable[[Wait], None]

TRIES = 6  # of a question that meets "too many requests" or an overloaded service
LONGEST = 600.0  # seconds to wait once; who asks for more gets an error that says so
READY_TRIES = 40  # of a model that is being made ready: about 20 minutes
READY_FIRST, READY_SLOWEST = 5.0, 30.0
_BUSY = frozenset({429, 500, 502, 503, 504, 529})
_READY_STATUS = frozenset({404, 409, 425, 429, 500, 503})
# Azure: DeploymentNotReady; servers of open models: "Model … is currently loading".
_NOT_READY = re.compile(
    r"not[ _]?ready|loading|being (deployed|loaded|provisioned|created)|warming up|cold start"
    r"|provisioning|still deploying",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(r"model_?not_?found|deployment_?not_?found|not_found", re.IGNORECASE)
_RETIRED = re.compile(
    r"has been (deprecated|retired|decommissioned|removed|shut ?down)|is (retired|deprecated)"
    r"|was (retired|shut ?down|decommissioned)|no longer (available|supported|exists)",
    re.IGNORECASE,
)
_FILTERED = re.compile(
    r"content_filter|responsibleaipolicy|content management policy", re.IGNORECASE
)


@dataclass(slots=True)
class Patience:
    """How long one question is waited for. on_wait: told of every pause before it begins.

    fresh: the model was made minutes ago, so that "no such model" means "not yet".
    """

    on_wait: OnWait
    fresh: bool = False
    tries: int = 0

    def wait(self, found: Problem) -> Wait | None:
        """The pause before the same is asked again; None where that would not help."""
        self.tries += 1
        if not_ready(found, fresh=self.fresh):
            seconds = min(READY_SLOWEST, READY_FIRST * 2 ** min(self.tries - 1, 9))
            limit = READY_TRIES
        elif found.retry and found.detail.get("status") in _BUSY:
            seconds, limit = max(1.0, pause_before(self.tries, found)), TRIES
            if found.detail.get("retry_after") is not None:
                seconds = float(found.detail["retry_after"])
        else:
            return None
        if self.tries >= limit or seconds > LONGEST:
            return None
        return Wait(seconds, self.tries + 1, limit, found)


def not_ready(found: Problem, *, fresh: bool = False) -> bool:
    """The model is there, or will be, and cannot answer yet."""
    if found.detail.get("status") not in _READY_STATUS or retired(found):
        return False
    if _NOT_READY.search(f"{found.code} {found.why}"):
        return True
    return fresh and found.detail.get("status") == 404 and bool(_UNKNOWN.search(found.code))


def retired(found: Problem) -> bool:
    status = found.detail.get("status")
    return status == 410 or (status in (400, 404) and bool(_RETIRED.search(found.why)))


def explained(found: Problem, model: str) -> Problem:
    """A failure in the words of a chat: a retired model and a content filter are named as such."""
    said = f"{found.code} {found.why}"
    status = found.detail.get("status")
    if retired(found):
        return Problem(
            f"{model} has been retired.",
            found.why,
            "Choose a model that still answers, or train it again on a base that lives on.",
            code="gone",
            detail=found.detail,
        )
    if status in (400, 403, 422) and _FILTERED.search(said):
        return Problem(
            "The provider's content filter refused the prompt.",
            found.why,
            "Rephrase what it names; nothing was answered.",
            code="content_filter",
            detail=found.detail,
        )
    return found
