"""Texts cut to fit, in a way that says so: what is left out is counted, and found elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

ELLIPSIS = "…"


def counted(number: int, noun: str) -> str:
    """``1 pod``, ``3 pods``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def more_lines(number: int, where: str = "") -> str:
    """``… 14 more lines: /runs/12``; `where` is where they stand, empty if nowhere."""
    said = f"{ELLIPSIS} {counted(number, 'more line')}"
    return f"{said}: {where}" if where else said


def one_line(text: str, most: int) -> str:
    """The text in one line of at most `most` characters."""
    words = " ".join(text.split())
    return words if len(words) <= most else words[: most - len(ELLIPSIS)] + ELLIPSIS


def as_fit(lines: Sequence[str], most: int, where: str = "") -> Sequence[str]:
    """The lines if all fit into `most` characters, else the first that do and how many more."""
    if _size(lines) <= most:
        return lines
    room = most - len(more_lines(len(lines), where)) - 1
    shown = list(_first(lines, room))
    return [*shown, more_lines(len(lines) - len(shown), where)]


def _first(lines: Sequence[str], room: int) -> Iterator[str]:
    for line in lines:
        room -= len(line) + 1
        if room < -1:
            return
        yield line


def _size(lines: Sequence[str]) -> int:
    return sum(len(line) + 1 for line in lines) - 1
