"""Who may ask, and how a wrong request is told so."""

from __future__ import annotations

import json
import stat

import pytest

ERROR = {"message", "type", "param", "code"}


def test_the_token_is_its_owners_alone(server):
    mode = stat.S_IMODE((server.data / "token").stat().st_mode)
    assert mode == 0o600
    assert len(server.token) > 30


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic abc", "Bearer ü"])
def test_nobody_gets_in_without_it(server, header):
    with server.http() as http:
        answer = http.get("/models", headers={"Authorization": header.encode()})
    assert answer.status_code == 401
    assert set(answer.json()["error"]) == ERROR


def test_a_name_that_is_not_this_machine_is_refused(server):
    with server.http(Host="attacker.example") as http:
        answer = http.get("/models")
        health = http.get(server.url.removesuffix("/v1") + "/healthz")
    assert answer.status_code == health.status_code == 403
    assert answer.json()["error"]["code"] == "invalid_host"
    port = server.url.split(":")[2].split("/")[0]
    with server.http(Host=f"localhost:{port}") as http:
        assert http.get("/models").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing/here", 404),
        ("PUT", "/files", 405),
        ("DELETE", "/fine_tuning/jobs", 405),
        ("GET", "/files/file-no", 404),
        ("GET", "/models/no", 404),
        ("GET", "/fine_tuning/jobs/ftjob-no", 404),
        ("GET", "/fine_tuning/jobs/ftjob-no/events", 404),
        ("POST", "/fine_tuning/jobs/ftjob-no/cancel", 404),
        ("GET", "/fine_tuning/jobs?limit=0", 400),
        ("GET", "/fine_tuning/jobs?limit=x", 400),
        ("GET", "/fine_tuning/jobs?after=ftjob-no", 404),
        ("GET", "/files?order=up", 400),
        ("DELETE", "/models/tiny", 403),
    ],
)
def test_every_refusal_has_the_apis_shape(server, method, path, status):
    with server.http() as http:
        answer = http.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()["error"]) == ERROR
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"nan", b'{"model": "\\ud800"}', b"\xff"])
@pytest.mark.parametrize("path", ["/fine_tuning/jobs", "/chat/completions", "/uploads"])
def test_a_body_that_is_not_a_json_object(server, path, body):
    with server.http() as http:
        answer = http.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert set(answer.json()["error"]) == ERROR


def test_no_prompt_and_no_token_in_the_log(server, kit):
    with server.http() as http:
        http.post(
            "/chat/completions",
            json={"model": kit.model, "messages": [{"role": "user", "content": "SECRETWORD"}],
                  "max_tokens": 2},
        )  # fmt: skip
    text = (server.data / "server.log").read_text()
    assert all(json.loads(line)["message"] for line in text.splitlines())
    assert "/v1/chat/completions" in text
    assert "SECRETWORD" not in text
    assert server.token not in text
