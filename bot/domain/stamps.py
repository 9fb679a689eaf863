"""Moments as people read them in explanations."""

from __future__ import annotations

from datetime import datetime


def stamp(at: datetime) -> str:
    """A moment to the second, with its zone."""
    return f"{at:%d %b %H:%M:%S} UTC"
