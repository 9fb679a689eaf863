"""The `RunbookLibrary` port on a folder: ``<name>/<version>.yaml`` and ``LOCK``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.adapters.runbook_file import RunbookReader
from bot.adapters.runbook_lock import lock_problems
from bot.adapters.runbook_release import RunbookProblems, released_files
from bot.adapters.yaml_lines import FileProblems, Problem
from bot.domain.errors import NotFound
from bot.domain.nearest import nearest
from bot.domain.runbook import Runbook
from bot.ports import StepKind


class RunbookFolder:
    """The released runbooks of a folder, all of them read and checked when it is made.

    Raises `RunbookProblems` with everything that is wrong with any of them.
    """

    def __init__(self, folder: Path, kinds: Mapping[str, StepKind]) -> None:
        released = released_files(folder)
        problems = [*released.problems, *lock_problems(folder, released)]
        found, wrong = _read_all(released.files, RunbookReader(kinds))
        if problems or wrong:
            raise RunbookProblems((*problems, *wrong))
        self._by_name = _by_name(found)

    def names(self) -> Sequence[str]:
        return sorted(self._by_name)

    def versions(self, name: str) -> Sequence[str]:
        return list(self._versions(name))

    def get(self, reference: str) -> Runbook:
        name, _, version = reference.partition("@")
        versions = self._versions(name)
        if not version:
            return next(iter(versions.values()))
        if version not in versions:
            there_are = ", ".join(versions)
            raise NotFound(f"Runbook {name} has no version “{version}”; there are: {there_are}.")
        return versions[version]

    def _versions(self, name: str) -> Mapping[str, Runbook]:
        if name in self._by_name:
            return self._by_name[name]
        meant = nearest(name, self.names())
        hint = f"did you mean {meant}?" if meant else f"there are: {', '.join(self.names())}."
        raise NotFound(f"There is no runbook “{name}”; {hint}")


def _read_all(
    files: Mapping[str, bytes], reader: RunbookReader
) -> tuple[list[Runbook], list[Problem]]:
    found: list[Runbook] = []
    problems: list[Problem] = []
    for source, content in files.items():
        try:
            found.append(reader.read(content, source))
        except FileProblems as error:
            problems += error.problems
    return found, problems


def _by_name(runbooks: Sequence[Runbook]) -> Mapping[str, Mapping[str, Runbook]]:
    """Runbooks by name and version, the newest version first."""
    by_name: dict[str, dict[str, Runbook]] = {}
    for runbook in sorted(runbooks, key=_age):
        by_name.setdefault(runbook.name, {})[runbook.version] = runbook
    return by_name


def _age(runbook: Runbook) -> tuple[int, ...]:
    """Sorts newer versions first."""
    return tuple(-int(number) for number in runbook.version.split("."))
