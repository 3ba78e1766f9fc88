"""From the tables of a price file to the catalogue's types; every problem names file, line and key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fttui.pricing.reader import Reader
from fttui.pricing.records import (
    METHODS,
    PER_HOUR,
    PER_MILLION,
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

_RATES = ("input", "output", "cached", "batch_input", "batch_cached", "batch_output")
_PROVENANCE = ("as_of", "source", "certain", "note", "currency")
Ranges = Mapping[str, Mapping[str, Hyperparameter]]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where figures come from unless they say so themselves."""

    as_of: date
    source: str
    certain: bool = True
    note: str = ""
    currency: str = "USD"

    def over(
        self, reader: Reader | None, sources: Mapping[str, str], note: str = "note"
    ) -> Provenance:
        """This, with what `reader`'s table says laid over it."""
        if reader is None:
            return self
        source = reader.text("source", "")
        note_given = note in reader.data
        return Provenance(
            reader.day("as_of") or self.as_of,
            sources.get(source, source) or self.source,
            reader.flag("certain", self.certain),
            reader.text(note, "") if note_given else self.note,
            reader.text("currency", self.currency),
        )


def price(
    reader: Reader, key: str, unit: str, origin: Provenance, sources: Mapping[str, str]
) -> Price | None:
    """`key` of `reader`: a bare number, or a table with an amount."""
    if not isinstance(reader.data.get(key), Mapping):
        amount = reader.number(key)
        if amount is None:
            return None
        return Price(
            amount, unit, origin.currency, origin.as_of, origin.source, origin.certain, origin.note
        )
    table = reader.table(key)
    assert table is not None
    amount = table.number("amount", required=True)
    unit = table.choice("unit", (PER_MILLION, PER_HOUR, "job"), unit)
    own = origin.over(table, sources)
    table.done()
    assert amount is not None
    return Price(amount, unit, own.currency, own.as_of, own.source, own.certain, own.note)


def rates(reader: Reader, key: str, origin: Provenance, sources: Mapping[str, str]) -> Rates | None:
    """`key` of `reader`: a table of token prices; input and output must be there."""
    table = reader.table(key)
    if table is None:
        return None
    amounts = {name: table.number(name, required=name in ("input", "output")) for name in _RATES}
    own = origin.over(table, sources)
    table.done()
    first, last = amounts.pop("input"), amounts.pop("output")
    assert first is not None
    assert last is not None
    return Rates(
        input=first,
        output=last,
        **amounts,
        currency=own.currency,
        as_of=own.as_of,
        source=own.source,
        certain=own.certain,
        note=own.note,
    )


def hyperparameters(reader: Reader) -> Ranges:
    """One provider family's ranges: method → name → range."""
    found: dict[str, dict[str, Hyperparameter]] = {}
    for method in reader.data:
        table = reader.table(method)
        assert table is not None
        found[method] = {}
        for name in table.data:
            row = table.table(name)
            assert row is not None
            found[method][name] = Hyperparameter(
                name,
                row.choice("kind", ("int", "number", "choice", "bool")),
                row.flag("auto", False),
                row.number("min"),
                row.number("max"),
                row.number("above"),
                row.texts("choices"),
            )
            row.done()
    return found


class Defaults:
    """A provider's default provenance for each kind of price."""

    def __init__(self, reader: Reader, sources: Mapping[str, str]) -> None:
        source = reader.text("source")
        base = Provenance(
            reader.day("as_of") or date.min,
            sources.get(source, source),
            currency=reader.text("currency", "USD"),
        )
        table = reader.table("default")
        self._base = base
        self._of: dict[str, Provenance] = {}
        for kind in ("training", "rates", "hosting") if table else ():
            assert table is not None
            own = table.table(kind)
            self._of[kind] = base.over(own, sources)
            if own is not None:
                own.done()
        if table is not None:
            table.done()

    def of(self, kind: str) -> Provenance:
        return self._of.get(kind, self._base)


def provider(
    id: str, reader: Reader, families: Mapping[str, Ranges], sources: Mapping[str, str]
) -> tuple[Provider, Defaults]:
    defaults = Defaults(reader, sources)
    base = defaults.of("")
    family = reader.text("hyperparameters", "openai")
    if family not in families:
        reader.fail("hyperparameters", f"{family!r} is none of {', '.join(families)}")
    statuses = reader.table("status_map")
    made = Provider(
        id=id,
        title=reader.text("title"),
        base_url=reader.text("base_url"),
        key_env=reader.text("key_env", ""),
        placement=reader.choice("placement", ("method", "top-level"), "method"),
        methods=reader.texts("methods"),
        supports=frozenset(reader.texts("supports")),
        unverified=frozenset(reader.texts("unverified")),
        hyperparameters=families[family],
        validation_billed=reader.choice("validation_billed", ("no", "yes", "unknown"), "unknown"),
        source=base.source,
        as_of=base.as_of,
        console=reader.text("console", ""),
        billing=reader.text("billing", ""),
        needs_deploy=reader.flag("needs_deploy", False),
        extra_body=tuple(_extra(row) for row in reader.tables("extra_body")),
        tiers=tuple(_tier(row) for row in reader.tables("tier")),
        default_tier=reader.text("default_tier", ""),
        bom=reader.flag("bom", False),
        **{
            key: reader.whole(key)
            for key in (
                "file_max",
                "upload_max",
                "portal_file_max",
                "file_tokens_max",
                "image_max",
                "image_bytes_max",
                "image_low_tokens",
                "checkpoints_kept",
                "jobs_max",
                "jobs_at_once",
                "deployments_max",
                "deploy_minutes",
                "deploy_capacity",
            )
        },
        min_examples=reader.whole("min_examples") or 1,
        suffix_max=reader.whole("suffix_max") or 64,
        minimum_job=price(reader, "minimum_job", "job", base, sources),
        reinforcement_cap=price(reader, "reinforcement_cap", "job", base, sources),
        status_map={word: statuses.text(word) for word in list(statuses.data)} if statuses else {},
        training_note=reader.text("training_note", ""),
        deploy_note=reader.text("deploy_note", ""),
        not_included=reader.texts("not_included"),
        notes=reader.texts("notes"),
    )
    if statuses:
        statuses.done()
    reader.done()
    return made, defaults


def _extra(row: Reader) -> ExtraField:
    made = ExtraField(
        row.text("name"), row.texts("choices"), row.text("default", ""), row.text("note", "")
    )
    row.done()
    return made


def _tier(row: Reader) -> TierInfo:
    made = TierInfo(
        row.text("id"),
        row.text("title"),
        row.text("training_type"),
        row.text("sku"),
        row.text("note", ""),
        row.whole("idle_days"),
        row.whole("lifetime_hours"),
    )
    row.done()
    return made


def model(
    reader: Reader,
    home: Provider,
    defaults: Defaults,
    sources: Mapping[str, str],
    fallback: Provenance | None = None,
) -> Model:
    """One row. `fallback`: provenance of prices the user wrote without saying where from."""
    given = reader.data.keys() & {*_PROVENANCE, "price_note"}

    def origin(kind: str) -> Provenance:
        base = fallback or defaults.of(kind)
        return base.over(reader, sources, "price_note") if given else base

    training = origin("training")
    token = origin("rates")
    hosting = origin("hosting")
    methods = reader.texts("methods")
    for method in methods:
        if method not in METHODS:
            reader.fail("methods", f"{method!r} is none of {', '.join(METHODS)}")
    plain = origin("")
    dates = reader.text("dates_source", "")
    made = Model(
        id=reader.text("id"),
        provider=home.id,
        title=reader.text("title"),
        methods=methods,
        encoding=reader.choice("encoding", ("o200k_base", "cl100k_base"), "o200k_base"),
        source=plain.source,
        as_of=plain.as_of,
        aliases=reader.texts("aliases"),
        vision=reader.flag("vision", False),
        training=price(reader, "training", PER_MILLION, training, sources),
        tuned=rates(reader, "tuned", token, sources),
        tuned_shared=rates(reader, "tuned_shared", token, sources),
        base=rates(reader, "base", token, sources),
        hosting_hour=price(reader, "hosting", PER_HOUR, hosting, sources),
        tier=home.default_tier,
        tiers=_tiers(reader, (training, token, hosting), sources),
        context=reader.whole("context"),
        tuned_context=reader.whole("tuned_context"),
        max_output=reader.whole("max_output"),
        example_limit=reader.whole("example_limit"),
        image_max=reader.whole("image_max") if "image_max" in reader.data else home.image_max,
        encoding_exact=reader.flag("encoding_exact", True),
        training_ends=reader.day("training_ends"),
        tuned_ends=reader.day("tuned_ends"),
        base_ends=reader.day("base_ends"),
        dates_source=sources.get(dates, dates) or sources.get("openai-deprecations", ""),
        dates_note=reader.text("dates_note", ""),
        replacement=reader.text("replacement", ""),
        regions=_regions(reader),
        seen=tuple(_seen(row, plain, sources) for row in reader.tables("seen")),
        hyperparameters=home.hyperparameters,
        placement=home.placement,
        note=reader.text("note", ""),
    )
    reader.asked |= {"provider", "price_note", *_PROVENANCE}
    reader.done()
    return made


def _tiers(
    reader: Reader,
    origins: tuple[Provenance, Provenance, Provenance],
    sources: Mapping[str, str],
) -> dict[str, TierPrices]:
    table = reader.table("tier")
    found: dict[str, TierPrices] = {}
    for name in table.data if table else ():
        assert table is not None
        row = table.table(name)
        assert row is not None
        found[name] = TierPrices(
            price(row, "training", PER_MILLION, origins[0], sources),
            rates(row, "tuned", origins[1], sources),
            price(row, "hosting", PER_HOUR, origins[2], sources),
        )
        row.done()
    return found


def _regions(reader: Reader) -> dict[str, tuple[str, ...]]:
    table = reader.table("regions")
    return {name: table.texts(name) for name in table.data} if table else {}


def _seen(row: Reader, origin: Provenance, sources: Mapping[str, str]) -> Seen:
    amount: Decimal | None = row.number("amount", required=True)
    assert amount is not None
    own = origin.over(row, sources)
    unit = row.choice("unit", (PER_MILLION, PER_HOUR, "job"), PER_MILLION)
    made = Seen(
        row.text("kind"),
        row.text("tier", ""),
        Price(amount, unit, own.currency, own.as_of, own.source, own.certain, own.note),
    )
    row.done()
    return made
