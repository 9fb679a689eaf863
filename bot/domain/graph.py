"""A graph as a value: what to draw, over which time, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, and how many seconds apart the values are."""

    start: datetime
    end: datetime
    step: float


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its labels, and its values by the time at which they were measured."""

    labels: Mapping[str, str]
    points: tuple[tuple[datetime, float], ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """What is to be drawn; `unit` is what its values are counted in, or empty."""

    title: str
    unit: str
    expression: str
    span: Span


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn graph, as a PNG, and how many lines there were to draw."""

    png: bytes
    lines: int
