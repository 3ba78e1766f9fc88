"""Content parts and images (M026, V-codes). Images are judged by their headers; nothing is fetched."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import struct
from typing import Any
from urllib.parse import urlsplit

from fttui.dataset.checks.context import Context
from fttui.dataset.formats import kind_of
from fttui.text import one_line, size

MIME = {"image/jpeg": "JPEG", "image/jpg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
LOW_TOKENS = 85  # detail low, whatever the size (OpenAI vision fine-tuning guide)
TILE_TOKENS = 170  # each 512-pixel tile at detail high, plus the 85


def check_parts(parts: list[Any], role: Any, path: str, context: Context) -> None:
    """Every part of a content list."""
    if not parts:
        context.add("M026", path, "content is an empty list of parts", fix=False)
    for i, part in enumerate(parts):
        check_part(part, role, f"{path}[{i}]", context)


def check_part(part: Any, role: Any, path: str, context: Context) -> None:
    if type(part) is not dict:
        fix = ', must be {"type": "text", "text": …}' if isinstance(part, str) else ""
        context.add("M026", path, f"part is {kind_of(part)}{fix}", fix=bool(fix))
        return
    kind = part.get("type")
    if kind == "text":
        if not isinstance(part.get("text"), str):
            context.add("M026", path, "text part without text", fix=False)
    elif kind == "image_url":
        check_image(part, role, path, context)
    elif kind == "refusal" and role == "assistant":
        return
    elif kind in ("input_audio", "audio", "file", "input_file"):
        context.add("M026", path, f"{kind} cannot be trained", fix=False)
    else:
        shown = (
            f"type {one_line(str(kind), 20)!r} is unknown" if "type" in part else "part has no type"
        )
        context.add("M026", path, shown, fix=False)


def check_image(part: dict[str, Any], role: Any, path: str, context: Context) -> None:
    context.facts.n["images"] += 1
    if role != "user":
        context.add(
            "V009",
            path,
            f"image in a message of {role or 'no known role'}; only user messages may hold one",
        )
    image = part.get("image_url")
    if type(image) is not dict or not isinstance(image.get("url"), str):
        what = "is a string" if isinstance(image, str) else "has no url"
        context.add(
            "V001",
            f"{path}.image_url",
            f'image_url {what}, must be {{"url": …}}',
            fix=isinstance(image, str),
        )
        return
    detail = image.get("detail", "auto")
    if detail not in ("auto", "low", "high"):
        context.add(
            "V007",
            f"{path}.image_url.detail",
            f"detail {one_line(str(detail), 20)!r}, must be auto, low or high",
        )
    pixels = check_url(image["url"], f"{path}.image_url.url", context)
    _cost(pixels, detail, context)


def _cost(pixels: tuple[int, int] | None, detail: str, context: Context) -> None:
    if detail == "low":
        tokens = LOW_TOKENS
    elif pixels is None:
        context.facts.n["images_unknown"] += 1
        return
    else:
        tokens = image_tokens(*pixels)
    context.fixed += tokens
    context.facts.n["image_tokens"] += tokens


def image_tokens(width: int, height: int) -> int:
    """Tokens of an image at detail high: fitted into 2048², its short side to 768, 512-pixel tiles
    (OpenAI images and vision guide, gpt-4o family)."""
    scale = min(1.0, 2048 / max(width, height, 1))
    width, height = max(1, int(width * scale)), max(1, int(height * scale))
    scale = min(1.0, 768 / min(width, height))
    width, height = max(1, int(width * scale)), max(1, int(height * scale))
    return LOW_TOKENS + TILE_TOKENS * (-(-width // 512) * -(-height // 512))


def check_url(url: str, path: str, context: Context) -> tuple[int, int] | None:
    """Pixels of an embedded image, None when not known."""
    if url[:5].lower() == "data:":
        return check_data(url, path, context)
    if url[:8].lower().startswith(("http://", "https://")):
        private = _private(url)
        severity = "warning" if private else ""
        what = (
            "address inside a private network, the service cannot reach it"
            if private
            else "linked image, not looked at"
        )
        context.add("V011", path, f"{what}: {one_line(url, 60)}", severity=severity)
        return None
    context.add("V002", path, f"{one_line(url, 40)!r} is neither http(s) nor data:image")
    return None


def _private(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return True
    if host == "localhost" or host.endswith((".local", ".internal", ".localhost")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def check_data(url: str, path: str, context: Context) -> tuple[int, int] | None:
    head, _, body = url.partition(",")
    mime = head[5:].split(";", 1)[0].lower()
    if not mime.startswith("image/"):
        context.add("V002", path, f"{one_line(head, 40)!r} is no embedded image")
        return None
    try:
        if ";base64" not in head:
            raise binascii.Error("not base64")
        data = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        context.add("V003", path, "embedded image is not valid base64")
        return None
    if len(data) > context.target.max_image_bytes:
        context.add(
            "V005",
            path,
            f"image of {size(len(data))}; {size(context.target.max_image_bytes)} is the limit",
        )
    kind = image_kind(data)
    if MIME.get(mime) != kind or not kind:
        context.add("V004", path, f"says {mime}, holds {kind or 'no JPEG, PNG or WEBP'}")
        return None
    pixels, colour = header(data, kind)
    if colour:
        context.add("V008", path, f"{kind} is {colour}, must be RGB or RGBA")
    return pixels


def image_kind(data: bytes) -> str:
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG"
    return "WEBP" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""


_PNG_COLOUR = {0: "grey", 3: "palette", 4: "grey with alpha"}
_JPEG_COLOUR = {1: "grey", 4: "CMYK"}


def header(data: bytes, kind: str) -> tuple[tuple[int, int] | None, str]:
    """((width, height), a colour model that is not accepted) from the first bytes."""
    try:
        if kind == "PNG":
            width, height, _, colour = struct.unpack(">IIBB", data[16:26])
            return (width, height), _PNG_COLOUR.get(colour, "")
        if kind == "JPEG":
            return _jpeg(data)
        return _webp(data), ""
    except (struct.error, IndexError):
        return None, ""


def _jpeg(data: bytes) -> tuple[tuple[int, int] | None, str]:
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return None, ""
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width, components = struct.unpack(">HHB", data[at + 5 : at + 10])
            return (width, height), _JPEG_COLOUR.get(components, "")
        if marker == 0xFF:
            at += 1
            continue
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return None, ""


def _webp(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    return None


def count_images(messages: list[dict[str, Any]]) -> int:
    return sum(
        type(part) is dict and part.get("type") == "image_url"
        for message in messages
        if type(message.get("content")) is list
        for part in message["content"]
    )


def check_example(messages: list[dict[str, Any]], path: str, context: Context, mode: str) -> None:
    """Rules about all images of one example."""
    n = count_images(messages)
    if not n:
        return
    context.facts.see("image_example", context.line)
    if n > context.target.max_images:
        context.add(
            "V006",
            path,
            f"{n} images; {context.target.title} takes {context.target.max_images} in an example",
        )
    if mode == "preference":
        context.add("P008", path, "preference training takes text only")
    elif mode == "reinforcement":
        context.add("R008", path, "images in reinforcement data")
