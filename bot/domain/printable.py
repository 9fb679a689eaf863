"""Texts from outside, made safe to be shown: nothing in them hides or reorders what is around."""

from __future__ import annotations

import re

MARK = "\N{REPLACEMENT CHARACTER}"
"""Stands where something was that can't be seen."""

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # these reorder what stands around them
    "\ud800-\udfff]"  # halves of a character, which no encoding can carry
)


def printable(text: str) -> str:
    """The text with a mark in the place of what can't be seen; tabs and line ends stay."""
    return _UNPRINTABLE.sub(MARK, text)
