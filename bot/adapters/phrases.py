"""Phrases as people write them in a policy: ``no available/healthy .. pod*``.

``/`` stands between a word's alternatives, ``*`` at its end for any ending, ``..`` for
up to three words; `domain/wording.py` finds them.
"""

from __future__ import annotations

import re
from itertools import pairwise, product
from math import prod

from bot.domain.errors import InvalidInput
from bot.domain.wording import GAP, SHORTEST_STEM, STEM, Phrase

MOST_ALTERNATIVES = 100
"""Phrases that one text may stand for; of more, nobody could say what they find."""

_WORD = re.compile(rf"[a-z0-9]+(\.[0-9]+)?%?|[a-z0-9]{{{SHORTEST_STEM},}}{re.escape(STEM)}")


def parse_phrases(text: str) -> list[Phrase]:
    """The phrases that the text stands for. `InvalidInput` says what can't be read in it."""
    parts = text.split()
    if any(first == GAP == second for first, second in pairwise((GAP, *parts, GAP))):
        raise InvalidInput(f"“{text}” is not a phrase: words come before and after each {GAP}")
    choices = [_choices(part, text) for part in parts]
    if prod(map(len, choices)) > MOST_ALTERNATIVES:
        raise InvalidInput(f"“{text}” stands for more than {MOST_ALTERNATIVES} phrases.")
    return [Phrase(words) for words in product(*choices)]


def _choices(part: str, text: str) -> list[str]:
    if part == GAP:
        return [GAP]
    words = part.split("/")
    for word in words:
        if not _WORD.fullmatch(word):
            raise InvalidInput(
                f"“{text}”: “{word}” is not a word in lower case, or its {STEM} comes "
                f"before {SHORTEST_STEM} letters."
            )
    return words
