"""Every message a service is known to send has a remedy of its own, and names its examples."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fttui.service import remedies
from fttui.service.types import JobError

INVALID = "The job failed due to an invalid training file. "
# (code it came with, wording, remedy's code, examples it names)
SAID = [
    ("invalid_n_examples", "Training file has 7 example(s), but must have at least 10 examples",
     "invalid_n_examples", []),
    ("", "file-abc has 5 example(s), but must have at least 10 examples", "invalid_n_examples", []),
    ("invalid_training_file", INVALID + "Invalid file format. Example 100, message 2 "
     "Discriminator 'role' is missing in value", "invalid_training_file", [100]),
    ("invalid_training_file", INVALID + "Invalid file format. Input file file-abc is in the "
     "fine-tune-chat format, but the specified fine-tuning job is not using 'supervised' as the "
     "training method (provided method=dpo).", "wrong_method", []),
    ("invalid_training_file", INVALID + "Unexpected file format, expected either "
     "prompt/completion pairs or chat messages.", "invalid_training_file", []),
    ("invalid_training_file", INVALID + "This training file was blocked because too many examples "
     "were flagged by our moderation API for containing content that violates OpenAI's usage "
     "policies in the following categories: hate. Use the free OpenAI Moderation API to identify "
     "these examples and remove them from your training data.", "moderation", []),
    ("invalid_training_file", INVALID + "This file failed moderation safety checks. To fine tune "
     "on this data, please try removing the flagged lines and uploading the file again. "
     "Flagged lines: 4, 13, 14, 18, 35 ...", "moderation", [4, 13, 14, 18, 35]),
    ("invalid_validation_file", "The job failed due to an invalid validation file. This training "
     "file was blocked by our moderation system because it contains too many examples that "
     "violate OpenAI's usage policies", "moderation", []),
    ("", "Expected file to have JSONL format, where every line is a JSON dictionary. Line 1 is not "
     'a dictionary (HINT: line starts with: "{\\"p...").', "invalid_jsonl", [1]),
    ("", "INVALID JSONL FILE ON LINE 12", "invalid_jsonl", [12]),
    ("model_not_available", "Model gpt-4o-mini is not available for fine-tuning or does not exist.",
     "model_not_available", []),
    ("", "Fine-tuning jobs cannot be created on an Explore plan. You can upgrade to a paid plan on "
     "your billing page: https://platform.openai.com/account/billing/overview", "plan", []),
    ("exceeded_quota", "You exceeded your current quota.", "exceeded_quota", []),
    ("", "1 validation error for Hyperparameters: invalid batch_size, extra fields not permitted",
     "invalid_hyperparameters", []),
    ("training_not_available", "OpenAI is winding down the fine-tuning platform and your "
     "organization is no longer able to create new fine-tuning training jobs.",
     "training_not_available", []),
    # the local server's own
    ("invalid_training_file", INVALID + "Invalid file format. Example 3 is not valid JSON: "
     "unexpected end of data", "invalid_training_file", [3]),
    ("out_of_memory", "There is not enough memory for this job.", "out_of_memory", []),
    ("trainer_stopped", "The training process ended 3 times without getting further; it may have "
     "been killed for want of memory.", "out_of_memory", []),
    ("disk_full", "The disk is full: free some space and run the job again.", "disk_full", []),
    ("server_error", "The trainer ended without a model.", "server_error", []),
]  # fmt: skip


@pytest.mark.parametrize(("code", "message", "expected", "examples"), SAID)
def test_what_services_say_has_a_remedy(
    code: str, message: str, expected: str, examples: list[int]
) -> None:
    entry = remedies.known(code, message)
    assert entry is not None
    assert entry.code == expected
    problem = remedies.job_problem(JobError(code, message), "ftjob-1")
    assert problem.remedy == entry.remedy
    assert problem.why == message
    assert problem.detail.get("examples", []) == examples


def test_lines_and_examples_are_counted_differently() -> None:
    assert remedies.counts_lines("Flagged lines: 4, 13")
    assert remedies.counts_lines("INVALID JSONL FILE ON LINE 12")
    assert not remedies.counts_lines("Invalid file format. Example 100, message 2 …")


def test_every_error_collected_from_services_is_among_them(shared: Path) -> None:
    """The collection (reference/providers.md, 2.7) may grow: then the table has to."""
    page = (shared / "reference" / "providers.md").read_text(encoding="utf-8")
    part = page.partition("### 2.7 ")[2].partition("\n---")[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 15
    for cells in rows:
        code = "".join(re.findall(r"`(\w+)`", cells[0]))
        assert remedies.known(code, cells[1]), f"no remedy for: {cells[1].strip()}"
