"""Every answer of a whole loop, held against the public specification."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import httpx2
import openai
import pytest

jsonschema = pytest.importorskip("jsonschema")


@pytest.fixture(scope="session")
def conform(shared: Path):
    """The checker that comes with the specification."""
    path = shared / "spec" / "conform.py"
    if not path.is_file():
        pytest.skip("no specification beside the checkout")
    spec = importlib.util.spec_from_file_location("conform", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_the_whole_loop_without_a_violation(server, conform, shared, kit):
    checker = conform.Conformance(str(shared / "spec" / "openai-fine-tuning.json"))
    transport = conform.CheckingTransport(checker, prefix="/v1")

    async def tried(call):
        try:
            return await call
        except openai.APIStatusError:
            return None

    async with (
        httpx2.AsyncClient(transport=transport, timeout=30) as http,
        openai.AsyncOpenAI(
            base_url=server.url,
            api_key=server.token,
            max_retries=0,
            http_client=http,
            _strict_response_validation=True,
        ) as client,
    ):
        jobs = client.fine_tuning.jobs
        file = await client.files.create(file=("t.jsonl", kit.lines()), purpose="fine-tune")
        upload = await client.uploads.create(
            bytes=2, filename="u", mime_type="text/plain", purpose="fine-tune"
        )
        part = await client.uploads.parts.create(upload.id, data=b"{}")
        await client.uploads.complete(upload.id, part_ids=[part.id])
        await tried(client.uploads.cancel(upload.id))
        await client.files.list(limit=2)
        await tried(client.files.list(limit=1, after="file-no"))
        await tried(client.files.retrieve("file-no"))
        await client.files.content(file.id)
        await tried(jobs.create(model=kit.model, training_file="file-no"))
        await tried(jobs.create(model="no", training_file=file.id))
        await tried(jobs.retrieve("ftjob-no"))
        job = await jobs.create(
            model=kit.model,
            training_file=file.id,
            validation_file=file.id,
            hyperparameters={"n_epochs": 2},
            metadata={"a": "b"},
        )
        other = await jobs.create(
            model=kit.model,
            training_file=file.id,
            method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.5}}},
        )
        seen = set()
        while not {"succeeded", "failed"} & seen:
            seen.add((await jobs.retrieve(job.id)).status)
            await jobs.list_events(job.id, limit=5)
            await jobs.list(limit=3, metadata={"a": "b"})
            await jobs.checkpoints.list(job.id)
        assert "succeeded" in seen
        await tried(jobs.cancel(job.id))
        await tried(jobs.cancel(other.id))
        model = (await jobs.retrieve(job.id)).fine_tuned_model
        checkpoint = (await jobs.checkpoints.list(job.id)).data[0].fine_tuned_model_checkpoint
        permissions = client.fine_tuning.checkpoints.permissions
        await permissions.create(checkpoint, project_ids=["proj_1"])
        await permissions.list(checkpoint)
        await client.models.list()
        await client.models.retrieve(model)
        await tried(client.models.retrieve("no"))
        await tried(client.models.delete(kit.model))
        ask = {"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
        for more in ({}, {"stream_options": {"include_usage": True}}):
            stream = await client.chat.completions.create(**ask, **more, stream=True)
            assert [chunk async for chunk in stream]
        await client.chat.completions.create(**ask)
        await tried(client.chat.completions.create(**(ask | {"model": "no"})))
        await tried(client.chat.completions.create(**(ask | {"messages": []})))
        await client.models.delete(model)
        await client.files.delete(file.id)
    assert transport.violations == []
    assert sum(transport.seen.values()) > 30


SEEDED = {
    "file_id": "file",
    "fine_tuning_job_id": "job",
    "model": "model",
    "fine_tuned_model_checkpoint": "checkpoint",
}


@pytest.fixture(scope="session")
def seeds(client, kit, done_job):
    """Real ids, so that generated requests reach more than 404s."""
    failed = client.fine_tuning.jobs.create(
        model=kit.model, training_file=kit.upload(client, kit.lines(2))
    ).id
    kit.finish(client, failed)
    checkpoints = client.fine_tuning.jobs.checkpoints.list(done_job.id).data
    return {
        "file": [kit.upload(client), *done_job.result_files],
        "job": [done_job.id, failed],
        "model": [kit.model, done_job.fine_tuned_model],
        "checkpoint": [row.fine_tuned_model_checkpoint for row in checkpoints],
        "tiny": kit.upload(client, kit.lines(3)),  # a job on it ends before it trains
    }


CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
)


MORE = int(os.environ.get("FTTUI_CONFORM", "1"))  # 10: ten times as many requests


@pytest.mark.parametrize(("mode", "examples"), [("POSITIVE", 10 * MORE), ("NEGATIVE", 5 * MORE)])
def test_generated_requests_find_no_violation(server, shared, kit, seeds, mode, examples):
    """schemathesis makes some hundred requests, right or wrong ones, from the specification."""
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis.errors import Unsatisfiable
    from schemathesis import checks

    raw = json.loads((shared / "spec" / "openai-fine-tuning.json").read_text())
    for parameter in raw["paths"]["/files"]["get"]["parameters"]:
        if parameter["name"] == "limit":  # the prose says 10,000, the subset 100
            parameter["schema"]["maximum"] = 10_000
    raw.pop("security", None)  # the token goes along, whatever is generated
    for operation in (op for path in raw["paths"].values() for op in path.values()):
        if isinstance(operation, dict):
            operation.pop("security", None)
    schema = schemathesis.openapi.from_dict(raw)
    schema.config.update(base_url=server.url)
    checked = [checks.CHECKS.get_one(name) for name in CHECKS]
    strict = checks.CHECKS.get_one("negative_data_rejection")
    headers = {"Authorization": f"Bearer {server.token}"}
    answered: dict[int, int] = {}

    def seeded(case, turn):
        """Two of three requests speak of things that are there; none deletes those."""
        for name in case.path_parameters or {}:
            if name in SEEDED and turn % 3 and case.method != "DELETE":
                options = seeds[SEEDED[name]]
                case.path_parameters[name] = options[turn % len(options)]
        if mode == "POSITIVE" and isinstance(case.body, dict):
            if turn % 3 and "model" in case.body:
                case.body["model"] = kit.model
            if turn % 3 and "training_file" in case.body:
                case.body["training_file"] = seeds["tiny"]
            if "messages" in case.body:
                case.body["max_tokens"] = 2
                case.body.pop("max_completion_tokens", None)
        return case

    def probe(operation):
        @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode]))
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def run(case):
            answer = seeded(case, sum(answered.values())).call(headers=headers)
            answered[answer.status_code] = answered.get(answer.status_code, 0) + 1
            left_out = [] if operation.body else [strict]  # unknown query keys are ignored
            case.validate_response(answer, checks=checked, excluded_checks=left_out)

        run()

    for operation in (found.ok() for found in schema.get_all_operations()):
        if mode == "NEGATIVE" and not operation.body and not operation.query:
            continue  # a path alone is any text: nothing about it can be wrong
        try:
            probe(operation)
        except Unsatisfiable:
            assert mode == "NEGATIVE"
    assert sum(answered.values()) > 40, answered
    assert (answered.get(200, 0) > 50) == (mode == "POSITIVE"), answered
