"""Cron expressions: the five fields of crontab(5), read by croniter."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from croniter import CroniterError, croniter  # type: ignore[import-untyped]

from bot.domain.errors import InvalidInput

_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")

_PART = r"(?:\*|(?:[0-9]{1,2}|[a-z]{3})(?:-(?:[0-9]{1,2}|[a-z]{3}))?)(?:/[0-9]{1,2})?"
_FIELD = re.compile(rf"{_PART}(?:,{_PART})*", re.IGNORECASE)
"""What crontab(5) knows. croniter knows more, such as fields that are drawn by lot, which
would come out differently at each look."""


def next_after(expression: str, timezone: str, at: datetime) -> datetime:
    """The first moment after `at` (with a zone) that the expression names, in UTC.

    Its fields are the wall clock's in `timezone` (``Europe/Berlin``). A time that the clock
    shows twice, as it is put back, counts once; one that it leaves out comes an hour later.
    Raises `InvalidInput` for what is no expression or no timezone, and for a day that never
    comes.
    """
    zone = _zone(timezone)
    _check(expression)
    try:
        shown = croniter(expression, at.astimezone(zone).replace(tzinfo=None))
        while True:
            # The clock's first showing: to croniter itself a repeated hour is two.
            found: datetime = shown.get_next(datetime).replace(tzinfo=zone, fold=0)
            if found.astimezone(UTC) > at:
                return found.astimezone(UTC)
    except CroniterError as error:
        raise InvalidInput(f"“{expression}” names no time: {error}.") from error


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInput(
            f"There is no timezone “{name}”; write it like Europe/Berlin, or UTC."
        ) from error


def _check(expression: str) -> None:
    given = expression.split()
    if len(given) != len(_FIELDS):
        raise InvalidInput(
            f"“{expression}” is no cron expression: it has {len(given)} fields and not the five "
            "minute, hour, day of the month, month, day of the week."
        )
    for name, field in zip(_FIELDS, given, strict=True):
        if not _FIELD.fullmatch(field):
            raise InvalidInput(f"“{expression}”: its {name} is “{field}”, which cron can’t read.")
