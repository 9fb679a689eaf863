"""Maintenance windows for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.domain.maintenance import Window
from bot.domain.matcher_text import parse_matcher
from tests.support.examples import ANA, NOW

HOUR = timedelta(hours=1)


def window(number: int = 1, *matchers: str, **changes: Any) -> Window:
    """A window of an hour that has just begun."""
    parsed = tuple(map(parse_matcher, matchers or ("namespace=payments",)))
    plain = Window(number, parsed, NOW, NOW + HOUR, "Upgrade.", ANA, NOW)
    return replace(plain, **changes)
