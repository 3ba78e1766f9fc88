"""Read GGUF, the one-file format of llama.cpp: its metadata, and its tensors as NumPy arrays.

Layout and block formats: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md and
`ggml-common.h` there. Read: F32, F16, BF16, Q4_0, Q4_1, Q8_0.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fttui.problem import Problem

REMEDY = "choose a GGUF file of a llama-architecture model, or fetch ours again: fttui fetch"
BLOCK = 32  # weights in one quantised block
_PART = 4096  # blocks dequantised at a time, so that they stay in the processor's cache
_SCALARS = dict(zip(range(8), "BbHhIif?", strict=True)) | {10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9

# type number → (name, bytes of one block, weights in one block)
TYPES: dict[int, tuple[str, int, int]] = {
    0: ("F32", 4, 1),
    1: ("F16", 2, 1),
    2: ("Q4_0", 18, BLOCK),
    3: ("Q4_1", 20, BLOCK),
    8: ("Q8_0", 34, BLOCK),
    30: ("BF16", 2, 1),
}


def broken(path: Path, why: str) -> Problem:
    return Problem(f"{path} is not a usable model file", why, REMEDY, code="model_unreadable")


@dataclass(frozen=True)
class Tensor:
    """Where one tensor lies. `shape` is NumPy's order (rows first), the reverse of the file's."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int

    @property
    def count(self) -> int:
        total = 1
        for size in self.shape:
            total *= size
        return total

    @property
    def nbytes(self) -> int:
        _, size, weights = TYPES[self.kind]
        return self.count // weights * size


class _Cursor:
    """Reads values off a buffer; running past its end is a struct.error."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0

    def read(self, code: str) -> Any:
        value = struct.unpack_from("<" + code, self.data, self.at)[0]
        self.at += struct.calcsize("<" + code)
        return value

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise struct.error("the file ends inside a value")
        self.at += count
        return self.data[self.at - count : self.at]

    def string(self) -> str:
        return self.take(self.read("Q")).decode("utf-8", "replace")

    def _strings(self, count: int) -> list[str]:
        """Many strings; a vocabulary has a hundred thousand, hence no calls within."""
        if count > len(self.data) // 8:
            raise struct.error("an array is longer than the file")
        found, data, at, length = [], self.data, self.at, struct.Struct("<Q").unpack_from
        for _ in range(count):
            (size,) = length(data, at)
            end = at + 8 + size
            found.append(data[at + 8 : end].decode("utf-8", "replace"))
            at = end
        if at > len(data):
            raise struct.error("the file ends inside a string")
        self.at = at
        return found

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.read(_SCALARS[kind])
        inner, count = self.read("I"), self.read("Q")
        if inner == _STRING:
            return self._strings(count)
        if inner == _ARRAY:
            raise struct.error("nested arrays are not supported")
        code = _SCALARS[inner]
        raw = self.take(count * struct.calcsize("<" + code))
        return list(struct.unpack(f"<{count}{code}", raw))


class GGUF:
    """An opened model file: `.metadata` (key → value) and `.tensors` (name → Tensor)."""

    def __init__(self, path: str | Path) -> None:
        """Read the header; Problem where the file is missing, torn or not GGUF."""
        self.path = Path(path)
        self.metadata: dict[str, Any] = {}
        self.tensors: dict[str, Tensor] = {}
        try:
            with (
                self.path.open("rb") as file,
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
            ):
                self.size = len(data)
                self._header(data)
        except OSError as error:
            why = error.strerror or str(error)
            raise Problem(f"{path} cannot be read", why, REMEDY, code="model_unreadable") from error
        except (struct.error, KeyError, ValueError, OverflowError, MemoryError) as error:
            raise broken(self.path, f"its header is damaged ({error})") from error

    def _header(self, data: mmap.mmap) -> None:
        if data[:4] != b"GGUF":
            raise broken(self.path, "it does not begin with the word GGUF")
        cursor = _Cursor(data)
        cursor.at = 4
        version = cursor.read("I")
        if version not in (2, 3):
            raise broken(self.path, f"GGUF version {version} is not supported (2 and 3 are)")
        tensors, keys = cursor.read("Q"), cursor.read("Q")
        for _ in range(keys):
            key = cursor.string()
            self.metadata[key] = cursor.value(cursor.read("I"))
        found = [self._entry(cursor) for _ in range(tensors)]
        align = int(self.metadata.get("general.alignment", 32))
        start = -(-cursor.at // align) * align
        for item in found:
            placed = Tensor(item.name, item.shape, item.kind, start + item.offset)
            if placed.offset + placed.nbytes > self.size:
                raise broken(self.path, f"it is cut short: {item.name} lies past its end")
            self.tensors[item.name] = placed

    def _entry(self, cursor: _Cursor) -> Tensor:
        name = cursor.string()
        dimensions = cursor.read("I")
        if dimensions > 4:
            raise struct.error(f"{name} has {dimensions} dimensions")
        shape = tuple(cursor.read("Q") for _ in range(dimensions))[::-1]
        kind, offset = cursor.read("I"), cursor.read("Q")
        if kind not in TYPES:
            known = ", ".join(label for label, _, _ in TYPES.values())
            raise broken(self.path, f"{name} is stored as type {kind}; read are {known}")
        if shape and shape[-1] % TYPES[kind][2]:
            raise struct.error(f"{name} does not fill whole blocks")
        return Tensor(name, shape, kind, offset)

    def array(self, name: str, dtype: Any = np.float32) -> NDArray[Any]:
        """One tensor, dequantised to `dtype`; Problem where it is missing or cannot be read."""
        out = np.empty(self.tensor(name).shape, dtype)
        self.read_into(name, out)
        return out

    def tensor(self, name: str) -> Tensor:
        if name not in self.tensors:
            raise broken(self.path, f"it has no tensor {name}")
        return self.tensors[name]

    def read_into(self, name: str, out: NDArray[Any]) -> None:
        """Dequantise a tensor into `out`, a contiguous array of its shape."""
        tensor = self.tensor(name)
        if tensor.shape != out.shape:
            raise broken(self.path, f"{name} is {tensor.shape}, expected {out.shape}")
        try:
            raw = np.fromfile(self.path, np.uint8, tensor.nbytes, offset=tensor.offset)
        except OSError as error:
            raise broken(self.path, error.strerror or str(error)) from error
        if raw.size != tensor.nbytes:
            raise broken(self.path, f"it is cut short in {name}")
        _, size, weights = TYPES[tensor.kind]
        flat = out.reshape(-1)
        blocks = raw.reshape(-1, size)
        for low in range(0, len(blocks), _PART):
            part = blocks[low : low + _PART]
            flat[low * weights : (low + len(part)) * weights] = dequantise(part, tensor.kind)


def dequantise(blocks: NDArray[np.uint8], kind: int) -> NDArray[np.float32]:
    """The weights of whole blocks [n, bytes of a block], flat, float32."""
    name, size, _ = TYPES[kind]
    if name == "F32":
        return blocks.view(np.float32).reshape(-1)
    if name == "F16":
        return blocks.view(np.float16).astype(np.float32).reshape(-1)
    if name == "BF16":  # the upper half of a float32
        return (blocks.view(np.uint16).astype(np.uint32) << 16).view(np.float32).reshape(-1)
    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    if name == "Q8_0":
        return (blocks[:, 2:].view(np.int8) * scale).reshape(-1)
    quants = blocks[:, size - BLOCK // 2 :]
    out = np.empty((len(blocks), BLOCK), np.float32)
    out[:, : BLOCK // 2] = quants & 15  # the low halves of the bytes are the first 16 weights
    out[:, BLOCK // 2 :] = quants >> 4
    if name == "Q4_0":
        out -= 8
        out *= scale
    else:
        out *= scale
        out += blocks[:, 2:4].copy().view(np.float16).astype(np.float32)
    return out.reshape(-1)
