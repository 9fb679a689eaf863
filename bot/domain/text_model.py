"""A second opinion on an alert, from its words: which level people gave to alerts like it.

The model is linear (multinomial logistic regression): every word, every class of words
("down" is a class: down, offline, unreachable …), every word of the PromQL and the
author's severity has a weight for each level; the sums become probabilities. So an
opinion explains itself by the words that weighed most. `tools/train_text_model.py`
finds the weights. The model says nothing about an alert whose severity label it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from heapq import nlargest
from math import exp

from bot.domain.wording import (
    LONGEST_REMEMBERED,
    REMEMBERED,
    SHORTEST_STEM,
    STEM,
    Words,
    words_of,
)

Weights = tuple[float, float, float, float]
"""What a token speaks for: a weight for each level, P0 to P3."""

TITLE, WORD, EXPRESSION = "title", "word", "expression"
"""Kinds of tokens: word classes in the alert's name, words, and words of the PromQL.

There is a fourth kind: word classes anywhere, by the author's severity (`classes_under`)."""

_SEVERITIES = {
    "critical": "critical error fatal high major page pager crit p1 sev1",
    "warning": "warning warn medium moderate minor p2 sev2",
    "info": "info informational notice none debug low p3 sev3",
}
_SEVERITY = {word: name for name, words in _SEVERITIES.items() for word in words.split()}

_TOKEN = re.compile(r"[a-z]+|(?:[<>]=?|[=!]=) *[0-9.]+")
_LONGEST_EXPRESSION = 1000
"""Characters of PromQL that are read; the weights come from shorter ones."""
_LONGEST_WORD = 40
"""Letters of a word that are looked at, so that what is remembered stays small."""
_NUMBER = "0123456789."


class WordClasses:
    """Which classes a word belongs to; ``replic*`` stands for any ending."""

    def __init__(self, classes: Mapping[str, str]) -> None:
        """Take the words of each class, with spaces between them."""
        self._words: dict[str, set[str]] = {}
        self._stems: dict[str, list[tuple[str, str]]] = {}
        for name, words in classes.items():
            for word in words.split():
                if word.endswith(STEM):
                    self._stems.setdefault(word[:SHORTEST_STEM], []).append((word[:-1], name))
                else:
                    self._words.setdefault(word, set()).add(name)
        self._of_word = lru_cache(REMEMBERED)(self._found)

    def of(self, words: Words) -> set[str]:
        """The classes of these words."""
        return set().union(*(self._of_word(word[:_LONGEST_WORD]) for word in words))

    def _found(self, word: str) -> frozenset[str]:
        stems = self._stems.get(word[:SHORTEST_STEM], ())
        by_stem = {name for stem, name in stems if word.startswith(stem)}
        return frozenset(by_stem | self._words.get(word, set()))


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the model looks at in an alert, by kind; `severity` is its author's."""

    severity: str
    kinds: Mapping[str, Set[str]]


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """The probability of each level, P0 to P3, and the tokens that it was made of."""

    probabilities: Weights
    tokens: Tokens

    @property
    def best(self) -> int:
        """The number of the likeliest level; of equal ones the more severe."""
        return self.probabilities.index(max(self.probabilities))


@dataclass(frozen=True, slots=True, eq=False)
class TextModel:
    """The weights of each kind of token; `digest` is the SHA-256 of the file they came from."""

    severities: Mapping[str, Weights]
    weights: Mapping[str, Mapping[str, Weights]]
    classes: WordClasses
    digest: str

    def opinion(self, text: str, severity: str, expression: str) -> Opinion | None:
        """What an alert's words (`prose`), its severity label and its PromQL speak for."""
        if len(text) + len(expression) > LONGEST_REMEMBERED:
            return self._opinion(text, severity, expression)
        return _remembered(self, text, severity, expression)

    def _opinion(self, text: str, severity: str, expression: str) -> Opinion | None:
        tokens = tokens_of(words_of(text), severity, expression, self.classes)
        if tokens is None or tokens.severity not in self.severities:
            return None
        p0, p1, p2, p3 = self.severities[tokens.severity]
        for kind, found in tokens.kinds.items():
            weights = self.weights[kind]
            for token in found & weights.keys():
                w0, w1, w2, w3 = weights[token]
                p0 += w0
                p1 += w1
                p2 += w2
                p3 += w3
        return Opinion(_shares(p0, p1, p2, p3), tokens)

    def spoke_for(self, opinion: Opinion, level: int, against: int, most: int) -> list[str]:
        """The tokens that spoke for one level against the other, the weightiest first."""
        gains = {
            f"{kind} {token}" if kind == EXPRESSION else token: weight[level] - weight[against]
            for kind, found in opinion.tokens.kinds.items()
            for token in sorted(found)
            if (weight := self.weights[kind].get(token))
        }
        return [token for token in nlargest(most, gains, key=gains.__getitem__) if gains[token] > 0]


@lru_cache(REMEMBERED)
def _remembered(model: TextModel, text: str, severity: str, expression: str) -> Opinion | None:
    return model._opinion(text, severity, expression)


def tokens_of(words: Words, severity: str, expression: str, classes: WordClasses) -> Tokens | None:
    """The tokens of an alert whose name stands in the first line of `words`.

    None where the severity label is none that the model knows.
    """
    author = _SEVERITY.get(severity.lower())
    if author is None:
        return None
    end = words.index("\n") if "\n" in words else len(words)
    title = classes.of(words[:end])
    return Tokens(
        author,
        {
            TITLE: title,
            classes_under(author): title | classes.of(words[end:]),
            WORD: set(words),
            EXPRESSION: _expression_tokens(expression[:_LONGEST_EXPRESSION]),
        },
    )


def classes_under(severity: str) -> str:
    """The kind of the word classes of an alert with this severity of its author's."""
    return f"class if {severity}"


@lru_cache(REMEMBERED)
def _expression_tokens(expression: str) -> frozenset[str]:
    """The words of the PromQL and its comparisons: ``>0.#`` stands for 0.9, ``>###`` for 100."""
    found = _TOKEN.findall(expression.lower())
    return frozenset(_comparison(one) if one[0] in "<>=!" else one for one in found)


def _comparison(text: str) -> str:
    """The operator, and 0 or the number's size: ``#`` for each digit before the point."""
    operator = text.rstrip(_NUMBER).rstrip()
    whole, _, rest = text[len(operator) :].strip().partition(".")
    if whole.strip("0") == "":
        return operator + ("0.#" if rest.strip("0") else "0")
    return operator + "#" * min(len(whole), 4)


def _shares(p0: float, p1: float, p2: float, p3: float) -> Weights:
    """Softmax: the sums as probabilities."""
    top = max(p0, p1, p2, p3)
    p0, p1, p2, p3 = exp(p0 - top), exp(p1 - top), exp(p2 - top), exp(p3 - top)
    total = p0 + p1 + p2 + p3
    return p0 / total, p1 / total, p2 / total, p3 / total
