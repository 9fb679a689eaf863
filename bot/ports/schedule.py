"""When something is due that is due again and again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

NextAfter = Callable[[str, str, datetime], datetime]
"""The first moment after the given one that a cron expression names in a timezone, in UTC.
Raises `InvalidInput` for what is no expression or no timezone."""
