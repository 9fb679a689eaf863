"""Whether the times of a cron expression ever come, asked while the policy is read."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic_core import PydanticCustomError

from bot.adapters.cron import next_after
from bot.domain.errors import InvalidInput

_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def check_times(cron: str, timezone: str) -> None:
    """Raises pydantic's error, at the place that is validated, for times that never come."""
    try:
        next_after(cron, timezone, _ANY_TIME)
    except InvalidInput as error:
        raise PydanticCustomError("schedule", "{said}", {"said": str(error)}) from error
