"""Multipart bodies, streamed: the file part goes straight to the data directory, never to memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from fttui.local.errors import ApiError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_FIELD_LIMIT = 64 * 1024  # bytes of one ordinary field
_HEADER_LIMIT = 16 * 1024


@dataclass
class Form:
    """What came: the ordinary fields, and the one file where it now lies."""

    fields: dict[str, str] = field(default_factory=dict)
    path: Path | None = None
    filename: str = ""
    size: int = 0
    md5: str = ""


async def receive(request: Request, *, file_field: str, path: Path, limit: int) -> Form:
    """Read the body; the part called `file_field` is written to `path`, at most `limit` bytes.

    Raises ApiError for anything that is not well-formed multipart; `path` is gone then.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise ApiError(400, "The body must be multipart/form-data with a boundary.")
    reader = _Reader(file_field, path, limit)
    try:
        parser = MultipartParser(boundary, reader.callbacks())
        async for chunk in request.stream():
            parser.write(chunk)
        parser.finalize()
        if not reader.ended:
            raise ApiError(400, "The multipart body ends before its closing boundary.")
    except FormParserError as error:
        reader.discard()
        raise ApiError(400, "The multipart body could not be read: it is malformed.") from error
    except UnicodeDecodeError as error:
        reader.discard()
        raise ApiError(400, "A field name or value is not UTF-8 text.") from error
    except (ApiError, OSError, ClientDisconnect):
        reader.discard()
        raise
    finally:
        reader.close()
    reader.form.md5 = reader.digest.hexdigest()
    return reader.form


class _Reader:
    """The parser's callbacks; one part at a time."""

    def __init__(self, file_field: str, path: Path, limit: int) -> None:
        self.form = Form()
        self.digest = hashlib.md5(usedforsecurity=False)
        self.ended = False
        self._file_field, self._path, self._limit = file_field, path, limit
        self._out: BinaryIO | None = None
        self._headers: dict[str, bytes] = {}
        self._name = b""
        self._value = b""
        self._part = ""
        self._data = b""

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_done,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def close(self) -> None:
        if self._out:
            self._out.close()
            self._out = None

    def discard(self) -> None:
        self.close()
        self._path.unlink(missing_ok=True)

    def _begin(self) -> None:
        self._headers, self._part, self._data = {}, "", b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        self._check_header()

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._check_header()

    def _check_header(self) -> None:
        if len(self._name) + len(self._value) > _HEADER_LIMIT:
            raise ApiError(400, "A multipart header is too long.")

    def _header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value
        self._name = self._value = b""

    def _headers_done(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        if b"name" not in options:
            raise ApiError(400, "A multipart part has no name.")
        self._part = options[b"name"].decode()
        if self._part == self._file_field:
            if self.form.path:
                raise ApiError(400, "Only one file can be sent at a time.", param=self._part)
            if b"filename" not in options:
                raise ApiError(
                    400, f"'{self._part}' must be sent as a file.", param=self._file_field
                )
            self.form.filename = options[b"filename"].decode()
            self.form.path = self._path
            self._out = self._path.open("xb")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        piece = data[start:end]
        if self._out:
            self.form.size += len(piece)
            if self.form.size > self._limit:
                raise ApiError(
                    413,
                    f"The file is larger than the limit of {self._limit // 2**20} MB.",
                    param=self._file_field,
                )
            self.digest.update(piece)
            self._out.write(piece)
        elif len(self._data) + len(piece) > _FIELD_LIMIT:
            raise ApiError(400, f"The field '{self._part}' is too long.", param=self._part)
        else:
            self._data += piece

    def _part_end(self) -> None:
        if self._out:
            self.close()
        else:
            self.form.fields[self._part] = self._data.decode()

    def _end(self) -> None:
        self.ended = True
