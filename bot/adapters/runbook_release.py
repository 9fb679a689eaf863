"""The files of a runbook library, found safely."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.adapters.runbook_model import NAME, VERSION
from bot.adapters.yaml_lines import LARGEST, FileProblems, Problem

LOCK = "LOCK"
DRAFT = "draft.yaml"
DEPRECATED = "deprecated.yaml"
SOURCE = rf"{NAME}/{VERSION}\.yaml"
"""The form of a version's place in the folder."""

_READ = re.compile(rf"{LOCK}|{SOURCE}|{NAME}/{re.escape(DEPRECATED)}")
_BESIDE = re.compile(rf"{NAME}/(draft|rehearsal(-[a-z0-9-]+)?)\.yaml")
"""What lies beside the versions and is not offered to run."""


class RunbookProblems(FileProblems):
    """All that is wrong with a library of runbooks."""


@dataclass(frozen=True, slots=True)
class Released:
    """What could be read, by its place ``name/version.yaml``, and what is wrong with the rest."""

    files: Mapping[str, bytes]
    problems: tuple[Problem, ...]
    lock: bytes | None = None
    """What the LOCK holds; None if there is none."""
    deprecations: Mapping[str, bytes] = field(default_factory=dict)
    """What each ``name/deprecated.yaml`` holds, by its place."""


class Refused(Exception):
    """Why a file is not read: a sentence without its stop."""


def released_files(folder: Path) -> Released:
    """Every file of a folder of runbooks; what is hidden is passed over.

    Raises `RunbookProblems` when there is no such folder.
    """
    if not folder.is_dir():
        raise RunbookProblems((Problem(str(folder), 1, "there is no such folder of runbooks."),))
    return collect(_sources(folder), lambda source: _content(folder / source, folder))


def collect(sources: Iterable[str], read: Callable[[str], bytes]) -> Released:
    """The files at these places; `read` raises `Refused` or `OSError` for what it can't."""
    found: dict[str, bytes] = {}
    problems = []
    for source in sources:
        if _BESIDE.fullmatch(source):
            continue
        try:
            found[source] = read(_named(source))
        except (Refused, OSError, RuntimeError) as error:  # RuntimeError: a link to itself
            problems.append(Problem(source, 1, f"{error}."))
    lock = found.pop(LOCK, None)
    beside = {it: content for it, content in found.items() if it.endswith(f"/{DEPRECATED}")}
    files = {it: content for it, content in found.items() if it not in beside}
    return Released(files, tuple(problems), lock, beside)


def check_size(size: int) -> None:
    """Refuse a file of so many bytes, if it is too large."""
    if size > LARGEST:
        raise Refused(f"the file is larger than {LARGEST} bytes")


def _named(source: str) -> str:
    if not _READ.fullmatch(source):
        raise Refused("a runbook's file is called name/version.yaml, like restart/1.0.0.yaml")
    return source


def _sources(folder: Path) -> Iterator[str]:
    """The LOCK, and whatever lies in the folder's own folders."""
    if (folder / LOCK).exists():
        yield LOCK
    for place in sorted(folder.iterdir()):
        if place.is_dir() and not place.name.startswith("."):
            paths = (path for path in sorted(place.iterdir()) if not path.name.startswith("."))
            yield from (path.relative_to(folder).as_posix() for path in paths)


def _content(path: Path, folder: Path) -> bytes:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise Refused("this links to outside the folder, so it is not read")
    if not path.is_file():
        raise Refused("this is not a file")
    check_size(path.stat().st_size)
    return path.read_bytes()
