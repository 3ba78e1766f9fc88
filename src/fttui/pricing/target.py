"""From the catalogue to what the dataset checks must know about a service and a model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fttui.dataset.target import Target, preset

if TYPE_CHECKING:
    from fttui.pricing.catalog import Catalog
    from fttui.pricing.records import Model

_LEGACY = ("babbage-002", "davinci-002")


def target(catalog: Catalog, model: Model, method: str = "supervised") -> Target:
    """The limits of `model` trained by `method`; a limit the catalogue lacks stays the service's own."""
    home = catalog.provider(model.provider)
    base = preset(model.provider)
    return replace(
        base,
        title=base.title if model.provider in ("openai", "azure", "local") else home.title,
        model=model.id,
        method=method,
        encoding=model.encoding,
        example_limit=model.example_limit or model.context or base.example_limit,
        context=model.tuned_context or model.context or base.context,
        min_examples=home.min_examples,
        max_images=base.max_images if model.image_max is None else model.image_max,
        max_image_bytes=home.image_bytes_max or base.max_image_bytes,
        upload_limit=home.file_max or base.upload_limit,
        vision=model.vision,
        wants_bom=home.bom,
        legacy=model.id in _LEGACY,
    )
