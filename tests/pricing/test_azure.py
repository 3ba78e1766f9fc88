"""Microsoft's meters: what is understood, what is left alone, and the refresh against a real server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date
from decimal import Decimal as D
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fttui import cli, paths
from fttui.commands.azure_prices import fetch_meters
from fttui.pricing import azure, catalog
from fttui.problem import Problem


def item(name: str, price: str, unit: str = "1K", **more: Any) -> dict[str, Any]:
    return {
        "meterName": name,
        "retailPrice": D(price),
        "unitOfMeasure": unit,
        "currencyCode": "USD",
        "type": "Consumption",
        "serviceName": "Cognitive Services",
        **more,
    }


# Names and figures as seen in the public list for East US 2.
NANO = [
    item("gpt-4.1-nano FT Training global Tokens", "0.0015"),
    item("gpt-4.1-nano FT Training regional Tokens", "0.00165"),
    item("gpt 4.1 nano dev ft training glbl Tokens", "0.00075"),
    item("gpt-4.1-nano-ft input global Tokens", "0.0001"),
    item("gpt-4.1-nano-ft output global Tokens", "0.0004"),
    item("gpt-4.1-nano-ft cached input global Tokens", "0.000025"),
    item("gpt-4.1-nano-ft input regional Tokens", "0.00011"),
    item("gpt-4.1-nano-ft output regional Tokens", "0.00044"),
    item("gpt-4.1-nano-ft hosting global Unit", "1.7", "1 Hour"),
    item("gpt-4.1-nano-ft hosting regional Unit", "1.7", "1Hour"),
    item("gpt-4.1-nano-dev-ft inpt glbl Tokens", "0.0001"),
    item("gpt-4.1-nano-dev-ft opt glbl Tokens", "0.0004"),
    item("gpt 4.1 nano Inp glbl Tokens", "0.0001"),
    item("gpt 4.1 nano Outp glbl Tokens", "0.0004"),
]
OTHERS = [
    item("gpt-4o-mini-0718-FT-Trng-glbl Tokens", "0.003"),
    item("gpt-4o-mini-0718-FT-Hstng-glbl Unit", "1.7", "1 Hour"),
    item("gpt-4o-0806-FT-Trng-glbl tkn Tokens", "0.025"),
]
NOISE = [
    item("gpt 4o 0513 Input global Tokens", "0.005"),
    item("gpt-4o-mini-transcribe-txt-inp-glbl Tokens", "0.001"),
    item("o4 mini ft hosting Dz", "1.7", "1 Hour"),
    item("gpt 4.1 nano batch Inp glbl Tokens", "0.00005"),
    item("gpt-35-turbo4K-FT-Hstng-glbl Unit", "3", "1 Hour"),
    item("gpt-4.1-nano-ft hosting global Unit", "30", "1/Month"),
    item("gpt-4.1-nano-ft input global Tokens", "9", type="Reservation"),
    item("R1 Inp glbl Tokens", "0.001"),
    {"meterName": None},
    {},
]


@pytest.mark.parametrize(
    ("meter", "expected"),
    [
        (NANO[0], ("gpt-4.1-nano-2025-04-14", "global", "training", D("1.5"))),
        (NANO[1], ("gpt-4.1-nano-2025-04-14", "regional", "training", D("1.65"))),
        (NANO[2], ("gpt-4.1-nano-2025-04-14", "developer", "training", D("0.75"))),
        (NANO[5], ("gpt-4.1-nano-2025-04-14", "global", "cached", D("0.025"))),
        (NANO[8], ("gpt-4.1-nano-2025-04-14", "global", "hosting", D("1.7"))),
        (NANO[11], ("gpt-4.1-nano-2025-04-14", "developer", "output", D("0.4"))),
        (OTHERS[0], ("gpt-4o-mini-2024-07-18", "global", "training", D(3))),
        (OTHERS[2], ("gpt-4o-2024-08-06", "global", "training", D(25))),
        (
            item("gpt-4.1-mini FT Training Tokens", "5", "1M"),
            ("gpt-4.1-mini-2025-04-14", "regional", "training", D(5)),
        ),
    ],
)
def test_meters_that_are_understood(meter: dict[str, Any], expected: tuple[Any, ...]) -> None:
    found = azure.read(meter)
    assert found
    assert (found.model, found.tier, found.kind, found.amount) == expected


@pytest.mark.parametrize("meter", NOISE)
def test_meters_that_are_left_alone(meter: dict[str, Any]) -> None:
    assert azure.read(meter) is None


class Server:
    """The list in two pages, on a local port."""

    def __init__(self, items: list[dict[str, Any]], status: int = 200, elsewhere: str = "") -> None:
        outer = self
        self.asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                second = "page=2" in self.path
                half = len(items) // 2
                page = items[half:] if second else items[:half]
                link = None if second else (elsewhere or f"{outer.url}?page=2")
                body = json.dumps({"Items": page, "NextPageLink": link}, default=float).encode()
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body if status == 200 else b"<html>")

            def log_message(self, *args: Any) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/api/retail/prices"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def serve() -> Iterator[Any]:
    started: list[Server] = []

    def start(*args: Any, **kwargs: Any) -> Server:
        started.append(Server(*args, **kwargs))
        return started[-1]

    yield start
    for server in started:
        server.http.shutdown()
        server.http.server_close()


def test_refresh_writes_prices_that_are_then_used(
    serve: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(NANO + OTHERS + NOISE)
    monkeypatch.setenv("FTTUI_AZURE_PRICES", server.url)
    assert cli.main(["cost", "--refresh-azure", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["meters"] == len(NANO) + len(OTHERS)
    assert "gpt-4o-mini-2024-07-18: training 3.000 USD (was not known)" in said["changes"]
    query = parse_qs(urlsplit(server.asked[0]).query)
    assert "armRegionName eq 'eastus2'" in query["$filter"][0]
    assert len(server.asked) == 2
    own = catalog.load()
    mini = own.find("gpt-4o-mini", "azure")
    assert mini.training
    assert (mini.training.amount, mini.training.as_of) == (3, date.today())
    assert "eastus2" in mini.training.source
    nano = own.find("gpt-4.1-nano", "azure")
    assert nano.tuned
    assert (nano.tuned.input, nano.tuned.cached, nano.tuned.output) == (
        D("0.1"),
        D("0.025"),
        D("0.4"),
    )
    developer = nano.at("developer")
    assert developer.hosting_hour
    assert developer.hosting_hour.amount == 0
    regional = nano.at("regional").tuned
    assert regional
    assert regional.output == D("0.44")


def test_a_refresh_that_finds_nothing_keeps_what_is_there(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = paths.config_dir() / "prices-azure.toml"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("# mine\n", encoding="utf-8")
    monkeypatch.setenv("FTTUI_AZURE_PRICES", serve(NOISE).url)
    assert cli.main(["cost", "--refresh-azure"]) == 2
    assert kept.read_text(encoding="utf-8") == "# mine\n"


@pytest.mark.parametrize("kind", ["refused", "status"])
def test_a_list_that_cannot_be_read(serve: Any, kind: str) -> None:
    if kind == "refused":
        gone = serve([])
        gone.http.server_close()
        url = gone.url.replace(str(gone.http.server_port), "1")
    else:
        url = serve(NANO, status=500).url
    with pytest.raises(Problem) as caught:
        list(fetch_meters("eastus2", "USD", url, timeout=5))
    assert caught.value.code == "azure_prices"


def test_a_next_page_on_another_host_is_not_followed(serve: Any) -> None:
    other = serve(NANO)
    with pytest.raises(Problem, match="cannot be read"):
        list(fetch_meters("eastus2", "USD", serve(NANO, elsewhere=other.url).url, timeout=5))
    assert other.asked == []


def test_nothing_asks_the_network_by_itself(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(NANO)
    monkeypatch.setenv("FTTUI_AZURE_PRICES", server.url)
    cli.main(["cost", "--tokens", "1000", "--model", "azure/gpt-4.1-nano"])
    assert server.asked == []
