"""``LOCK``: the digests of all released runbooks, because what is released never changes.

A line is ``<sha256>  <name>/<version>.yaml``, the form of `sha256sum`, so that
`sha256sum --check LOCK` verifies it too.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.adapters.runbook_release import (
    LOCK,
    SOURCE,
    Released,
    RunbookProblems,
    released_files,
)
from bot.adapters.yaml_lines import Problem

_LINE = re.compile(rf"(?P<digest>[0-9a-f]{{64}})  (?P<source>{SOURCE})")
_NO_LOCK = Problem(
    LOCK, 1, f"there is no {LOCK}, so no runbook here is released; run: tocsin runbook lock"
)


@dataclass(frozen=True, slots=True)
class _Entry:
    digest: str
    line: int


@dataclass(frozen=True, slots=True)
class LockCheck:
    """What the LOCK says about the files.

    `refused` are those that changed, are gone or are not in it, by their place; `problems`
    are lines of the LOCK itself.
    """

    refused: Mapping[str, Problem]
    problems: tuple[Problem, ...]


def check_lock(released: Released) -> LockCheck:
    """Compare the files with the LOCK."""
    entries, problems = _read(released.lock or b"")
    missing = _NO_LOCK if released.lock is None else None
    unlisted = {
        source: missing or Problem(source, 1, f"this file is not in {LOCK}: it is not released.")
        for source in released.files
        if source not in entries
    }
    return LockCheck({**_broken(entries, released), **unlisted}, problems)


def write_lock(folder: Path) -> tuple[str, ...]:
    """Add the files that are new to the LOCK, and return their places.

    Raises `RunbookProblems`, and writes nothing, when a file can't be read or one that
    is in the LOCK already has changed or is gone.
    """
    released = released_files(folder)
    entries, problems = _read(released.lock or b"")
    problems = (*released.problems, *problems, *_broken(entries, released).values())
    if problems:
        raise RunbookProblems(problems)
    added = tuple(sorted(released.files.keys() - entries.keys()))
    lines = [
        f"{_digest(content)}  {source}\n" for source, content in sorted(released.files.items())
    ]
    _replace(folder / LOCK, "".join(lines))
    return added


def _read(lock: bytes) -> tuple[Mapping[str, _Entry], tuple[Problem, ...]]:
    entries: dict[str, _Entry] = {}
    problems = []
    for number, line in enumerate(lock.decode("utf-8", "replace").splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            problems.append(Problem(LOCK, number, "a line is a SHA-256, two spaces and a file."))
        elif match["source"] in entries:
            problems.append(Problem(LOCK, number, f"{match['source']} is given twice."))
        else:
            entries[match["source"]] = _Entry(match["digest"], number)
    return entries, tuple(problems)


def _broken(entries: Mapping[str, _Entry], released: Released) -> Mapping[str, Problem]:
    """What was released and is not there as it was; what can't be read is told elsewhere."""
    unreadable = {problem.source for problem in released.problems}
    faults = {
        source: fault
        for source, entry in entries.items()
        if source not in unreadable and (fault := _fault(source, entry, released))
    }
    return {source: Problem(LOCK, entries[source].line, fault) for source, fault in faults.items()}


def _fault(source: str, entry: _Entry, released: Released) -> str | None:
    if source not in released.files:
        return f"{source} was released, but the file is gone."
    digest = _digest(released.files[source])
    if digest == entry.digest:
        return None
    return (
        f"{source} was released with the digest {entry.digest} but now has {digest}; "
        "put it back, and make a new version for the change."
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _replace(path: Path, text: str) -> None:
    """Write the whole file or nothing."""
    draft = path.with_suffix(".new")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)
