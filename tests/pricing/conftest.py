"""The shipped catalogue and the day the reference was written."""

from __future__ import annotations

from datetime import date

import pytest

from fttui.pricing.catalog import Catalog, shipped


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return shipped()


@pytest.fixture(scope="session")
def today() -> date:
    return date(2026, 11, 21)
