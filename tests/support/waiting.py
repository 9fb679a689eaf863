"""Waiting for what real processes do, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 30.0
"""Seconds in which whatever a test waits for must have happened, on a busy machine too."""

INTERVAL = 0.1
"""Seconds between two reads; more often would take the processor from what is waited for."""

T = TypeVar("T")


def eventually(
    read: Callable[[], T], wanted: Callable[[T], object] = bool, patience: float = PATIENCE
) -> T:
    """Read until `wanted` holds of what was read, and return that."""
    deadline = time.monotonic() + patience
    while not wanted(value := read()):
        assert time.monotonic() < deadline, f"not within {patience} s; the last was {value!r}"
        time.sleep(INTERVAL)
    return value
