"""The files of a runbook folder, found safely."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.adapters.runbook_model import NAME, VERSION
from bot.adapters.yaml_lines import LARGEST, FileProblems, Problem

SOURCE = rf"{NAME}/{VERSION}\.yaml"
"""The form of a file's place in the folder."""


class RunbookProblems(FileProblems):
    """All that is wrong with a folder of runbooks."""


@dataclass(frozen=True, slots=True)
class Released:
    """What could be read, by its place ``name/version.yaml``, and what is wrong with the rest."""

    files: Mapping[str, bytes]
    problems: tuple[Problem, ...]


def released_files(folder: Path) -> Released:
    """Every runbook file in the folder; what is hidden is passed over."""
    files: dict[str, bytes] = {}
    problems = []
    for path in _candidates(folder):
        source = path.relative_to(folder).as_posix()
        try:
            files[source] = _content(path, folder)
        except (_Refused, OSError, RuntimeError) as error:  # RuntimeError: a link to itself
            problems.append(Problem(source, 1, f"{error}."))
    return Released(files, tuple(problems))


class _Refused(Exception):
    pass


def _candidates(folder: Path) -> Iterator[Path]:
    """Whatever lies in the folder's own folders."""
    if not folder.is_dir():
        raise RunbookProblems((Problem(str(folder), 1, "there is no such folder of runbooks."),))
    for place in sorted(folder.iterdir()):
        if place.is_dir() and not place.name.startswith("."):
            yield from (path for path in sorted(place.iterdir()) if not path.name.startswith("."))


def _content(path: Path, folder: Path) -> bytes:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise _Refused("this links to outside the folder, so it is not read")
    if not re.fullmatch(SOURCE, path.relative_to(folder).as_posix()):
        raise _Refused("a runbook's file is called name/version.yaml, like restart/1.0.0.yaml")
    if not path.is_file():
        raise _Refused("this is not a file")
    if path.stat().st_size > LARGEST:
        raise _Refused(f"the file is larger than {LARGEST} bytes")
    return path.read_bytes()
