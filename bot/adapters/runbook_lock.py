"""``LOCK``: the digests of all released runbooks, because what is released never changes.

A line is ``<sha256>  <name>/<version>.yaml``, the form of `sha256sum`, so that
`sha256sum --check LOCK` verifies it too.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.adapters.runbook_release import SOURCE, Released, RunbookProblems, released_files
from bot.adapters.yaml_lines import Problem

LOCK = "LOCK"
_LINE = re.compile(rf"(?P<digest>[0-9a-f]{{64}})  (?P<source>{SOURCE})")


@dataclass(frozen=True, slots=True)
class _Entry:
    digest: str
    line: int


def lock_problems(folder: Path, released: Released) -> Iterator[Problem]:
    """Every released file that changed, is gone, or is not in the LOCK."""
    entries, problems = _read(folder)
    yield from problems
    yield from _broken(entries, released)
    for source in sorted(released.files.keys() - entries.keys()):
        yield Problem(source, 1, f"this file is not in {LOCK}, so it is not released.")


def write_lock(folder: Path) -> tuple[str, ...]:
    """Add the files that are new to the LOCK, and return their places.

    Raises `RunbookProblems`, and writes nothing, when a file can't be read or one that
    is in the LOCK already has changed or is gone.
    """
    released = released_files(folder)
    entries, problems = _read(folder)
    problems = (*released.problems, *problems, *_broken(entries, released))
    if problems:
        raise RunbookProblems(problems)
    added = tuple(sorted(released.files.keys() - entries.keys()))
    lines = [
        f"{_digest(content)}  {source}\n" for source, content in sorted(released.files.items())
    ]
    _replace(folder / LOCK, "".join(lines))
    return added


def _read(folder: Path) -> tuple[Mapping[str, _Entry], tuple[Problem, ...]]:
    path = folder / LOCK
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    entries: dict[str, _Entry] = {}
    problems = []
    for number, line in enumerate(text.splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            problems.append(Problem(LOCK, number, "a line is a SHA-256, two spaces and a file."))
        elif match["source"] in entries:
            problems.append(Problem(LOCK, number, f"{match['source']} is given twice."))
        else:
            entries[match["source"]] = _Entry(match["digest"], number)
    return entries, tuple(problems)


def _broken(entries: Mapping[str, _Entry], released: Released) -> Iterator[Problem]:
    unreadable = {problem.source for problem in released.problems}
    for source, entry in entries.items():
        if source in unreadable:
            continue
        if source not in released.files:
            yield Problem(LOCK, entry.line, f"{source} was released, but the file is gone.")
        elif (digest := _digest(released.files[source])) != entry.digest:
            yield Problem(
                LOCK,
                entry.line,
                f"{source} was released with the digest {entry.digest} but now has {digest}; "
                "put it back, and make a new version for the change.",
            )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _replace(path: Path, text: str) -> None:
    """Write the whole file or nothing."""
    draft = path.with_suffix(".new")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)
