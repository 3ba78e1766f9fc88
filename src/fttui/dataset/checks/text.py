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
SECRETS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("API key", re.compile(r"\bsk-(?:proj-|ant-|svcacct-|or-)?[A-Za-z0-9_-]{20,}")),
    ("AWS key", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})")),
    ("Slack token", re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}")),
    ("Google key", re.compile(r"\bAIza[A-Za-z0-9_-]{35}")),
    ("private key", re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")),
)
MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}(?![\w@])")
MAIL_MADE_UP = re.compile(r"@(?:example|test)\.(?:com|org|net)$|^git@|^noreply@", re.I)
CARD = re.compile(r"(?<![\w.,-])[3-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,4}(?![\w.]*\d)")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
SSN = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
PHONE = re.compile(
    r"(?<![\w.+-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]\d{2,4}){1,4}"
    r"|\(\d{3}\) ?\d{3}[ .-]\d{4}|\d{3}[.-]\d{3}[.-]\d{4})(?![\w-]|\.\d)"
)
IPV4 = re.compile(
    r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]*\d)"
)
MOJIBAKE = re.compile(
    "\ufffd|â€[\u0080-\uffff]|Ã[\u0080-\u00bf\u2018-\u2122ƒŒœŠšŽžŸ]|Â[\u00a0-\u00bf]|ï»¿|ðŸ"
)
# Zero-width joiner and the direction marks are left alone: emoji and right-to-left text need them.
HIDDEN = re.compile("[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]")
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
PLACEHOLDER = re.compile(
    r"\{\{ ?[A-Za-z_][\w .]{0,40}\}\}|\[(?:INSERT|YOUR|Insert|Your)\b[^\]\n]{0,40}\]"
    r"|\bTODO\b|\bTBD\b|\b[Ll]orem ipsum|<(?:INSERT|YOUR)[ _-][A-Za-z_ -]{1,30}>"
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
ESCAPED = (b"\\u00", b"\\b", b"\\f", b"\x7f")  # control characters as JSON has them
Search = tuple[str, re.Pattern[str]]
# Digits in groups: where a number that matters may be. Only there the slower patterns are tried.
GROUPS = re.compile(r"[+(0-9][0-9 .()-]{6,40}")
NUMBERS: tuple[Search, ...] = (
    ("card number", CARD),
    ("phone number", PHONE),
    ("SSN", SSN),
    ("IP address", IPV4),
)
NUMBER_MARK = "numbers"

# Bytes without which a line cannot hold what the patterns look for. Those of the first table have a capital
# or a sign in them and are looked for in what is left of the line without its small letters and blanks.
_SMALL = bytes(c for c in range(256) if 97 <= c <= 122 or c in b' "\\,:.' or c >= 128)
SIGNS: tuple[tuple[bytes, Search], ...] = (
    (b"@", ("mail address", MAIL)),
    (b"AKIA", SECRETS[1]),
    (b"ASIA", SECRETS[1]),
    (b"AI", SECRETS[4]),
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
    (b"sk-", SECRETS[0]),
    (b"ghp_", SECRETS[2]),
    (b"ghs_", SECRETS[2]),
    (b"gho_", SECRETS[2]),
    (b"github_pat_", SECRETS[2]),
    (b"xox", SECRETS[3]),
    (b"orem ipsum", ("Q010", PLACEHOLDER)),
)
DIGITS = re.compile(rb"[0-9][0-9 .()-]{2,5}[0-9][0-9 .()-]{0,5}[0-9]")
ACCOUNT = re.compile(rb"[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4} ?[A-Z0-9]{3}")
ODD: tuple[Search, ...] = (("Q008", MOJIBAKE), ("Q009", HIDDEN), ("Q009", CONTROLS))
# Any character that one of these starts from: one pass tells that there is nothing.
ODD_ONE = re.compile(
    "[\ufffdâÃÂïð\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]"
)
ODD_MARK = "odd"
BEYOND_MARK = "odd beyond ASCII"  # no control character is written in the line


class Gates:
    """The searches that can find anything in one block of lines."""

    def __init__(self, block: bytes) -> None:
        self.words = [gate for gate in WORDS if gate[0] in block]
        self.escapes = [mark for mark in ESCAPED if mark in block]

    def searches(self, raw: bytes) -> list[Search]:
        rest = raw.translate(None, _SMALL)
        found = [search for mark, search in SIGNS if mark in rest]
        if self.words:
            found += [search for mark, search in self.words if mark in raw]
        if DIGITS.search(rest) and DIGITS.search(raw):
            found.append((NUMBER_MARK, GROUPS))
            if ACCOUNT.search(rest):
                found.append(("IBAN", IBAN))
        if not raw.isascii() or b"\\u" in raw or self.escapes:
            escaped = any(mark in raw for mark in self.escapes)
            found.append((ODD_MARK if escaped else BEYOND_MARK, ODD_ONE))
        return found


def check_texts(raw: bytes, gates: Gates, context: Context) -> None:
    """Search the texts of an example; `raw` decides which searches can find anything."""
    for what, pattern in dict.fromkeys(gates.searches(raw)):
        for text, trained in context.order:
            part = text if len(text) <= LONG else text[:LONG]
            if what == NUMBER_MARK:
                _numbers(part, context)
                continue
            if what is ODD_MARK or (what is BEYOND_MARK and not part.isascii()):
                _odd(part, trained, context)
            if pattern is ODD_ONE:
                continue
            for match in pattern.finditer(part):
                if _report(what, match, context):
                    break


def _odd(text: str, trained: bool, context: Context) -> None:
    """Garbled, hidden and control characters of a text."""
    first = ODD_ONE.search(text)
    if first is None:
        return
    for what, pattern in ODD:
        if trained or pattern not in TRAINED_ONLY:
            match = pattern.search(text, max(0, first.start() - 4))
            if match:
                _report(what, match, context)


def _numbers(text: str, context: Context) -> None:
    """The first number of each kind in a text."""
    kinds = list(NUMBERS)
    for group in GROUPS.finditer(text):
        start, end = max(0, group.start() - 1), min(len(text), group.end() + 8)
        for kind in list(kinds):
            for match in kind[1].finditer(text, start, end):
                if _report(kind[0], match, context):
                    kinds.remove(kind)
                    break
        if not kinds:
            return


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
        return not text.startswith(("0.", "127.", "10.", "192.168.", "255.", "1.2.3.")) and _spread(
            text
        )
    return True


def _spread(text: str) -> bool:
    """Whether four numbers look like an address and not like a version or chapter number."""
    return max(int(part) for part in text.split(".")) > 31


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
