"""Files and uploads, through the stock client and through bare requests."""

from __future__ import annotations

import hashlib

import openai
import pytest


def test_a_file_goes_in_and_comes_out_as_it_was(client, kit):
    data = kit.lines(20)
    file = client.files.create(file=("a.jsonl", data), purpose="fine-tune")
    assert (file.bytes, file.filename, file.purpose, file.status) == (
        len(data),
        "a.jsonl",
        "fine-tune",
        "processed",
    )
    assert client.files.content(file.id).read() == data
    assert client.files.retrieve(file.id) == file
    assert client.files.wait_for_processing(file.id).status == "processed"
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def test_a_deleted_file_leaves_no_bytes(server, client, kit):
    id_ = kit.upload(client)
    assert (server.data / "files" / id_).is_file()
    client.files.delete(id_)
    assert not (server.data / "files" / id_).exists()


def test_lists_go_page_by_page_both_ways(client, kit):
    made = [client.files.create(file=(f"{i}.txt", b"x"), purpose="user_data").id for i in range(5)]
    newest = [f.id for f in client.files.list(purpose="user_data", limit=2)]
    assert newest[:5] == made[::-1]
    oldest = [f.id for f in client.files.list(purpose="user_data", limit=2, order="asc")]
    assert oldest[-5:] == made
    page = client.files.list(purpose="user_data", limit=2, after=made[3])
    assert [f.id for f in page.data] == [made[2], made[1]]
    assert page.has_more


def test_the_same_field_order_does_not_matter(server):
    body = (
        '--b\r\nContent-Disposition: form-data; name="file"; filename="ü.jsonl"\r\n\r\n{}\n\r\n'
        '--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n--b--\r\n'
    ).encode()
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    with server.http() as http:
        answer = http.post("/files", content=body, headers=kind)
    assert answer.status_code == 200, answer.text
    assert answer.json()["filename"] == "ü.jsonl"
    assert answer.json()["bytes"] == 3


PART = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'


def _form(*parts: tuple[bytes, bytes, bytes], end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(PART % part for part in parts) + end


FILE = (b"file", b'; filename="a.jsonl"', b"{}")
PURPOSE = (b"purpose", b"", b"fine-tune")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"nonsense", None),
        (_form(FILE, PURPOSE, end=b""), None),
        (_form(FILE), "purpose"),
        (_form(PURPOSE), "file"),
        (_form((b"file", b"", b"{}"), PURPOSE), "file"),
        (_form((b"file", b'; filename="a"', b""), PURPOSE), "file"),
        (_form(FILE, FILE, PURPOSE), "file"),
        (_form(FILE, (b"purpose", b"", b"world domination")), "purpose"),
        (_form(FILE, PURPOSE, (b"color", b"", b"red")), "color"),
        (_form(FILE, PURPOSE, (b"expires_after[seconds]", b"", b"5")), "anchor"),
        (_form(FILE, (b"purpose", b"", b"\xff")), None),
    ],
)
def test_a_bad_form_is_refused_in_the_apis_shape_and_leaves_nothing(server, body, param):
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    before = sorted(p.name for p in (server.data / "files").iterdir())
    with server.http() as http:
        answer = http.post("/files", content=body, headers=kind)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["param"] == param
    assert sorted(p.name for p in (server.data / "files").iterdir()) == before
    assert not list((server.data / "incoming").iterdir())


def test_not_multipart_at_all(server):
    with server.http() as http:
        answer = http.post("/files", json={"purpose": "fine-tune"})
    assert answer.status_code == 400
    assert "multipart" in answer.json()["error"]["message"]


def test_a_large_file_in_parts(client):
    data = [b"a" * 70_000, b"b" * 50_000]
    whole = b"".join(data)
    made = client.uploads.create(
        bytes=len(whole), filename="big.jsonl", mime_type="text/jsonl", purpose="fine-tune"
    )
    parts = [client.uploads.parts.create(made.id, data=piece).id for piece in data]
    done = client.uploads.complete(made.id, part_ids=parts, md5=hashlib.md5(whole).hexdigest())
    assert done.status == "completed"
    assert done.file is not None
    assert client.files.content(done.file.id).read() == whole
    with pytest.raises(openai.BadRequestError, match="completed"):
        client.uploads.cancel(made.id)


def test_parts_in_another_order_make_another_file(client):
    made = client.uploads.create(bytes=4, filename="o", mime_type="text/plain", purpose="batch")
    first, second = (client.uploads.parts.create(made.id, data=p).id for p in (b"12", b"34"))
    done = client.uploads.complete(made.id, part_ids=[second, first])
    assert client.files.content(done.file.id).read() == b"3412"


def test_an_upload_that_does_not_add_up(server, client):
    made = client.uploads.create(bytes=9, filename="x", mime_type="text/plain", purpose="batch")
    part = client.uploads.parts.create(made.id, data=b"12345").id
    for ids, md5 in (([part], None), (["part_no"], None), ([], None)):
        with pytest.raises(openai.APIStatusError):
            client.uploads.complete(made.id, part_ids=ids, **({"md5": md5} if md5 else {}))
    assert client.uploads.cancel(made.id).status == "cancelled"
    assert not (server.data / "files" / part).exists()
    with pytest.raises(openai.BadRequestError, match="cancelled"):
        client.uploads.parts.create(made.id, data=b"6")


def test_a_wrong_checksum_is_refused_and_can_be_repeated(client):
    made = client.uploads.create(bytes=1, filename="x", mime_type="text/plain", purpose="batch")
    part = client.uploads.parts.create(made.id, data=b"1").id
    with pytest.raises(openai.BadRequestError, match="MD5"):
        client.uploads.complete(made.id, part_ids=[part], md5="0" * 32)
    assert client.uploads.complete(made.id, part_ids=[part]).status == "completed"
