"""The catalogue: providers, models, limits, prices and dates, read from catalog.toml when first asked.

A user's own figures come from prices.toml in the config directory (and from prices-azure.toml, which
`fttui cost --refresh-azure` writes); they are laid over the shipped ones key by key.
"""

from __future__ import annotations

import difflib
import functools
import gc
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fttui import paths
from fttui.pricing import build
from fttui.pricing.reader import Origin, Reader
from fttui.pricing.records import (
    ExtraField,
    Hyperparameter,
    Model,
    Price,
    Provider,
    Rates,
    Seen,
    TierInfo,
    TierPrices,
)
from fttui.problem import Problem

if TYPE_CHECKING:
    from fttui.dataset.target import Target

__all__ = [
    "Catalog",
    "ExtraField",
    "Hyperparameter",
    "Model",
    "Price",
    "Provider",
    "Rates",
    "Seen",
    "TierInfo",
    "TierPrices",
    "load",
    "load_or_shipped",
    "override_files",
    "shipped",
]

SHIPPED = Path(__file__).with_name("catalog.toml")
_CHECKPOINT = re.compile(r":ckpt-step-\d+$")
_AZURE_TUNED = re.compile(r"^(?P<base>.+?)\.ft-[0-9a-f]+")


@dataclass(frozen=True)
class Catalog:
    """Everything known, by provider. `problem`: an override file that could not be used."""

    as_of: date
    stale_days: int
    sources: Mapping[str, str]
    providers: Mapping[str, Provider]
    rows: tuple[Model, ...]
    problem: Problem | None = None
    _names: Mapping[tuple[str, str], Model] = field(default_factory=dict, repr=False)

    def models(self, provider: str | None = None) -> tuple[Model, ...]:
        """The models of one provider, or of all, in the catalogue's order."""
        if provider is None:
            return self.rows
        self.provider(provider)
        return tuple(model for model in self.rows if model.provider == provider)

    def provider(self, name: str) -> Provider:
        """The provider called `name`; an unknown one is a Problem with near names."""
        found = self.providers.get(name)
        if found is None:
            raise _unknown("provider", name, self.providers)
        return found

    def find(self, name: str, provider: str | None = None) -> Model:
        """The model `name` means: a base, an alias, `provider/model`, a tuned model or a checkpoint.

        `ft:BASE:ORG:SUFFIX:ID[:ckpt-step-N]` and Azure's `BASE.ft-HEX` give their base. Without a
        provider the first that has the model answers, in the catalogue's order.
        """
        wanted = name.strip()
        head, _, rest = wanted.partition("/")
        known = any((home, wanted) in self._names for home in self.providers)
        if provider is None and head in self.providers and rest and not known:
            provider, wanted = head, rest  # but openai/gpt-oss-20b is itself a model's name
        homes = [provider] if provider else list(self.providers)
        if provider:
            self.provider(provider)
        if provider is None and _AZURE_TUNED.match(wanted):
            homes.sort(key=lambda home: home != "azure")
        for base in _bases(wanted):
            for home in homes:
                found = self._names.get((home, base))
                if found is not None:
                    return found
        names = [m.id for m in self.rows if m.provider in homes]
        raise _unknown("model", name, dict.fromkeys(names), provider or "")

    def get(self, name: str, provider: str | None = None) -> Model | None:
        """Like find, but None for a model that is not in the catalogue."""
        try:
            return self.find(name, provider)
        except Problem:
            return None

    def cheapest(self, provider: str, today: date, method: str = "supervised") -> Model | None:
        """The trainable model with the lowest training price, None where no price is known."""
        open_ = [
            model
            for model in self.models(provider)
            if model.can_train(today) and method in model.methods and model.training is not None
        ]
        return min(
            open_, key=lambda m: m.training.amount if m.training else Decimal(0), default=None
        )

    def stale(self, price: Price | Rates, today: date) -> bool:
        """True where a figure is older than the catalogue's own limit."""
        return (today - price.as_of).days > self.stale_days

    def with_shutdowns(self, dates: Mapping[str, date | None], provider: str) -> Catalog:
        """The catalogue with the `shutdown_date`s a provider's GET /v1/models gave, which win."""
        rows = tuple(
            model.with_shutdown(dates.get(model.id)) if model.provider == provider else model
            for model in self.rows
        )
        return replace(self, rows=rows, _names=_index(rows))

    def target(self, model: Model, method: str = "supervised") -> Target:
        """What the dataset checks must know about `model` (a `dataset.target.Target`)."""
        from fttui.pricing.target import target

        return target(self, model, method)


def _bases(name: str) -> Iterable[str]:
    """The names a model may stand under, nearest first."""
    yield name
    if name.startswith("ft:"):
        base = _CHECKPOINT.sub("", name)[3:].split(":")[0]
        if base:
            yield base
    tuned = _AZURE_TUNED.match(name)
    if tuned:
        yield tuned["base"]
    lower = name.lower()
    if lower != name:
        yield from _bases(lower)


def _index(rows: Iterable[Model]) -> dict[tuple[str, str], Model]:
    names: dict[tuple[str, str], Model] = {}
    for model in rows:
        for name in (model.id, model.id.lower(), *model.aliases):
            names.setdefault((model.provider, name), model)
    return names


def _unknown(kind: str, name: str, known: Iterable[str], home: str = "") -> Problem:
    names = list(known)
    lower = {n.lower(): n for n in names}
    near = difflib.get_close_matches(name.lower().removeprefix("ft:").split(":")[0], lower, 3, 0.4)
    near_names = [lower[n] for n in near] or names[:3]
    at = f" at {home}" if home else ""
    return Problem(
        f"unknown {kind} {name!r}",
        f"the catalogue has no such {kind}{at}",
        (f"did you mean {', '.join(near_names)}? " if near_names else "")
        + "Your own go into prices.toml (docs/pricing.md).",
        code=f"unknown_{kind}",
    )


# ------------------------------------------------------------------------------------- reading


@dataclass(frozen=True)
class _File:
    name: str
    text: str
    data: dict[str, Any]
    modified: date | None  # None: the shipped file, whose figures carry their own dates


def override_files() -> tuple[Path, ...]:
    """The user's price files that are looked for, weakest first."""
    return paths.config_dir() / "prices-azure.toml", paths.config_dir() / "prices.toml"


def load(overrides: Path | None = None) -> Catalog:
    """The catalogue with the user's figures laid over it (`overrides` instead, where given).

    Read once and kept until a file changes. A file that cannot be used raises a Problem naming file,
    line and key.
    """
    files = (overrides,) if overrides is not None else override_files()
    return _load(tuple((path, stamp) for path in files if (stamp := _stamp(path)) is not None))


def shipped() -> Catalog:
    """The catalogue as it was shipped, without anyone's own figures."""
    return _load(())


def load_or_shipped() -> Catalog:
    """Like load, but a broken override file leaves the shipped figures and is told in `.problem`."""
    try:
        return load()
    except Problem as problem:
        return replace(shipped(), problem=problem)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


@functools.lru_cache(maxsize=8)
def _load(files: tuple[tuple[Path, tuple[int, int]], ...]) -> Catalog:
    collecting = gc.isenabled()
    gc.disable()  # thousands of small objects that all stay: collecting them is a third of the time
    try:
        read = [_read(SHIPPED, None)]
        for path, (modified, _) in files:
            day = datetime.fromtimestamp(modified // 1_000_000_000, UTC).date()
            read.append(_read(path, day))
        return _make(read)
    finally:
        if collecting:
            gc.enable()


def _read(path: Path, modified: date | None) -> _File:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return _File(str(path), text, tomllib.loads(text, parse_float=Decimal), modified)
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(
            f"{path} cannot be read", str(error), "correct or remove the file", code="price_file"
        ) from error
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        raise Problem(
            f"{path}:{line}: not valid TOML",
            str(error),
            "correct the line, or remove the file to use the shipped figures",
            code="price_file",
            detail={"file": str(path), "line": line},
        ) from error


def _make(files: list[_File]) -> Catalog:
    shipped = files[0].data
    sources = dict(shipped["source"])
    providers, provider_origins = _merge_providers(files)
    models = _merge_models(files)
    families = {
        name: build.hyperparameters(
            Reader(table, (_origin(files[0], f"[hyperparameters.{name}]", 0, table),), name)
        )
        for name, table in shipped["hyperparameters"].items()
    }
    for file in files[1:]:
        sources |= file.data.get("source", {})
    homes: dict[str, Provider] = {}
    defaults: dict[str, build.Defaults] = {}
    for name, table in providers.items():
        reader = Reader(table, provider_origins[name], f"provider.{name}")
        homes[name], defaults[name] = build.provider(name, reader, families, sources)
    rows = tuple(
        _model(table, origins, day, homes, defaults, sources) for table, origins, day in models
    )
    meta = shipped["meta"]
    return Catalog(meta["as_of"], meta["stale_days"], sources, homes, rows, _names=_index(rows))


def _origin(file: _File, header: str, index: int, table: Any) -> Origin:
    keys = frozenset(table) if isinstance(table, Mapping) else frozenset()
    return Origin(file.name, file.text, header, index, keys)


def _top(file: _File) -> None:
    """Refuse what is no part of a price file."""
    known = {"meta", "source", "hyperparameters", "provider", "model"}
    for key, value in file.data.items():
        wanted = list if key == "model" else dict
        if key not in known or not isinstance(value, wanted):
            reader = Reader(file.data, (_origin(file, "", 0, file.data),), "")
            shape = "[[model]]" if key == "model" else "[provider.NAME]"
            why = f"expected {shape}" if key in known else f"a price file has {', '.join(known)}"
            reader.fail(key, why)


def _merge_providers(
    files: list[_File],
) -> tuple[dict[str, dict[str, Any]], dict[str, tuple[Origin, ...]]]:
    tables: dict[str, dict[str, Any]] = {}
    origins: dict[str, tuple[Origin, ...]] = {}
    for file in files:
        _top(file)
        for name, table in file.data.get("provider", {}).items():
            origin = _origin(file, f"[provider.{name}]", 0, table)
            origins[name] = (*origins.get(name, ()), origin)
            given = Reader(table, (origin,), f"provider.{name}").data
            fresh = {"source": file.name, "as_of": file.modified} if file.modified else {}
            tables[name] = {**tables.get(name, fresh), **given}
    return tables, origins


_Row = tuple[dict[str, Any], tuple[Origin, ...], "date | None"]


def _merge_models(files: list[_File]) -> list[_Row]:
    rows: dict[tuple[str, str], _Row] = {}
    for file in files:
        for index, table in enumerate(file.data.get("model", [])):
            origin = _origin(file, "[[model]]", index, table)
            reader = Reader(table, (origin,), f"model[{index + 1}]")
            key = (reader.text("provider"), reader.text("id"))
            data = dict(table)
            if file.modified:
                _sign(data, file)
            old = rows.get(key)
            if old is None:
                rows[key] = (data, (origin,), file.modified)
            else:
                tiers = {**old[0].get("tier", {}), **_mapping(data.get("tier"))}
                merged = {**old[0], **data, **({"tier": tiers} if tiers else {})}
                rows[key] = (merged, (*old[1], origin), old[2])
    return list(rows.values())


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sign(data: dict[str, Any], file: _File) -> None:
    """Give every price of a user's file its own source and date, so that a merge cannot mix them.

    What the entry says once for all its prices (as_of, source, certain, currency) goes into each.
    """
    own = {
        "as_of": data.pop("as_of", file.modified),
        "source": data.pop("source", Path(file.name).name),
        "certain": data.pop("certain", True),
        "note": data.pop("price_note", ""),
    }
    if "currency" in data:
        own["currency"] = data.pop("currency")

    def sign(table: dict[str, Any]) -> None:
        for key in ("training", "hosting", "tuned", "tuned_shared", "base"):
            value = table.get(key)
            if isinstance(value, Mapping):
                table[key] = {**own, **value}
            elif isinstance(value, int | Decimal) and not isinstance(value, bool):
                table[key] = {"amount": value, **own}

    sign(data)
    if isinstance(data.get("tier"), Mapping):
        data["tier"] = {name: dict(_mapping(row)) or row for name, row in data["tier"].items()}
        for row in data["tier"].values():
            if isinstance(row, dict):
                sign(row)


def _model(
    table: dict[str, Any],
    origins: tuple[Origin, ...],
    modified: date | None,
    homes: Mapping[str, Provider],
    defaults: Mapping[str, build.Defaults],
    sources: Mapping[str, str],
) -> Model:
    name = table["id"]
    reader = Reader(table, origins, f"model {name}")
    home = table["provider"]
    if home not in homes:
        reader.fail("provider", f"{home!r} is none of {', '.join(homes)}")
    fallback = None
    if modified is not None:  # a model of the user's own
        fallback = build.Provenance(modified, Path(origins[0].file).name)
    return build.model(reader, homes[home], defaults[home], sources, fallback)
