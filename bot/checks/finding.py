"""What came of a check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.errors import TocsinError
from bot.settings import Settings


class Warned(Exception):
    """What works, but not as well as somebody may believe; the text says so."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked, and what came of it; a warning is no failure."""

    what: str
    ok: bool
    says: str
    warning: bool = False

    @property
    def mark(self) -> str:
        """How it stands, in four letters."""
        if not self.ok:
            return "FAIL"
        return "warn" if self.warning else "ok  "


def finding(what: str, check: Callable[[Settings], str], settings: Settings) -> Finding:
    """What comes of the check, which says what it found or raises."""
    try:
        return Finding(what, True, check(settings))
    except Warned as warned:
        return Finding(what, True, str(warned), warning=True)
    except TocsinError as error:
        return Finding(what, False, str(error))
