"""How alike two texts are, 0 to 1: fuzzy_match, bleu, gleu, meteor, rouge_1 … rouge_5, rouge_l.

The provider names the measures, not their settings (guide of 2026-07-15). Here each has those of the
public implementation people use, and the tests hold its values:

fuzzy_match  rapidfuzz 3.14 `fuzz.ratio` / 100: 2 × longest common subsequence / both lengths
bleu         sacrebleu 2.x `sentence_bleu` / 100: 13a words, 1- to 4-grams, exponential smoothing,
             effective order (Papineni 2002; Chen and Cherry 2014, method 3)
gleu         NLTK 3.10 `sentence_gleu` on 13a words (Wu 2016)
meteor       NLTK 3.10 `meteor_score` on 13a words: same word, then same Porter stem (Banerjee and
             Lavie 2005); without WordNet, so synonyms do not count
rouge_n, l   rouge-score 0.1.2, F1, no stemming (Lin 2004)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import pairwise

from fttui.evaluate.stem import stem
from fttui.evaluate.words import mt_words, rouge_words

Grams = Counter[tuple[str, ...]]


def common_length(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """Length of the longest common subsequence, a bit for each place of `a` (Hyyrö 2004)."""
    places: dict[Hashable, int] = {}
    for at, thing in enumerate(a):
        places[thing] = places.get(thing, 0) | 1 << at
    full = (1 << len(a)) - 1
    free = full
    for thing in b:
        hit = free & places.get(thing, 0)
        free = ((free + hit) | (free - hit)) & full
    return len(a) - free.bit_count()


def fuzzy_match(text: str, reference: str) -> float:
    if text == reference:
        return 1.0
    return 2 * common_length(text, reference) / (len(text) + len(reference))


def rouge_n(n: int) -> Callable[[str, str], float]:
    def measure(text: str, reference: str) -> float:
        found, wanted = _grams(rouge_words(text), n), _grams(rouge_words(reference), n)
        common = (found & wanted).total()
        return _f1(common, found.total(), wanted.total())

    return measure


def rouge_l(text: str, reference: str) -> float:
    found, wanted = rouge_words(text), rouge_words(reference)
    return _f1(common_length(found, wanted), len(found), len(wanted))


def bleu(text: str, reference: str) -> float:
    found, wanted = mt_words(text), mt_words(reference)
    if not found or not wanted:
        return 0.0
    logs: list[float] = []
    smooth = 1.0
    for n in range(1, 5):
        grams = _grams(found, n)
        total = grams.total()
        if not total:
            break
        right = (grams & _grams(wanted, n)).total()
        if n == 1 and not right:
            return 0.0  # not one word in common
        if not right:
            smooth *= 2
        logs.append(math.log(right / total if right else 1 / (smooth * total)))
    short = len(found) < len(wanted)
    brevity = math.exp(1 - len(wanted) / len(found)) if short else 1.0
    return brevity * math.exp(sum(logs) / len(logs))


def gleu(text: str, reference: str) -> float:
    found, wanted = mt_words(text), mt_words(reference)
    right = found_total = wanted_total = 0
    for n in range(1, 5):
        ours, theirs = _grams(found, n), _grams(wanted, n)
        right += (ours & theirs).total()
        found_total += ours.total()
        wanted_total += theirs.total()
    most = max(found_total, wanted_total)
    return right / most if most else 0.0


ALPHA, BETA, GAMMA = 0.9, 3.0, 0.5  # METEOR's weights, as NLTK has them


def meteor(text: str, reference: str) -> float:
    found = [word.lower() for word in mt_words(text)]
    wanted = [word.lower() for word in mt_words(reference)]
    pairs = _aligned(found, wanted)
    if not pairs:
        return 0.0
    precision, recall = len(pairs) / len(found), len(pairs) / len(wanted)
    mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
    breaks = sum(b != (a[0] + 1, a[1] + 1) for a, b in pairwise(pairs))
    return (1 - GAMMA * ((breaks + 1) / len(pairs)) ** BETA) * mean


def _aligned(found: list[str], wanted: list[str]) -> list[tuple[int, int]]:
    """Places of words that are the same in both, and of those left whose stems are."""
    left, right = dict(enumerate(found)), dict(enumerate(wanted))
    pairs: list[tuple[int, int]] = []
    for form in (str, stem):
        stacks: dict[str, list[int]] = {}
        for place, word in right.items():
            stacks.setdefault(form(word), []).append(place)
        for place in sorted(left, reverse=True):
            stack = stacks.get(form(left[place]))
            if stack:
                pairs.append((place, stack.pop()))
        for mine, theirs in pairs:
            left.pop(mine, None)
            right.pop(theirs, None)
    return sorted(pairs)


def _grams(words: list[str], n: int) -> Grams:
    return Counter(zip(*(words[start:] for start in range(n)), strict=False))


def _f1(common: int, found: int, wanted: int) -> float:
    return 2 * common / (found + wanted) if common else 0.0


MEASURES: Mapping[str, Callable[[str, str], float]] = {
    "fuzzy_match": fuzzy_match,
    "bleu": bleu,
    "gleu": gleu,
    "meteor": meteor,
    **{f"rouge_{n}": rouge_n(n) for n in range(1, 6)},
    "rouge_l": rouge_l,
}
