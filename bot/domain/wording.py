"""What an alert's words say: phrases, all those of a policy found in one pass over the text.

Alerts are short prose, so a phrase is words of prose, such as ``no leader``. A `STEM` at
a word's end stands for any ending (``compact*``), a `GAP` for up to three words
(``all .. down``). Case, punctuation and CamelCase don't matter, and no phrase runs from
one sentence into the next.

The phrases are kept as a tree with a branch for each word, and the tree is climbed from
each word of the text. So the time hardly depends on the number of phrases; a row of
regexes would cost more than the whole budget of a classification.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

STEM = "*"
SHORTEST_STEM = 3
"""Letters before a `STEM`; fewer would find words that have nothing in common."""

GAP = ".."
WIDEST_GAP = 3
"""Words that a `GAP` may stand for."""

REMEMBERED = 4096
"""Texts that are remembered, with what they say: the alerts of one rule say the same, but for
the names of things, which `prose` leaves out."""

LONGEST_REMEMBERED = 2000
"""Characters of a text that is remembered, so that all of them stay small."""

Words = list[str]
"""Words in lower case, and the marks that end sentences; 5xx, 99.9 and 3% are words too."""

_READ = ("summary", "description", "message")
"""The annotations that people read; ``message`` is what older rules call the description."""

_ENDS = ".;:!?\n"
_WORD = re.compile(r"[a-z0-9]+(?:\.[0-9]+)?%?|[.;:!?](?=\s|$)|\n")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}")


@dataclass(frozen=True, slots=True)
class Phrase:
    """The words of a phrase, gaps among them; it begins and ends with a word that is none."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.words)


@dataclass(slots=True)
class _Branch:
    """What may come after the words that lead here; `ends` are the phrases that end here."""

    words: dict[str, _Branch] = field(default_factory=dict)
    stems: dict[str, dict[str, _Branch]] = field(default_factory=dict)
    gap: _Branch | None = None
    ends: list[tuple[str, Phrase]] = field(default_factory=list)

    def grow(self, word: str) -> _Branch:
        """The branch that the word of a phrase leads to."""
        if word == GAP:
            self.gap = self.gap or _Branch()
            return self.gap
        if word[-1] == STEM:
            stems = self.stems.setdefault(word[:SHORTEST_STEM], {})
            return stems.setdefault(word[:-1], _Branch())
        return self.words.setdefault(word, _Branch())

    def climb(self, words: Words, index: int, found: dict[str, Phrase]) -> None:
        """Add the signals of all phrases that go on with the word at `index`."""
        word = words[index]
        if word in self.words:
            self.words[word].reached(words, index + 1, found)
        for stem, branch in self.stems.get(word[:SHORTEST_STEM], _NO_STEMS).items():
            if word.startswith(stem):
                branch.reached(words, index + 1, found)

    def reached(self, words: Words, index: int, found: dict[str, Phrase]) -> None:
        """Add the signals of the phrases that end here, before `index`, and of those that go on."""
        for signal, phrase in self.ends:
            found.setdefault(signal, phrase)
        if index < len(words):
            if self.words or self.stems:
                self.climb(words, index, found)
            if self.gap is not None:
                for start in range(index, min(index + WIDEST_GAP + 1, len(words))):
                    if words[start] in _ENDS:
                        break
                    self.gap.climb(words, start, found)


_NO_STEMS: dict[str, _Branch] = {}


class Vocabulary:
    """Which phrase means which signal."""

    def __init__(self, phrases: Iterable[tuple[str, Phrase]] = ()) -> None:
        """Take pairs of a signal and a phrase that means it."""
        self._remembered = lru_cache(REMEMBERED)(self._found)
        self._root = _Branch()
        self._starts: set[str] = set()
        for signal, phrase in phrases:
            first = phrase.words[0]
            self._starts.add(first[:SHORTEST_STEM] if first[-1] == STEM else first)
            branch = self._root
            for word in phrase.words:
                branch = branch.grow(word)
            branch.ends.append((signal, phrase))

    def said(self, text: str) -> Mapping[str, Phrase]:
        """The signals in the text, each with the first phrase that means it."""
        return self._remembered(text) if len(text) <= LONGEST_REMEMBERED else self._found(text)

    def _found(self, text: str) -> Mapping[str, Phrase]:
        found: dict[str, Phrase] = {}
        words = words_of(text)
        for index, word in enumerate(words):
            if word in self._starts or word[:SHORTEST_STEM] in self._starts:
                self._root.climb(words, index, found)
        return found


def words_of(text: str) -> Words:
    """The words of the text, “can't” as “cannot”. What a template would fill in is left out."""
    if "{{" in text:
        text = _TEMPLATE.sub(" ", text)
    return _WORD.findall(text.lower().replace("can't", "cannot").replace("n't", " not"))


def prose(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    """The alert's name, summary, description and message, without the names of things.

    A label's value that is no plain word names a thing, and such a name means nothing:
    an error of ``report-service`` is no report.
    """
    text = "\n".join(filter(None, map(annotations.get, _READ)))
    names = [one for one in labels.values() if len(one) > 3 and not one.isalpha()]
    # The longest first: a pod's name holds that of its service.
    for name in sorted(names, key=len, reverse=True):
        if " " not in name:
            text = text.replace(name, " ")
    return _HUMP.sub(" ", labels.get("alertname", "")) + "\n" + text
