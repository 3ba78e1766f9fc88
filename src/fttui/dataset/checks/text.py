"""What the words themselves give away, line by line (M025, Q007-Q011, Q014, Q016, Q017)."""

from __future__ import annotations

import re
import unicodedata

from fttui.dataset.checks.context import Context
from fttui.text import one_line

SPECIAL = re.compile(
    r"<\|(?:im_start|im_end|im_sep|endoftext|endofprompt|fim_\w+|start|end|message|channel"
    r"|eot_id|begin_of_text|start_header_id|end_header_id)\|>"
)
# Every pattern begins with a character or a few that are rare, which is what a regular expression is quick
# to look for, and only then says what must not stand before it.
SECRETS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("API key", re.compile(r"sk-(?<!\wsk-)(?:proj-|ant-|svcacct-|or-)?[A-Za-z0-9_-]{20,}")),
    ("AWS key", re.compile(r"A(?<!\wA)(?:KIA|SIA)[A-Z0-9]{16}\b")),
    (
        "GitHub token",
        re.compile(r"g(?<!\wg)(?:h[pousr]_[A-Za-z0-9]{36,}|ithub_pat_[A-Za-z0-9_]{40,})"),
    ),
    ("Slack token", re.compile(r"xox(?<!\wxox)[abprs]-[A-Za-z0-9-]{10,}")),
    ("Google key", re.compile(r"AIza(?<!\wAIza)[A-Za-z0-9_-]{35}")),
    ("private key", re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")),
)
MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}(?![\w@])")
MAIL_MADE_UP = re.compile(r"@(?:example|test)\.(?:com|org|net)$|^git@|^noreply@", re.I)
CARD = re.compile(r"[3-6](?<![\w.,-].)\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,4}(?![\w.]*\d)")
IBAN = re.compile(r"[A-Z](?<!\w.)[A-Z]\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
SSN = re.compile(r"[0-8](?<![\d-].)\d{2}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
PHONE = re.compile(
    r"[+(0-9](?<![\w.+-].)(?:(?<=\+)\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]\d{2,4}){1,4}"
    r"|(?<=\()\d{3}\) ?\d{3}[ .-]\d{4}|(?<=\d)\d{2}[.-]\d{3}[.-]\d{4})(?![\w-]|\.\d)"
)
IPV4 = re.compile(r"[0-9](?<![\w.].)\d{0,2}(?:\.\d{1,3}){3}(?![\w.]*\d)")
MOJIBAKE = re.compile(
    "\ufffd|â€[\u0080-\uffff]|Ã[\u0080-\u00bf\u2018-\u2122ƒŒœŠšŽžŸ]|Â[\u00a0-\u00bf]|ï»¿|ðŸ"
)
# Zero-width joiner and the direction marks are left alone: emoji and right-to-left text need them.
HIDDEN = re.compile("[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]")
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
PLACEHOLDER = re.compile(
    r"[{[TLl<](?:(?<=\{)\{ ?[A-Za-z_][\w .]{0,40}\}\}"
    r"|(?<=\[)(?:INSERT|YOUR|Insert|Your)\b[^\]\n]{0,40}\]"
    r"|(?<=T)(?<!\wT)(?:ODO|BD)\b|(?<=[Ll])(?<!\w.)orem ipsum"
    r"|(?<=<)(?:INSERT|YOUR)[ _-][A-Za-z_ -]{1,30}>)"
)
MODEL_TALK = re.compile(r"\b[Aa]s an? (?:AI|artificial intelligence)(?: language)? model\b")
REFUSAL = re.compile(
    r"(?:I'm|I am|I’m)(?: very| so| really)? sorry,? (?:but )?(?:I )?"
    r"(?:can't|cannot|can’t|am (?:not able|unable)|won't)"
    r"|I (?:can't|cannot|can’t|won't|am not able to|am unable to) (?:help|assist|comply|provide|do that|fulfil|answer)"
    r"|Sorry, (?:but )?I (?:can't|cannot|can’t)|I must decline|I'm not able to (?:help|assist)"
)

# Questions may be garbled or hold controls as users type them; answers are what the model learns to write.
TRAINED_ONLY = {CONTROLS, MOJIBAKE}
LONG = 200_000  # characters of one text that are searched
Search = tuple[str, re.Pattern[str]]
NUMBERS: tuple[Search, ...] = (
    ("card number", CARD),
    ("phone number", PHONE),
    ("SSN", SSN),
    ("IP address", IPV4),
)
ODD: tuple[Search, ...] = (("Q008", MOJIBAKE), ("Q009", HIDDEN), ("Q009", CONTROLS))

# What follows tells which texts of a block are worth searching, in a few passes over all of them at once.
# Signs: what is left of the texts without small letters, blanks and the most frequent punctuation.
_SMALL = b' "\\,:.\n\t'
SIGNS: tuple[tuple[bytes, Search], ...] = (
    (b"@", ("mail address", MAIL)),
    (b"AKIA", SECRETS[1]),
    (b"ASIA", SECRETS[1]),
    (b"PRIVATEKEY-", SECRETS[5]),
    (b"<|", ("M025", SPECIAL)),
    (b"{{", ("Q010", PLACEHOLDER)),
    (b"[I", ("Q010", PLACEHOLDER)),
    (b"[Y", ("Q010", PLACEHOLDER)),
    (b"TODO", ("Q010", PLACEHOLDER)),
    (b"TBD", ("Q010", PLACEHOLDER)),
    (b"<INSERT", ("Q010", PLACEHOLDER)),
    (b"<YOUR", ("Q010", PLACEHOLDER)),
)
WORDS: tuple[tuple[bytes, Search], ...] = (
    (b"xox", SECRETS[3]),
    (b"orem ipsum", ("Q010", PLACEHOLDER)),
)
# Secrets that are words of at least RUN letters, digits, - and _: rare enough to look at each.
RUN = 23
LONG_WORDS: tuple[tuple[str, Search], ...] = (
    ("sk-", SECRETS[0]),
    ("AIza", SECRETS[4]),
    *((mark, SECRETS[2]) for mark in ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_")),
)
_RUNS = bytes(
    ord("a") if (chr(c).isalnum() and c < 128) or c in b"-_" else c if c == 0xFF else ord(" ")
    for c in range(256)
)
# Numbers by their shape: 0 for a digit, A for a capital, the signs between groups as they are.
_SHAPE = bytes(
    ord("0") if 48 <= c <= 57 else ord("A") if 65 <= c <= 90 else c if c in b"+(). -\xff" else 120
    for c in range(256)
)
_LETTERS = bytes(range(97, 123))
# A mark without which the pattern finds nothing, the pattern, what its groups (or all of it) may be.
NUMBER_SHAPES: tuple[tuple[bytes, re.Pattern[bytes], tuple[Search, ...]], ...] = (
    (
        b"000",
        re.compile(rb"0(?:(00-00-0000)|(00[.-]000[.-]0000)|(000(?:0000|[ -]0000)[ -]?0000))"),
        (NUMBERS[2], NUMBERS[1], NUMBERS[0]),
    ),
    (b".0", re.compile(rb"(\.0{1,3}\.0{1,3}\.0)"), (NUMBERS[3],)),
    (b"(000)", re.compile(rb"(\(000\) ?000[ .-]0000)"), (NUMBERS[1],)),
    (b"+0", re.compile(rb"(\+0{1,3}[ .-]?(?:\(0{1,4}\)[ .-]?)?0{2,4}[ .-]00)"), (NUMBERS[1],)),
)
ACCOUNT_SHAPE = re.compile(rb"(AA00[A0]{11})")  # without the blanks
ACCOUNT = re.compile(rb"AA00 ?[A0]{4} ?[A0]{4}")
# Garbled, hidden and control characters in UTF-8, all ASCII that is neither taken out.
_ORDINARY = bytes(c for c in range(128) if 32 <= c < 127 or c in b"\t\n\r")
ODD_BYTES = re.compile(
    rb"[\x00-\x1f\x7f]|\xef\xbf\xbd|\xef\xbb\xbf|\xc3\xa2\xe2\x82\xac|\xc3\x83[\xc2\xc5\xc6\xe2]|\xc3\x82\xc2"
    rb"|\xc3\xaf\xc2|\xc3\xb0\xc5|\xe2\x80[\x8b\xaa-\xae]|\xe2\x81[\xa0\xa6-\xa9]|\xc2[\x80-\x9f]"
)
# Any character that one of ODD starts from.
ODD_ONE = re.compile(
    "[\ufffdâÃÂïð\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]"
)
ODD_MARK = "odd"
_END = b"\xff"  # between texts: never in UTF-8


def suspects(texts: list[bytes]) -> dict[int, list[Search]]:
    """Which of `texts` (UTF-8) the patterns can find anything in: number → searches worth making."""
    found: dict[int, list[Search]] = {}
    whole = _END.join(texts)
    large = whole.translate(None, _LETTERS)  # about half is left: what follows is quicker
    signs = large.translate(None, _SMALL)
    for mark, search in SIGNS:
        _texts_with(mark, search, signs, found)
    for mark, search in WORDS:
        _texts_with(mark, search, whole, found)
    _texts_with(b"a" * RUN, ("long word", SPECIAL), whole.translate(_RUNS), found)
    shape = large.translate(_SHAPE)
    for mark, pattern, searches in NUMBER_SHAPES:
        if mark in shape:
            _texts_like(pattern, searches, shape, found)
    _texts_like(ACCOUNT_SHAPE, (("IBAN", IBAN),), signs.translate(_SHAPE), found)
    odd = signs.translate(None, _ORDINARY)
    if len(odd) >= len(texts):
        _texts_like(ODD_BYTES, ((ODD_MARK, ODD_ONE),), odd, found)
    return found


def _texts_with(mark: bytes, search: Search, data: bytes, found: dict[int, list[Search]]) -> None:
    """Note `search` for every text of `data` that holds `mark`."""
    at = data.find(mark)
    number = last = 0
    while at >= 0:
        number += data.count(_END, last, at)
        _note(number, search, found)
        last = data.find(_END, at)
        at = data.find(mark, last) if last >= 0 else -1


def _texts_like(
    pattern: re.Pattern[bytes],
    searches: tuple[Search, ...],
    data: bytes,
    found: dict[int, list[Search]],
) -> None:
    """Note for every text of `data` that `pattern` is in the search its group stands for."""
    number = last = 0
    for match in pattern.finditer(data):
        number += data.count(_END, last, match.start())
        last = match.start()
        _note(number, searches[(match.lastindex or 1) - 1], found)


def _note(number: int, search: Search, found: dict[int, list[Search]]) -> None:
    known = found.setdefault(number, [])
    if search not in known:
        known.append(search)


def check_texts(order: list[tuple[str, bool]], searches: list[Search], context: Context) -> None:
    """Search the texts of an example (text, trained) for what `suspects` says may be in them."""
    for what, pattern in searches:
        for text, trained in order:
            part = text[:LONG]
            if what == "mail address":
                _mail(part, context)
            elif what == ODD_MARK:
                _odd_ones(part, trained, context)
            elif what == "long word":
                for mark, search in LONG_WORDS:
                    if mark in part:
                        _search(*search, part, context)
            elif what == "IBAN":
                if ACCOUNT.search(part.encode("utf-8", "replace").translate(_SHAPE)):
                    _search(what, pattern, part, context)
            else:
                _search(what, pattern, part, context)


def _search(what: str, pattern: re.Pattern[str], text: str, context: Context) -> None:
    """The first of its kind in a text."""
    for match in pattern.finditer(text):
        if _report(what, match, context):
            return


def _mail(text: str, context: Context) -> None:
    """The first mail address of a text: the pattern is tried only where an @ stands between words."""
    at = text.find("@")
    while at >= 0:
        before = text[at - 1 : at]
        name = _MAIL_NAME.search(text[max(0, at - 65) : at]) if before > " " else None
        if name:
            match = MAIL.match(text, at - len(name.group()))
            if match and _report("mail address", match, context):
                return
        at = text.find("@", at + 1)


_MAIL_NAME = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}\Z")


def _odd_ones(text: str, trained: bool, context: Context) -> None:
    """Garbled, hidden and control characters of a text."""
    first = (CONTROLS if text.isascii() else ODD_ONE).search(text)
    if first:
        _odd(text, first.start(), trained, context)


def _odd(text: str, start: int, trained: bool, context: Context) -> None:
    for what, pattern in ODD:
        if trained or pattern not in TRAINED_ONLY:
            match = pattern.search(text, max(0, start - 4))
            if match:
                _report(what, match, context)


def _report(what: str, match: re.Match[str], context: Context) -> bool:
    """Note a match unless it only looks like one; True when noted (once a text is enough)."""
    found = match.group()
    if what == "M025":
        context.add("M025", "", f"text holds {found}")
    elif what == "Q008":
        context.add("Q008", "", f"garbled: {one_line(_around(match), 30)!r}")
    elif what == "Q009":
        context.add("Q009", "", f"U+{ord(found):04X} {_name(found)}")
    elif what == "Q010":
        context.add("Q010", "", f"placeholder {one_line(found, 40)}")
    elif is_personal(what, found):
        context.add("Q007", "", f"{what} {mask(found)}")
    else:
        return False
    return True


def _around(match: re.Match[str]) -> str:
    return match.string[max(0, match.start() - 8) : match.end() + 8]


def _name(char: str) -> str:
    return unicodedata.name(char, "control character").lower()


def mask(secret: str) -> str:
    """Enough to find it again, not enough to use it."""
    clean = one_line(secret)
    return f"{clean[:2]}…{clean[-1:]} ({len(clean)} characters)"


def is_personal(what: str, text: str) -> bool:
    if what == "card number":
        return luhn(text)
    if what == "IBAN":
        return iban(text)
    if what == "mail address":
        return not MAIL_MADE_UP.search(text) and not text.rsplit(".", 1)[-1].isdigit()
    if what == "phone number":
        return 8 <= sum(c.isdigit() for c in text) <= 15
    if what == "IP address":
        return not text.startswith(("0.", "127.", "10.", "192.168.", "255.", "1.2.3.")) and address(
            text
        )
    if what == "SSN":
        return not text.startswith(("000", "666"))
    return True


def address(text: str) -> bool:
    """Whether four numbers are an address and do not look like a version or chapter number."""
    parts = text.split(".")
    whole = all(int(part) < 256 and not (len(part) == 3 and part[0] == "0") for part in parts)
    return whole and max(map(int, parts)) > 31


def luhn(text: str) -> bool:
    """The check digit of card numbers (ISO/IEC 7812)."""
    digits = [int(c) for c in text if c.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    total = sum(digits[-1::-2]) + sum(sum(divmod(2 * d, 10)) for d in digits[-2::-2])
    return total % 10 == 0


def iban(text: str) -> bool:
    """The check digits of an IBAN (ISO 13616, mod 97)."""
    plain = text.replace(" ", "")
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1
