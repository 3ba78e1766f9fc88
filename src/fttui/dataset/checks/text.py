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
PLACEHOLDER_MARKS = (
    *("{{", "[INSERT", "[YOUR", "[Insert", "[Your", "TODO", "TBD", "orem ipsum"),
    *("<INSERT", "<YOUR"),
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
    (b"AI", SECRETS[4]),  # AIza
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
LONG_WORDS: tuple[tuple[bytes, Search], ...] = (
    (b"sk-", SECRETS[0]),
    (b"ghp_", SECRETS[2]),
    (b"ghs_", SECRETS[2]),
    (b"gho_", SECRETS[2]),
    (b"github_pat_", SECRETS[2]),
)
_RUNS = bytes(
    c if c == 10 else ord("a") if (chr(c).isalnum() and c < 128) or c in b"-_" else ord(" ")
    for c in range(256)
)
# Every number that matters has five digits with nothing but these signs between them.
_DIGITS = bytes(c if c == 10 else ord("0") if c in b"0123456789" else ord("x") for c in range(256))
_BETWEEN = b" .()-"
ACCOUNT = re.compile(rb"[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4} ?[A-Z0-9]{3}")
ODD: tuple[Search, ...] = (("Q008", MOJIBAKE), ("Q009", HIDDEN), ("Q009", CONTROLS))
# Any character that one of these starts from: one pass tells that there is nothing.
ODD_ONE = re.compile(
    "[\ufffdâÃÂïð\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]"
)
# The same in UTF-8 of which all other ASCII was taken out.
ODD_BYTES = re.compile(
    rb"[\x00-\x1f\x7f]|\xef\xbf\xbd|\xef\xbb\xbf|\xc3\xa2\xe2\x82\xac|\xc3\x83[\xc2\xc5\xc6\xe2]|\xc3\x82\xc2"
    rb"|\xc3\xaf\xc2|\xc3\xb0\xc5|\xe2\x80[\x8b\xaa-\xae]|\xe2\x81[\xa0\xa6-\xa9]|\xc2[\x80-\x9f]"
)
_ORDINARY = bytes(c for c in range(128) if 32 <= c < 127 or c in b"\t\n\r")


class Gates:
    """The searches that can find anything, line by line, worked out for one block of lines at once."""

    def __init__(self, block: bytes) -> None:
        self.found: dict[int, list[Search]] = {}
        rest = block.translate(None, _SMALL)
        for mark, search in SIGNS:
            self._lines_with(mark, search, rest)
        for mark, search in WORDS:
            self._lines_with(mark, search, block)
        numbers = block.translate(_DIGITS, _BETWEEN)
        self._lines_with(b"0" * 5, (NUMBER_MARK, GROUPS), numbers)
        self._lines_with(b"a" * RUN, ("long word", SPECIAL), block.translate(_RUNS))

    def _lines_with(self, mark: bytes, search: Search, data: bytes) -> None:
        """Note `search` for every line of `data` that holds `mark`."""
        at = data.find(mark)
        line = last = 0
        while at >= 0:
            line += data.count(b"\n", last, at)
            self._note(line, search)
            last = data.find(b"\n", at)
            at = data.find(mark, last) if last >= 0 else -1

    def _note(self, line: int, search: Search) -> None:
        known = self.found.setdefault(line, [])
        if search not in known:
            known.append(search)


def check_texts(raw: bytes, searches: list[Search], context: Context) -> None:
    """Search the texts of an example for what `searches` (of Gates) look for."""
    for what, pattern in searches:
        if what == NUMBER_MARK:
            for text, _ in context.order:
                _numbers(text[:LONG], context)
            if ACCOUNT.search(raw.translate(None, _SMALL)):
                _search("IBAN", IBAN, context)
        elif what == "long word":
            for mark, search in LONG_WORDS:
                if mark in raw:
                    _search(*search, context)
        elif what == "Google key" and b"AIza" not in raw:
            continue
        elif what == "mail address":
            for text, _ in context.order:
                _mail(text[:LONG], context)
        else:
            _search(what, pattern, context)


def _search(what: str, pattern: re.Pattern[str], context: Context) -> None:
    for text, _ in context.order:
        part = text[:LONG]
        if what == "Q010" and not any(mark in part for mark in PLACEHOLDER_MARKS):
            continue
        for match in pattern.finditer(part):
            if _report(what, match, context):
                break


def _mail(text: str, context: Context) -> None:
    """The first mail address of a text: the pattern is tried only where an @ stands between words."""
    at = text.find("@")
    while at >= 0:
        name = _MAIL_NAME.search(text[max(0, at - 65) : at])
        if name:
            match = MAIL.match(text, at - len(name.group()))
            if match and _report("mail address", match, context):
                return
        at = text.find("@", at + 1)


_MAIL_NAME = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}\Z")


def maybe_odd(data: bytes) -> bool:
    """Whether a text in UTF-8 may hold a garbled, hidden or control character."""
    left = data.translate(None, _ORDINARY)
    return bool(left) and ODD_BYTES.search(left) is not None


def check_odd(order: list[tuple[str, bool]], context: Context) -> None:
    """Garbled, hidden and control characters in the texts of an example."""
    for text, trained in order:
        part = text[:LONG]
        first = (CONTROLS if part.isascii() else ODD_ONE).search(part)
        if first:
            _odd(part, first.start(), trained, context)


def _odd(text: str, start: int, trained: bool, context: Context) -> None:
    for what, pattern in ODD:
        if trained or pattern not in TRAINED_ONLY:
            match = pattern.search(text, max(0, start - 4))
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
