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

# Any character that one of ODD starts from.
ODD_ONE = re.compile(
    "[\ufffdâÃÂïð\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]"
)
ODD_MARK = "odd"


def check_texts(order: list[tuple[str, bool]], searches: list[Search], context: Context) -> None:
    """Search the texts of an example (text, trained) for what `suspects` says may be in them."""
    for what, pattern in searches:
        for text, trained in order:
            part = text[:LONG]
            if what == "mail address":
                _mail(part, context)
            elif what == ODD_MARK:
                _odd_ones(part, trained, context)
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
