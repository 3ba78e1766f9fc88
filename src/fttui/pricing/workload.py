"""A dataset in the numbers that pricing needs, taken from a scan's report."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fttui.dataset.report import Report
from fttui.pricing.estimate import Estimate, Hours, training, truncate
from fttui.pricing.money import divide
from fttui.pricing.records import Model
from fttui.pricing.use import Traffic


@dataclass(frozen=True, slots=True)
class Workload:
    """What is trained on. Tokens are of one epoch, in the model's encoding, images included.

    prompt_tokens, answer_tokens: of the median example. system_tokens: of all system prompts.
    """

    examples: int = 0
    tokens: int = 0
    trained_tokens: int | None = None
    validation_tokens: int = 0
    truncated_tokens: int = 0
    truncated_examples: int = 0
    image_tokens: int = 0
    images_unknown: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    system_tokens: int = 0
    systems: int = 0
    format: str = ""

    @property
    def system_share(self) -> Decimal:
        """The share of the tokens that are system prompts, 0 to 1."""
        return divide(self.system_tokens, self.tokens) if self.tokens else Decimal(0)

    @property
    def system_per_example(self) -> int:
        """System-prompt tokens an example carries, on average: what a tuned model may not need."""
        return self.system_tokens // self.examples if self.examples else 0

    def traffic(self, requests: int = 10_000) -> Traffic:
        """A month of requests shaped like the dataset's own median example."""
        return Traffic(requests, self.prompt_tokens, self.answer_tokens)

    def estimate(
        self,
        model: Model,
        *,
        epochs: int | None = None,
        method: str = "supervised",
        hours: Hours | None = None,
    ) -> Estimate:
        """The training bill of this workload."""
        return training(
            model,
            tokens=self.tokens,
            trained_tokens=self.trained_tokens,
            examples=self.examples,
            epochs=epochs,
            method=method,
            validation_tokens=self.validation_tokens,
            truncated_tokens=self.truncated_tokens,
            truncated_examples=self.truncated_examples,
            image_tokens=self.image_tokens,
            images_unknown=self.images_unknown,
            hours=hours,
        )


def from_report(report: Report, model: Model) -> Workload:
    """The workload of a scanned file for `model`, cut at its limit for one example."""
    stats, counts = report.stats, report.tokens
    kept, cut, cut_examples = truncate(counts.per_example, model.example_limit)
    validation = 0
    if report.validation is not None:
        validation, _, _ = truncate(report.validation.tokens.per_example, model.example_limit)
    return Workload(
        examples=report.examples,
        tokens=kept,
        trained_tokens=counts.trained if not cut else None,
        validation_tokens=validation,
        truncated_tokens=cut,
        truncated_examples=cut_examples,
        image_tokens=counts.images,
        images_unknown=counts.images_unknown,
        prompt_tokens=stats.prompt.get(50, 0),
        answer_tokens=stats.answer.get(50, 0),
        system_tokens=sum(tokens for _, _, tokens in stats.systems),
        systems=len(stats.systems),
        format=report.format,
    )
