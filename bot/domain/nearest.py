"""The known word that somebody most likely meant."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word closest to `word`, or None when none comes near."""
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return close[0] if close else None


def guess(word: str, known: Sequence[str]) -> str:
    """A question to append to "there is no …", or nothing; it begins with a space."""
    meant = nearest(word, known)
    return f" Did you mean “{meant}”?" if meant else ""
