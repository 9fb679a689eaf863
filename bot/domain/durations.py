"""Lengths and moments of time as people type them: ``2h``, ``1d12h``, ``2026-12-01T22:00Z``."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import ceil, floor

from bot.domain.errors import InvalidInput

_LENGTH = re.compile(
    r"(?:([0-9]{1,3})w)?(?:([0-9]{1,4})d)?(?:([0-9]{1,4})h)?(?:([0-9]{1,5})m)?(?:([0-9]{1,6})s)?"
)
_MOMENT = re.compile(
    r"2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_SHOWN = 40
"""Characters of a refused word that are repeated to whoever typed it."""


def length(text: str) -> timedelta:
    """A length of time: weeks, days, hours, minutes and seconds, each with its unit."""
    found = _LENGTH.fullmatch(text.lower())
    if not text or found is None:
        given = f"“{text[:_SHOWN]}” is no length of time" if text else "How long is missing"
        raise InvalidInput(f"{given}; write it like 90m, 2h or 1d.")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
"""Seconds of a unit, and its name."""


def span(length: timedelta) -> str:
    """A length of time as people read it: its two largest units, rounded up (``12 min 30 s``)."""
    return in_units(max(ceil(length.total_seconds()), 1), ceil)


def in_units(seconds: int, rounded: Callable[[float], int] = floor) -> str:
    """Seconds, at least one, in their two largest units: of the second a whole number."""
    place = next(place for place, (size, _) in enumerate(_UNITS) if seconds >= size)
    (size, unit), (smaller, name) = (*_UNITS[place:], _UNITS[-1])[:2]
    whole, rest = divmod(rounded(seconds / smaller), size // smaller)
    return f"{whole} {unit} {rest} {name}" if rest else f"{whole} {unit}"


def moment(text: str) -> datetime:
    """A moment, in UTC; without a zone it is UTC already."""
    try:
        if _MOMENT.fullmatch(text.upper()) is None:
            raise ValueError("another form")
        given = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise InvalidInput(
            f"“{text[:_SHOWN]}” is no time; write it like 2026-12-01T22:00Z (Z is UTC)."
        ) from error
    return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
