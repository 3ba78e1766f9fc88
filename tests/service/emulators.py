"""Azure and Nebius as their documentation describes them, on a real socket: each difference refuses what
the real service refuses, so that a request made for another provider fails here.

Azure: the v1 API, the dated API, and the management API (its own token) on one address. A deployment goes
one step further each time it is looked at; a job at each `look`, or as it is read where it `moves`.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

from fttui_test_faults import FaultServer, Request, error

ARM_TOKEN = "arm-token-0123456789abcdef"
SUBSCRIPTION, GROUP, ACCOUNT = "sub-1", "group-1", "res-1"
BASE = "gpt-4.1-mini-2025-04-14"
TRAINING_TYPES = ("Standard", "GlobalStandard", "Developer")
SKUS = ("standard", "GlobalStandard", "DeveloperTier")
BOM = b"\xef\xbb\xbf"


def refusal(code: str, message: str) -> dict[str, Any]:
    """An error in the shape of the management API."""
    return {"error": {"code": code, "message": message}}


class AzureServer(FaultServer):
    """`silent`: how often a new deployment answers DeploymentNotReady after it is "Succeeded".
    `quota`: the largest capacity. `may_write`: the signed-in identity has the role."""

    def __init__(self, *, silent: int = 2, quota: int = 250, statuses: str = "v1") -> None:
        super().__init__("azure", "/openai/v1")
        self.silent, self.quota, self.may_write = silent, quota, True
        self.words = (
            ["pending", "running", "running", "succeeded"]
            if statuses == "v1"
            else ["notRunning", "running", "running", "Succeeded"]
        )
        self.deployments: dict[str, dict[str, Any]] = {}
        self.steps: dict[str, int] = {}
        self.moves = False
        self.refused: list[str] = []  # why a request was not taken: shown when a test fails

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # ---- which API is asked, and with what ----

    def _answer(self, r: Request) -> tuple[int, Any]:
        status, answer = self._door(r)
        if status >= 400:
            self.refused.append(f"{r.method} {r.path} {status} {answer}")
        return status, answer

    def _door(self, r: Request) -> tuple[int, Any]:
        token = r.headers.get("authorization", "").removeprefix("Bearer ")
        if r.path.startswith("/subscriptions/"):
            return self._management(r, token)
        if token == ARM_TOKEN or not (token or r.headers.get("api-key")):
            return 401, refusal(
                "401", "Access denied due to invalid subscription key or wrong API."
            )
        if r.path.startswith("/openai/"):  # the dated API: the deployment is in the path
            if "api-version" not in r.query:
                return 404, refusal("404", "Resource not found")
            r.path = r.path.removeprefix("/openai")
            found = re.fullmatch(r"/deployments/([^/]+)(/chat/completions)", r.path)
            if found:
                r.path = found[2]
                return self._asked(r, found[1])
            return super()._answer(r)
        if "api-version" in r.query:
            return 400, error("api-version query parameter is not allowed when using /v1 path")
        if r.path == "/chat/completions":
            return self._asked(r, r.json["model"])
        return super()._answer(r)

    # ---- the resource's own API ----

    def _asked(self, r: Request, name: str) -> tuple[int, Any]:
        found = self.deployments.get(name)
        if found is None:
            return 404, refusal(
                "DeploymentNotFound", "The API deployment for this resource does not exist."
            )
        if found["properties"]["provisioningState"] != "Succeeded" or found["silent"] > 0:
            found["silent"] -= 1
            return 404, refusal("DeploymentNotReady", "The deployment is being prepared.")
        return 200, self._chat(r)

    def _post_file(self, r: Request) -> Any:
        made = super()._post_file(r)
        content = self.contents[made["id"]]
        if not content.startswith(BOM):
            del self.files[made["id"]]
            return 400, error("The file must be UTF-8 with a byte-order mark.")
        made["status"] = "pending"
        return made

    def _routes(self) -> list[Any]:
        own = [
            ("GET", "/files/([^/]+)", self._get_file),
            ("GET", "/models", lambda r: {"data": [{"id": BASE}, {"id": "gpt-4o-2024-08-06"}]}),
            ("DELETE", "/models/([^/]+)", lambda r, i: {"id": i, "deleted": True}),
        ]
        if self.moves:
            own.append(("GET", "/fine_tuning/jobs/([^/]+)", self._moving_job))
        lost = ("/uploads", "/uploads/([^/]+)/parts")  # no uploads in parts
        return own + [row for row in super()._routes() if row[1] not in lost]

    def _moving_job(self, r: Request, job_id: str) -> Any:
        self.look(job_id)
        return self.jobs[job_id]

    def _get_file(self, r: Request, file_id: str) -> Any:
        found = self.files.get(file_id)
        if found is None:
            return 404, error("No such file")
        now, found["status"] = dict(found), "processed"
        return now

    def _refused(self, body: dict[str, Any]) -> str:
        if "hyperparameters" in body:
            return "hyperparameters belong under method"
        if body.get("trainingType") not in TRAINING_TYPES:
            return "trainingType: unknown value"
        if body["trainingType"] == "Standard":
            return "The model does not support fine-tuning with Standard TrainingType"
        suffix = body.get("suffix") or ""
        if len(suffix) > 18 or "." in suffix:
            return "suffix: 18 characters at most, no dots"
        return ""

    def _post_job(self, r: Request) -> Any:
        made = super()._post_job(r)
        if isinstance(made, tuple):
            return made
        made["status"] = self.words[0]
        self.steps[made["id"]] = 0
        return made

    def _routed_job(self, job_id: str) -> None:
        """One step further: events as it runs, checkpoints and the model when it is done."""
        job = self.jobs[job_id]
        if job["status"] in ("paused", "cancelled") or self.steps.get(job_id, 9) >= 3:
            return
        self.steps[job_id] += 1
        step = self.steps[job_id]
        made = f"{list(self.jobs).index(job_id) + 1:08x}{step:024x}"
        job["status"] = self.words[step]
        log = self.events.setdefault(job_id, [])
        data = {"step": step, "total_steps": 3, "train_loss": 1.0 / step, "valid_loss": 1.2 / step}
        log.append({"id": f"ftevent-{step:03d}", "created_at": 1000 + step, "level": "info",
                    "message": f"Step {step}/3: training loss={1.0 / step:.2f}", "type": "metrics",
                    "data": data})  # fmt: skip
        self.checkpoints.setdefault(job_id, []).append(
            {"id": f"ftchkpt-{made}", "created_at": 1000 + step, "step_number": step,
             "fine_tuned_model_checkpoint": f"{job['model']}.ft-{made}:ckpt-step-{step}",
             "fine_tuning_job_id": job_id, "metrics": data})  # fmt: skip
        if step == 3:
            tail = f"-{job['suffix']}" if job.get("suffix") else ""
            job["fine_tuned_model"] = f"{job['model']}.ft-{made}{tail}"
            csv = b"step,train_loss,train_mean_token_accuracy,valid_loss\n1,1.0,0.5,1.2\n3,0.33,0.8,0.4\n"
            job["result_files"] = [self._keep("results.csv", csv)["id"]]

    def _act(self, r: Request, job_id: str, verb: str) -> Any:
        if verb == "pause" and self.jobs[job_id]["status"] != "running":
            return 400, error("Only a running job with a step done can be paused")
        answer = super()._act(r, job_id, verb)
        if verb == "cancel":
            answer["status"] = "canceled"  # its own spelling
        return answer

    def look(self, job_id: str) -> None:
        """Time passes for a job."""
        self._routed_job(job_id)

    # ---- the management API ----

    def _management(self, r: Request, token: str) -> tuple[int, Any]:
        if token != ARM_TOKEN:
            return 401, refusal("InvalidAuthenticationToken", "The access token is invalid.")
        if not r.query.get("api-version"):
            return 400, refusal(
                "MissingApiVersionParameter", "The api-version query parameter is required."
            )
        place = (
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
            f"/providers/Microsoft.CognitiveServices/accounts/{ACCOUNT}/deployments"
        )
        if not r.path.startswith(place):
            return 404, refusal("ResourceGroupNotFound", "Resource group could not be found.")
        name = r.path.removeprefix(place).strip("/")
        if not name:
            return self._list(r)
        return getattr(self, f"_{r.method.lower()}_deployment")(r, name)

    def _list(self, r: Request) -> tuple[int, Any]:
        """Two a page, with a link to the next one."""
        names = sorted(self.deployments)
        start = int(r.query.get("skip", 0))
        page = [self._shown(self.deployments[name]) for name in names[start : start + 2]]
        answer: dict[str, Any] = {"value": page}
        if start + 2 < len(names):
            answer["nextLink"] = f"{self.root}{r.path}?api-version=2024-10-01&skip={start + 2}"
        return 200, answer

    @staticmethod
    def _shown(row: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in row.items() if key not in ("silent", "looks")}

    def _get_deployment(self, r: Request, name: str) -> tuple[int, Any]:
        row = self.deployments.get(name)
        if row is None:
            return 404, refusal("ResourceNotFound", f"The deployment {name} was not found.")
        row["looks"] += 1
        state = row["properties"]["provisioningState"]
        if state == "Deleting":
            del self.deployments[name]
            return 200, self._shown(row)
        shown = json.loads(json.dumps(self._shown(row)))
        if state == "Creating" and row["looks"] >= 2:
            row["properties"]["provisioningState"] = "Succeeded"
        return 200, shown

    def _put_deployment(self, r: Request, name: str) -> tuple[int, Any]:
        body = r.json
        sku, model = body["sku"], body["properties"]["model"]
        if not self.may_write:
            return 403, refusal("AuthorizationFailed", "The client does not have authorization to perform "
                                "action 'Microsoft.CognitiveServices/accounts/deployments/write'.")  # fmt: skip
        if sku["name"] not in SKUS or model["format"] != "OpenAI" or model["version"] != "1":
            return 400, refusal(
                "InvalidResourceProperties", f"The specified SKU or model is not valid: {body}"
            )
        if not re.search(r"\.ft-[0-9a-f]+|^ftchkpt-[0-9a-f]+$", model["name"]):
            return 400, refusal("DeploymentModelNotSupported", "The model is not supported.")
        if sku["capacity"] > self.quota:
            return 400, refusal(
                "InsufficientQuota", f"New capacity {sku['capacity']} exceeds the quota."
            )
        old = self.deployments.get(name)
        row = {
            "id": r.path,
            "name": name,
            "sku": sku,
            "tags": body.get("tags"),
            "properties": {
                "model": model,
                "provisioningState": "Succeeded" if old else "Creating",
                "rateLimits": [
                    {"key": "request", "renewalPeriod": 10, "count": 5},
                    {"key": "token", "renewalPeriod": 60, "count": sku["capacity"] * 1000},
                ],
            },
            "systemData": old["systemData"] if old else {"createdAt": _iso(time.time())},
            "silent": 0 if old else self.silent,
            "looks": 0,
        }
        self.deployments[name] = row
        return (200 if old else 201), self._shown(row)

    def _delete_deployment(self, r: Request, name: str) -> tuple[int, Any]:
        if name not in self.deployments:
            return 204, b""
        self.deployments[name]["properties"]["provisioningState"] = "Deleting"
        return 202, b""

    def deploy(
        self, name: str, model: str, sku: str = "GlobalStandard", *, age: float = 0, **tags: str
    ) -> None:
        """A deployment that is there already, made `age` seconds ago."""
        self.deployments[name] = {
            "name": name,
            "sku": {"name": sku, "capacity": 100},
            "tags": tags,
            "properties": {
                "model": {"format": "OpenAI", "name": model, "version": "1"},
                "provisioningState": "Succeeded",
            },
            "systemData": {"createdAt": _iso(time.time() - age)},
            "silent": 0,
            "looks": 9,
        }


def _iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.1234567Z", time.gmtime(moment))


class NebiusServer(FaultServer):
    """Hyperparameters on top and in its ranges, no method, no metadata, no pause, no deleting of models; a
    checkpoint's weights are files; a model is served once POST /v0/models named it."""

    RANGES = {"n_epochs": (1, 20), "batch_size": (1, 32)}
    KNOWN = {"n_epochs", "batch_size", "learning_rate", "lora", "lora_r", "lora_alpha", "packing",
             "warmup_ratio", "context_length", "learning_rate_multiplier"}  # fmt: skip

    def __init__(self) -> None:
        super().__init__("nebius", "/v1")
        self.steps: dict[str, int] = {}
        self.served: set[str] = set()

    def _refused(self, body: dict[str, Any]) -> str:
        told = super()._refused(body)
        if told:
            return told
        for name, value in (body.get("hyperparameters") or {}).items():
            low, high = self.RANGES.get(name, (0, 10**9))
            if name not in self.KNOWN or not isinstance(value, int | float | bool):
                return f"hyperparameters: {name}: extra fields not permitted"
            if not low <= value <= high:
                return f"invalid {name}"
        return ""

    def _routes(self) -> list[Any]:
        gone = ("/uploads", r"/fine_tuning/jobs/([^/]+)/(cancel|pause|resume)")
        rows = [row for row in super()._routes() if row[1] not in gone]
        return [
            ("POST", r"/fine_tuning/jobs/([^/]+)/(cancel)", self._act),
            ("GET", "/models", lambda r: {"data": [{"id": name} for name in sorted(self.served)]}),
            ("POST", "/chat/completions", self._asked),
            *rows,
        ]

    def _post_file(self, r: Request) -> Any:
        made = super()._post_file(r)
        if self.contents[made["id"]].startswith(BOM):
            del self.files[made["id"]]
            return 400, error("Line 1 is not a dictionary")
        return made

    def _asked(self, r: Request) -> Any:
        name = r.json["model"]
        if name not in self.served:
            return 404, error(f"The model `{name}` does not exist", "model_not_found")
        return self._chat(r)

    def look(self, job_id: str) -> None:
        """Time passes for a job: three steps, a checkpoint with files at each."""
        job = self.jobs[job_id]
        step = self.steps[job_id] = self.steps.get(job_id, 0) + 1
        if step > 3:
            return
        job |= {
            "status": "succeeded" if step == 3 else "running",
            "trained_steps": step,
            "total_steps": 3,
        }
        self.events.setdefault(job_id, []).append(
            {"id": f"e{step}", "created_at": 1000 + step, "message": f"Training step {step}", "level": "info",
             "data": {"step": step, "train_loss": 1.0 / step}})  # fmt: skip
        weights = self._keep(f"adapter-{step}.safetensors", b"weights %d" % step)["id"]
        self.checkpoints.setdefault(job_id, []).append(
            {"id": f"ftckpt_{step}", "created_at": 1000 + step, "step_number": step,
             "result_files": [weights], "metrics": {"train_loss": 1.0 / step}})  # fmt: skip
        if step == 3:
            job["fine_tuned_model"] = f"{job['model']}-LoRa:tuned-abc"
            self.served.add(job["fine_tuned_model"])
