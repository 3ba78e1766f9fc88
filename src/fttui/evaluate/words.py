"""Texts cut into words, the ways the measures of similarity want them."""

from __future__ import annotations

import re

# Scripts written without blanks: every character is a word.
_UNSPACED = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f])")
_WORD = re.compile(r"[^\W_]+")


def rouge_words(text: str) -> list[str]:
    """Lower case, letters and digits only. For ASCII the words of rouge-score 0.1.2, which drops
    every other letter; here they count."""
    return _WORD.findall(_spaced(text.lower()))


def _spaced(text: str) -> str:
    return text if text.isascii() else _UNSPACED.sub(r" \1 ", text)


_STEPS_13A: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])"), r" \1 "),
    (re.compile(r"([^0-9])([\.,])"), r"\1 \2 "),
    (re.compile(r"([\.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)
_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))


def mt_words(text: str) -> list[str]:
    """The words of mteval-v13a (NIST): signs stand alone, numbers keep their point. Case is kept."""
    text = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    if "&" in text:
        for entity, char in _ENTITIES:
            text = text.replace(entity, char)
    text = " " + _spaced(text) + " "
    for pattern, into in _STEPS_13A:
        text = pattern.sub(into, text)
    return text.split()
