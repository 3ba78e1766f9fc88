"""The messages services answer with, and what to do about each: one table for refused requests and failed jobs.

Wordings: providers' documentation and public issue threads as of 2026-11-21; matched loosely, since
they change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fttui.problem import Problem
from fttui.secrets import redact
from fttui.service.types import JobError


@dataclass(frozen=True, slots=True)
class Known:
    """A message a service is known to send. `code` is used where the service gave none."""

    pattern: str
    code: str
    remedy: str


TABLE: tuple[Known, ...] = (
    Known(
        r"training_not_available|winding down the fine-tuning platform",
        "training_not_available",
        "Export what is there, and train on another provider: local, Azure or Nebius.",
    ),
    Known(
        r"invalid_n_examples|must have at least (\d+) examples",
        "invalid_n_examples",
        "Add examples: 10 are the least, 50 to 100 good ones make a start.",
    ),
    Known(
        r"flagged by our moderation|failed moderation|blocked by our moderation|moderation api",
        "moderation",
        "Remove the flagged examples (the free moderation endpoint finds them) and upload again.",
    ),
    Known(
        r"not using 'supervised' as the training method|provided method=|format, but the specified",
        "wrong_method",
        "Choose the method that fits the file, or convert the file.",
    ),
    Known(
        r"expected either prompt/completion pairs or chat messages|unexpected file format",
        "invalid_training_file",
        'Check the file: every line needs a "messages" list (fttui check FILE).',
    ),
    Known(
        r"every line is a json dictionary|is not a dictionary|invalid jsonl file",
        "invalid_jsonl",
        "Check the file: a byte-order mark, UTF-16 or a list in place of lines (fttui check FILE).",
    ),
    Known(
        r"example \d+|invalid file format|invalid_training_file|invalid training file",
        "invalid_training_file",
        "Open the example in Data, correct it, and upload again (fttui check FILE).",
    ),
    Known(
        r"invalid_validation_file|invalid validation file",
        "invalid_validation_file",
        "Check the validation file (fttui check FILE) and upload it again.",
    ),
    Known(
        r"not available for fine-tuning|model_not_available",
        "model_not_available",
        "Name a dated snapshot (gpt-4o-mini-2024-07-18), not an alias.",
    ),
    Known(
        r"explore plan|upgrade to a paid plan",
        "plan",
        "Add a payment method on the provider's billing page, or train locally.",
    ),
    Known(
        r"exceeded_quota|insufficient_quota|exceeded your current quota|billing_hard_limit|billing",
        "exceeded_quota",
        "Look at credit and limits on the provider's billing page; nothing was trained.",
    ),
    Known(
        r"standard trainingtype|trainingtype",
        "training_type",
        'Set trainingType to "GlobalStandard" in the launch form or in the profile\'s extra_body.',
    ),
    Known(
        r"extra fields not permitted|invalid (batch_size|n_epochs|learning_rate)|hyperparameter",
        "invalid_hyperparameters",
        "Set that hyperparameter back to auto, or to a value in its range.",
    ),
    Known(
        r"verif(y|ied) (your )?organi[sz]ation|must be verified",
        "unverified_organization",
        "Verify the organization in the provider's settings, or ask its owner to.",
    ),
    Known(
        r"(mismatched|invalid)_(organization|project)|openai-(organization|project) header",
        "wrong_organization",
        "Correct organization and project in the profile, or leave both out.",
    ),
    Known(
        r"unsupported_country|country, region, or territory",
        "unsupported_country",
        "Train on this machine, or on another profile; a proxy or VPN can cause it as well.",
    ),
    Known(
        r"ip_not_authorized|ip (address )?is not authorized",
        "ip_not_authorized",
        "Ask an owner of the organization to allow this network's address.",
    ),
    Known(
        r"account_deactivated|has been deactivated",
        "account_deactivated",
        "Only the provider's support can help; work on another profile.",
    ),
    Known(
        r"incorrect_?hostname|regional hostname",
        "wrong_endpoint",
        "Set the profile's region: this project's data stay in one.",
    ),
    Known(
        r"wrong api endpoint|audience is incorrect",
        "wrong_endpoint",
        "Use the key and the address of one resource, both from its page Keys and Endpoint.",
    ),
    Known(
        r"api-version (query parameter )?(is )?not allowed",
        "wrong_endpoint",
        "Remove api_version from the profile: this address is the v1 API.",
    ),
    Known(
        r"deploymentnotfound|deploymentnotready|deployment .*(not|doesn't) exist",
        "not_deployed",
        "Deploy the model first, and chat with the deployment's name; a new one needs 5 minutes.",
    ),
    Known(
        r"missing scopes|insufficient permissions|does not have (the )?(required )?(access|role)"
        r"|permissiondenied|authorizationfailed|lacks the required data action",
        "missing_role",
        "Ask the organization's owner for a role (or a key) that may do this.",
    ),
    Known(
        r"(active|concurrent|running).{0,40}(limit|too many)|too many.{0,30}jobs|limit.{0,40}jobs",
        "too_many_jobs",
        "Wait for a running job to end, or cancel one.",
    ),
    Known(
        r"out_of_memory|not enough memory|trainer_stopped|for want of memory",
        "out_of_memory",
        "Set batch_size to 1, shorten the longest examples, or close other programs.",
    ),
    Known(
        r"disk_full|disk is full|no space left",
        "disk_full",
        "Free some space, then launch the job again: files sent before are not sent twice.",
    ),
    Known(
        r"context_length_exceeded|maximum context length",
        "context_length_exceeded",
        "Shorten the conversation, or ask for fewer tokens.",
    ),
    Known(
        r"model_not_found|does not exist or you do not have access|unknown model|no such model",
        "model_not_found",
        "Check the name. A new tuned model may need a few minutes; an old one may be retired.",
    ),
    Known(
        r"server_error|internal error|error of ours|ended without a model",
        "server_error",
        "Launch it again: the fault is the service's. Tell them the job's id if it returns.",
    ),
)


def known(code: str, message: str) -> Known | None:
    """The first entry that fits what the service said."""
    said = f"{code} {message}".lower()
    return next((entry for entry in TABLE if re.search(entry.pattern, said)), None)


def counts_lines(message: str) -> bool:
    """Whether a message counts lines of the file, and not examples (blank lines are none)."""
    return not re.search(r"\b[Ee]xample\s+#?\d", message)


def flagged_examples(message: str) -> list[int]:
    """The examples a message names, as it counts them ("Example 100, message 2", "Flagged lines: 4, 13").

    Whether services count from 0 or 1 is not documented; show the number as theirs.
    """
    flagged = re.search(r"[Ff]lagged lines?:\s*([\d,\s]+)", message)
    if flagged:
        return [int(number) for number in re.findall(r"\d+", flagged[1])]
    one = re.search(r"\b(?:[Ee]xample|[Ll]ine|LINE)\s+#?(\d+)", message)
    return [int(one[1])] if one else []


def job_problem(error: JobError, job_id: str = "") -> Problem:
    """Why a job failed, with the remedy; `detail["examples"]` are those the message names."""
    entry = known(error.code, error.message)
    message = redact(error.message) or "The provider gives no reason."
    detail = {"param": error.param, "job": job_id, "examples": flagged_examples(message)}
    return Problem(
        "The job failed.",
        message,
        entry.remedy if entry else "Look at the job's last events; ask the provider with its id.",
        code=error.code or (entry.code if entry else "job_failed"),
        detail={name: value for name, value in detail.items() if value},
    )
