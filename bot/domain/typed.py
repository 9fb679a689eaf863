"""What people type, word by word: phones type curly quotes and long dashes."""

from __future__ import annotations

import re
import shlex

from bot.domain.classify import Severity
from bot.domain.errors import InvalidInput

_SHOWN = 40
"""Characters of a refused word that are repeated to whoever typed it."""

_TYPOGRAPHY = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "—": "--"})


def head(text: str) -> tuple[str, str]:
    """The first word, and what follows it."""
    word, rest = [*text.split(maxsplit=1), "", ""][:2]
    return word, rest


def words(text: str) -> tuple[str, ...]:
    """Words as a shell splits them."""
    try:
        return tuple(shlex.split(text.translate(_TYPOGRAPHY)))
    except ValueError as error:
        raise InvalidInput("A quotation mark has no partner; close it or leave it out.") from error


_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"'})
_WORD_OR_QUOTED = re.compile(r'(?:"(?:[^"\\]|\\.)*"|\S)+', re.DOTALL)


def loose_words(text: str) -> tuple[str, ...]:
    """Words of prose with matchers in it: double quotes hold words together, and stay.

    An apostrophe is one, and a quotation mark without a partner is a part of its word.
    """
    return tuple(_WORD_OR_QUOTED.findall(text.translate(_QUOTES)))


def number(word: str, prefix: str) -> int:
    """The number in ``12``, ``#12`` or ``INC-12``, where the prefix is ``inc-``."""
    match = re.fullmatch(rf"(?:{re.escape(prefix)}|#)?([0-9]{{1,9}})", word.lower())
    if match is None:
        given = f"“{word[:_SHOWN]}” is not a number" if word else "The number is missing"
        raise InvalidInput(f"{given}.")
    return int(match[1])


def level(word: str) -> Severity:
    """A level: ``P1`` or ``p1``."""
    if word.upper() not in set(Severity):
        given = f"“{word[:_SHOWN]}” is no level" if word else "The level is missing"
        raise InvalidInput(f"{given}; write P0, P1, P2 or P3.")
    return Severity(word.upper())
