"""A second opinion on an alert, from its words: which level people gave to alerts like it.

The model is linear (multinomial logistic regression): every word, every class of words
("down" is a class: down, offline, unreachable …), every word of the PromQL and the
author's severity has a weight for each level; the sums become probabilities. So an
opinion explains itself by the words that weighed most. `tools/train_text_model.py`
finds the weights. The model says nothing about an alert whose severity label it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp

from bot.domain.wording import SHORTEST_STEM, STEM, Words

Weights = tuple[float, float, float, float]
"""What a token speaks for: a weight for each level, P0 to P3."""

TITLE, CLASS, WORD, EXPRESSION = "title", "class", "word", "expression"
"""Kinds of tokens: word classes in the alert's name and anywhere, words, words of the PromQL.

A class weighs differently with another severity, so there is ``critical class`` too."""

_SEVERITIES = {
    "critical": "critical error fatal high major page pager crit p1 sev1",
    "warning": "warning warn medium moderate minor p2 sev2",
    "info": "info informational notice none debug low p3 sev3",
}
_SEVERITY = {word: name for name, words in _SEVERITIES.items() for word in words.split()}

_TOKEN = re.compile(r"[a-z]+|(?:[<>]=?|[=!]=) *[0-9.]+")
_LONGEST_EXPRESSION = 1000
"""Characters of PromQL that are read; the weights come from shorter ones."""
_NUMBER = "0123456789"


class WordClasses:
    """Which classes a word belongs to; ``replic*`` stands for any ending."""

    def __init__(self, classes: Mapping[str, str]) -> None:
        """Take the words of each class, with spaces between them."""
        self._words: dict[str, tuple[str, ...]] = {}
        self._stems: dict[str, list[tuple[str, str]]] = {}
        for name, words in classes.items():
            for word in words.split():
                if word.endswith(STEM):
                    stems = self._stems.setdefault(word[:SHORTEST_STEM], [])
                    stems.append((word[:-1], name))
                else:
                    self._words[word] = (*self._words.get(word, ()), name)

    def of(self, words: Words) -> set[str]:
        """The classes of these words."""
        found: set[str] = set()
        for word in words:
            if word in self._words:
                found.update(self._words[word])
            for stem, name in self._stems.get(word[:SHORTEST_STEM], ()):
                if word.startswith(stem):
                    found.add(name)
        return found


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the model looks at in an alert, by kind; `severity` is its author's."""

    severity: str
    kinds: Mapping[str, frozenset[str] | set[str]]


@dataclass(frozen=True, slots=True)
class Opinion:
    """The probability of each level, P0 to P3, and the tokens that it was made of."""

    probabilities: Weights
    tokens: Tokens

    @property
    def best(self) -> int:
        """The number of the likeliest level; of equal ones the more severe."""
        return self.probabilities.index(max(self.probabilities))


@dataclass(frozen=True, slots=True)
class TextModel:
    """The weights of each kind of token; `digest` is the SHA-256 of the file they came from."""

    severities: Mapping[str, Weights]
    weights: Mapping[str, Mapping[str, Weights]]
    classes: WordClasses
    digest: str

    def opinion(self, words: Words, severity: str, expression: str) -> Opinion | None:
        """What the words of an alert (`prose`), its severity label and its PromQL speak for."""
        tokens = tokens_of(words, severity, expression, self.classes)
        if tokens is None or tokens.severity not in self.severities:
            return None
        p0, p1, p2, p3 = self.severities[tokens.severity]
        for kind, found in tokens.kinds.items():
            weights = self.weights[kind]
            for token in found:
                weight = weights.get(token)
                if weight:
                    p0 += weight[0]
                    p1 += weight[1]
                    p2 += weight[2]
                    p3 += weight[3]
        return Opinion(_shares(p0, p1, p2, p3), tokens)

    def spoke_for(self, opinion: Opinion, level: int, against: int) -> Iterator[str]:
        """The tokens that spoke for one level against the other, the weightiest first."""
        gains = {
            f"{kind} {token}" if kind == EXPRESSION else token: weight[level] - weight[against]
            for kind, found in opinion.tokens.kinds.items()
            for token in sorted(found)
            if (weight := self.weights[kind].get(token))
        }
        for token, gain in sorted(gains.items(), key=lambda one: -one[1]):
            if gain > 0:
                yield token


def tokens_of(
    words: Words, severity: str, expression: str, classes: WordClasses
) -> Tokens | None:
    """The tokens of an alert whose name stands in the first line of `words`.

    None where the severity label is none that the model knows.
    """
    author = _SEVERITY.get(severity.lower())
    if author is None:
        return None
    end = words.index("\n") if "\n" in words else len(words)
    found = classes.of(words)
    return Tokens(
        author,
        {
            TITLE: classes.of(words[:end]),
            CLASS: found,
            f"{author} {CLASS}": found,
            WORD: set(words),
            EXPRESSION: _expression_tokens(expression),
        },
    )


def _expression_tokens(expression: str) -> set[str]:
    """The words of the PromQL, and its comparisons, such as ``>#0`` for 0.9 and ``>###`` for 100."""
    found = set(_TOKEN.findall(expression[:_LONGEST_EXPRESSION].lower()))
    return {token if token[0] not in "<>=!" else _comparison(token) for token in found}


def _comparison(text: str) -> str:
    """The operator, and 0 or the number's size: ``#`` for each digit before the point."""
    operator = text.rstrip(_NUMBER + ".").rstrip()
    whole, _, rest = text[len(operator) :].strip().partition(".")
    if whole.strip("0") == "":
        return operator + ("0.#" if rest.strip("0") else "0")
    return operator + "#" * min(len(whole), 4)


def _shares(*sums: float) -> Weights:
    """Softmax: the sums as probabilities."""
    top = max(sums)
    p0, p1, p2, p3 = (exp(one - top) for one in sums)
    total = p0 + p1 + p2 + p3
    return p0 / total, p1 / total, p2 / total, p3 / total
