"""A service that refuses, one way a scenario, with the answers providers are known to give.

    python tests/service/door_server.py [PORT] [--config FILE]

The first part of the path chooses the scenario: http://127.0.0.1:PORT/SCENARIO/v1. With --config a
configuration is written with one profile a scenario, to open each door by hand:

    FTTUI_HOME=/tmp/doors python -m fttui --profile quota

Wordings: the providers' documentation and public issue threads of 2026-11; where only the text of a
refusal is public, and not its status or code, the scenario says so in its `note`.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

JOBS = r"/fine_tuning/jobs"
LAUNCH = ("POST", JOBS)
CHAT = ("POST", "/chat/completions")
ALL = ("GET|POST", ".*")
LIST = ("GET", ".*")


@dataclass(frozen=True)
class Scenario:
    """where: method and path that are refused. kind: of the profile. key: what is sent, harmless.
    model: the one to ask for; the message may name it as {model}."""

    where: tuple[str, str]
    status: int
    message: str
    code: str | None
    type: str = "invalid_request_error"
    kind: str = "openai"
    key: str = "sk-proj-fttuiFakeKeyOfTheDoorServer00"
    door: str = ""
    model: str = "gpt-4.1-mini-2025-04-14"
    headers: tuple[tuple[str, str], ...] = ()
    note: str = ""
    settings: str = ""  # more lines of its profile

    def body(self) -> dict[str, Any]:
        message = self.message.replace("{model}", self.model)
        error = {"message": message, "type": self.type, "param": None, "code": self.code}
        if self.kind == "azure":
            error = {"code": self.code, "message": message}
        return {"error": error}


AZURE_KEY = "0123456789abcdef" * 2
SCENARIOS: dict[str, Scenario] = {
    "training-closed": Scenario(
        LAUNCH, 403,
        "OpenAI is winding down the fine-tuning platform and your organization is no longer able to "
        "create new fine-tuning training jobs.",
        "training_not_available", door="training_closed",
    ),
    "plan": Scenario(
        LAUNCH, 403,
        "Fine-tuning jobs cannot be created on an Explore plan. You can upgrade to a paid plan on your "
        "billing page: https://platform.openai.com/account/billing/overview",
        None, door="plan", note="only the text is public",
    ),
    "quota": Scenario(
        CHAT, 429,
        "You exceeded your current quota, please check your plan and billing details. For more "
        "information on this error, read the docs: "
        "https://platform.openai.com/docs/guides/error-codes/api-errors.",
        "insufficient_quota", "insufficient_quota", door="quota",
    ),
    "quota-launch": Scenario(
        LAUNCH, 429, "You exceeded your current quota, please check your plan and billing details.",
        "exceeded_quota", door="quota", note="the code is public, the wording is not",
    ),
    "retired": Scenario(
        CHAT, 404,
        "The model `{model}` has been deprecated, learn more here: "
        "https://platform.openai.com/docs/deprecations",
        "model_not_found", door="retired", model="gpt-4.1-nano-2025-04-14",
    ),
    "retired-azure": Scenario(
        CHAT, 410,
        "The model '{model}' is retired and is no longer available.",
        "ModelDeprecated", kind="azure", key=AZURE_KEY, door="retired", model="gpt-4o-2024-05-13",
        note="410 Gone is documented, the wording is not",
    ),
    "retired-tuned": Scenario(
        CHAT, 404, "The model `{model}` does not exist or you do not have access to it.",
        "model_not_found", door="retired", model="ft:gpt-4.1-nano-2025-04-14:acme::AbC12345",
    ),
    "unknown-model": Scenario(
        CHAT, 404,
        "The model `{model}` does not exist or you do not have access to it.",
        "model_not_found", door="missing_model", model="ft:gpt-4.1-mini-2025-04-14:acme::AbC12345",
    ),
    "unverified": Scenario(
        CHAT, 403,
        "Your organization must be verified to use the model `{model}`. Please go to: "
        "https://platform.openai.com/settings/organization/general and click on Verify Organization. "
        "If you just verified, it can take up to 15 minutes for access to propagate.",
        "model_not_found", door="unverified", model="o4-mini-2025-04-16",
    ),
    "missing-role": Scenario(
        LAUNCH, 403,
        "You have insufficient permissions for this operation. Missing scopes: "
        "api.fine_tuning.jobs.write. Check that you have the correct role in your organization (Reader, "
        "Writer, Owner) and project (Member, Owner), and if you're using a restricted API key, that it "
        "has the necessary scopes.",
        None, door="missing_role",
    ),
    "missing-role-list": Scenario(
        LIST, 403,
        "You have insufficient permissions for this operation. Missing scopes: "
        "api.fine_tuning.jobs.read.",
        None, door="missing_role",
    ),
    "missing-role-azure": Scenario(
        LAUNCH, 401,
        "The principal `11111111-2222-3333-4444-555555555555` lacks the required data action "
        "`Microsoft.CognitiveServices/accounts/OpenAI/fine-tunes/write` to perform `POST "
        "/openai/v1/fine_tuning/jobs` operation.",
        "PermissionDenied", kind="azure", key=AZURE_KEY, door="missing_role",
    ),
    "wrong-endpoint": Scenario(
        ALL, 401,
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a "
        "valid key for an active subscription and use a correct regional API endpoint for your resource.",
        "401", kind="azure", door="wrong_endpoint",
    ),
    "wrong-endpoint-openai": Scenario(
        ALL, 401, "Incorrect API key provided: 01234567************************cdef. You can find your "
        "API key at https://platform.openai.com/account/api-keys.",
        "invalid_api_key", key=AZURE_KEY, door="wrong_endpoint",
    ),
    "wrong-region": Scenario(
        ALL, 401,
        "Attempted to access resource with incorrect regional hostname. Please make your request to "
        "eu.api.openai.com",
        "incorrect_hostname", door="wrong_address",
    ),
    "api-version": Scenario(
        ALL, 400, "api-version query parameter is not allowed when using /v1 path", "BadRequest",
        kind="azure", key=AZURE_KEY, door="wrong_address", note="status and gist are documented",
    ),
    "wrong-organization": Scenario(
        ALL, 401, "OpenAI-Organization header should match organization for API key",
        "mismatched_organization", door="wrong_organization", settings='organization = "org-of-others"',
    ),
    "key-refused": Scenario(
        ALL, 401,
        "Incorrect API key provided: sk-proj-********************************er00. You can find your "
        "API key at https://platform.openai.com/account/api-keys.",
        "invalid_api_key", door="key_refused",
    ),
    "no-key": Scenario(ALL, 401, "You didn't provide an API key.", None, key="", door="no_key"),
    "deactivated": Scenario(
        ALL, 401,
        "The OpenAI account associated with this API key has been deactivated. If you are the owner of "
        "this account and believe this is an error, please contact us through our help center at "
        "help.openai.com.",
        "account_deactivated", door="deactivated",
    ),
    "country": Scenario(
        ALL, 403, "Country, region, or territory not supported",
        "unsupported_country_region_territory", "request_forbidden", door="country",
    ),
    "address": Scenario(
        ALL, 401, "Your IP is not authorized to access this project.", "ip_not_authorized", door="address",
        note="only the code is public",
    ),
    "open": Scenario(("NONE", "x"), 500, "", None),  # everything works: for `fttui doctor`
}  # fmt: skip

TUNED = "ft:gpt-4.1-mini-2025-04-14:acme:orders:Bq7xYz12"


def jobs() -> list[dict[str, Any]]:
    day = int(time.time()) - 86_400
    rows = [
        ("orders", "succeeded", TUNED),
        ("refunds", "failed", None),
        ("first-try", "succeeded", TUNED[:-2] + "01"),
    ]
    return [
        {
            "object": "fine_tuning.job", "id": f"ftjob-door{number:04d}", "status": status,
            "model": "gpt-4.1-mini-2025-04-14", "created_at": day - 40_000 * number,
            "finished_at": day - 40_000 * number + 900, "fine_tuned_model": tuned,
            "user_provided_suffix": name, "training_file": "file-door", "validation_file": None,
            "organization_id": "org-acme", "result_files": [], "trained_tokens": 184_000, "seed": 42,
            "error": {"code": "exceeded_quota", "message": "The job failed for billing reasons.",
                      "param": None} if status == "failed" else {},
            "hyperparameters": {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 1.8},
        }
        for number, (name, status, tuned) in enumerate(rows)
    ]  # fmt: skip


def models() -> list[dict[str, Any]]:
    names = ("gpt-4.1-mini-2025-04-14", "gpt-4.1-2025-04-14", "o4-mini-2025-04-16", TUNED,
             "ft:gpt-4.1-nano-2025-04-14:acme::AbC12345")  # fmt: skip
    return [
        {"id": name, "object": "model", "created": 1_745_000_000, "owned_by": "acme",
         "shutdown_date": "2027-01-14" if "mini-2025-04" in name else None}
        for name in names
    ]  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: DoorServer

    def do_GET(self) -> None:
        self._do()

    def do_POST(self) -> None:
        self._do()

    def do_DELETE(self) -> None:
        self._do()

    def _do(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        found = re.fullmatch(r"/([\w-]+)(?:/openai)?/v1(/[^?]*)?(\?.*)?", self.path)
        if not found or found[1] not in SCENARIOS:
            self._say(404, {"error": {"message": f"Invalid URL ({self.command} {self.path})"}})
            return
        name, path = found[1], found[2] or "/"
        self.server.asked.append((name, self.command, path))
        scenario = SCENARIOS[name]
        verbs, pattern = scenario.where
        if re.fullmatch(verbs, self.command) and re.fullmatch(pattern, path):
            self._say(scenario.status, scenario.body(), dict(scenario.headers))
        else:
            self._say(*self._usual(path, raw))

    def _usual(self, path: str, raw: bytes) -> tuple[int, Any]:
        """What works, as far as these doors need it."""
        listed = {"/models": models(), JOBS: jobs(), "/files": []}
        if self.command == "GET" and path in listed:
            return 200, {"object": "list", "data": listed[path], "has_more": False}
        job = re.fullmatch(rf"{JOBS}/([^/]+)(/\w[\w-]*)?", path)
        if self.command == "GET" and job:
            known = next((row for row in jobs() if row["id"] == job[1]), None)
            if job[2] in ("/events", "/checkpoints") and known:
                return 200, {"object": "list", "data": [], "has_more": False}
            if job[2] in ("/cancel", "/pause"):
                return 405, error("Not allowed to GET on this route.", None)
            if job[2] not in (None, "/events", "/checkpoints"):
                return 404, error(f"Invalid URL (GET /v1{path})", None)
            if known:
                return 200, known
            return 404, error(f"Could not find fine tune: {job[1]}", "fine_tune_not_found")
        if self.command == "POST" and path == "/files":
            return 200, {"id": "file-door", "object": "file", "bytes": len(raw), "filename": "x.jsonl",
                         "created_at": int(time.time()), "purpose": "fine-tune", "status": "processed"}  # fmt: skip
        if self.command == "GET" and path.startswith("/files/"):
            return 200, {"id": "file-door", "object": "file", "status": "processed"}
        if self.command == "POST" and path == JOBS and not json.loads(raw or b"{}").get("model"):
            return 400, error("you must provide a model parameter", None)
        if self.command == "POST" and path == CHAT[1]:
            return 404, error(
                "The model `…` does not exist or you do not have access to it.", "model_not_found"
            )
        return 404, error(f"Invalid URL ({self.command} /v1{path})", None)

    def _say(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        raw = json.dumps(body).encode()
        self.send_response_only(status)
        told = {
            "date": formatdate(time.time(), usegmt=True),
            "content-type": "application/json",
            "content-length": str(len(raw)),
            "x-request-id": "req_0123456789abcdef",
            "openai-organization": "acme",
            **self.server.told,
            **(headers or {}),
        }
        for name, value in told.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None:
        pass


def error(message: str, code: str | None) -> dict[str, Any]:
    return {
        "error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    }


class DoorServer(ThreadingHTTPServer):
    """`with DoorServer() as server:` serves in a thread; `url(scenario)` is a profile's address."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.asked: list[tuple[str, str, str]] = []
        self.told: dict[str, str] = {}  # headers of every answer

    def __enter__(self) -> DoorServer:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def url(self, scenario: str) -> str:
        middle = "/openai" if SCENARIOS[scenario].kind == "azure" else ""
        return f"http://127.0.0.1:{self.server_port}/{scenario}{middle}/v1"

    def config(self, folder: Path) -> str:
        """A configuration with a profile a scenario; the fake keys go into files beside it."""
        keys = folder / "keys"
        keys.mkdir(parents=True, exist_ok=True)
        tables = []
        for name, scenario in SCENARIOS.items():
            path = keys / name
            path.write_text(scenario.key or "")
            path.chmod(0o600)
            key = json.dumps(str(path)) if scenario.key else '"FTTUI_NO_SUCH_KEY"'
            source = "file" if scenario.key else "env"
            tables.append(
                f"[profiles.{name}]\nprovider = {json.dumps(scenario.kind)}\n"
                f"base_url = {json.dumps(self.url(name))}\nkey = {{ {source} = {key} }}\n{scenario.settings}\n"
            )
        return "\n".join(tables)


def main() -> None:
    args = sys.argv[1:]
    port = int(args[0]) if args and args[0].isdigit() else 8990
    with DoorServer(port) as server:
        if "--config" in args:
            path = Path(args[args.index("--config") + 1])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(server.config(path.parent))
            print(f"wrote {path}")
        for name, scenario in SCENARIOS.items():
            print(f"{name:<22} {scenario.status} {server.url(name)}  {scenario.note}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
