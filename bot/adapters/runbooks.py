"""The `RunbookLibrary` port: versions that are in the LOCK, as they were released.

What is wrong with one file refuses that one; all others can be used. What was refused
is in `problems`, and asking for it says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot.adapters.runbook_deprecation import deprecations
from bot.adapters.runbook_file import RunbookReader
from bot.adapters.runbook_lock import check_lock
from bot.adapters.runbook_model import VERSION
from bot.adapters.runbook_release import Released, released_files
from bot.adapters.yaml_lines import FileProblems, Problem
from bot.domain.errors import InvalidInput, NotFound
from bot.domain.nearest import nearest
from bot.domain.runbook import Runbook
from bot.ports import StepKind


class Runbooks:
    """Released runbooks, all of them read and checked when it is made."""

    def __init__(self, released: Released, kinds: Mapping[str, StepKind]) -> None:
        lock = check_lock(released)
        good, wrong = _read_all(released, RunbookReader(kinds))
        found, misspelt = deprecations(released)
        self._refused = _by_source((*lock.refused.items(), *_named(released.problems), *wrong))
        usable = (
            replace(runbook, deprecated=found.get(source, ""))
            for source, runbook in good.items()
            if source not in self._refused
        )
        self._by_name = _by_name(tuple(usable))
        refusals = (problem for problems in self._refused.values() for problem in problems)
        self._problems = tuple(sorted({*refusals, *lock.problems, *misspelt}))

    @property
    def problems(self) -> Sequence[Problem]:
        """All that is wrong with any of the files; empty when each can be used."""
        return self._problems

    def names(self) -> Sequence[str]:
        return sorted(self._by_name)

    def versions(self, name: str) -> Sequence[str]:
        return list(self._versions(name))

    def get(self, reference: str) -> Runbook:
        """Raises `InvalidInput` with all that is wrong for one that is refused."""
        name, _, version = reference.partition("@")
        self._check_refused(name, version)
        versions = self._versions(name)
        if not version:
            newest = _newest(versions)
            return replace(newest, passed_over=self._passed_over(newest))
        if version not in versions:
            there_are = ", ".join(versions)
            raise NotFound(f"Runbook {name} has no version “{version}”; there are: {there_are}.")
        return versions[version]

    def _passed_over(self, used: Runbook) -> str:
        """Why newer versions can't be used; empty where there are none."""
        newer = [
            problems[0]
            for source, problems in self._refused.items()
            if _version_of(source, used.name) > _number(used.version)
        ]
        return " ".join(f"a newer one is refused, {problem}" for problem in newer)

    def _check_refused(self, name: str, version: str) -> None:
        """Say why this version can't be used or, if no version can, why each can't."""
        if version:
            problems = self._refused.get(f"{name}/{version}.yaml", [])
        elif name not in self._by_name:
            problems = [
                problem
                for source, found in self._refused.items()
                for problem in found
                if source.startswith(f"{name}/")
            ]
        else:
            return
        if problems:
            said = "\n".join(map(str, dict.fromkeys(problems)))
            raise InvalidInput(f"Runbook {name}{version and '@'}{version} is refused:\n{said}")

    def _versions(self, name: str) -> Mapping[str, Runbook]:
        if name in self._by_name:
            return self._by_name[name]
        if not self._by_name and self._problems:
            said = "\n".join(map(str, self._problems))
            raise NotFound(f"There is no runbook that can be used:\n{said}")
        meant = nearest(name, self.names())
        hint = f"did you mean {meant}?" if meant else f"there are: {', '.join(self.names())}."
        raise NotFound(f"There is no runbook “{name}”; {hint}")


class RunbookFolder(Runbooks):
    """The runbooks of a folder: ``<name>/<version>.yaml`` and ``LOCK``.

    Raises `RunbookProblems` when there is no such folder.
    """

    def __init__(self, folder: Path, kinds: Mapping[str, StepKind]) -> None:
        super().__init__(released_files(folder), kinds)


def _read_all(
    released: Released, reader: RunbookReader
) -> tuple[Mapping[str, Runbook], Sequence[tuple[str, Problem]]]:
    found: dict[str, Runbook] = {}
    problems: list[tuple[str, Problem]] = []
    for source, content in released.files.items():
        try:
            found[source] = reader.read(content, source)
        except FileProblems as error:
            problems += _named(error.problems)
    return found, problems


def _named(problems: Sequence[Problem]) -> Iterator[tuple[str, Problem]]:
    return ((problem.source, problem) for problem in problems)


def _by_source(pairs: Sequence[tuple[str, Problem]]) -> Mapping[str, list[Problem]]:
    by_source: dict[str, list[Problem]] = {}
    for source, problem in pairs:
        by_source.setdefault(source, []).append(problem)
    return by_source


def _by_name(runbooks: Sequence[Runbook]) -> Mapping[str, Mapping[str, Runbook]]:
    """Runbooks by name and version, the newest version first."""
    by_name: dict[str, dict[str, Runbook]] = {}
    for runbook in sorted(runbooks, key=_age):
        by_name.setdefault(runbook.name, {})[runbook.version] = runbook
    return by_name


def _newest(versions: Mapping[str, Runbook]) -> Runbook:
    """The newest that is not deprecated; if all are, the newest."""
    in_use = [runbook for runbook in versions.values() if not runbook.deprecated]
    return next(iter(in_use or versions.values()))


def _version_of(source: str, name: str) -> tuple[int, ...]:
    """The version in ``name/version.yaml``; of any other file none."""
    version = source.removeprefix(f"{name}/").removesuffix(".yaml")
    return _number(version) if re.fullmatch(VERSION, version) else ()


def _number(version: str) -> tuple[int, ...]:
    """Compares as versions do."""
    return tuple(map(int, version.split(".")))


def _age(runbook: Runbook) -> tuple[int, ...]:
    """Sorts newer versions first."""
    return tuple(-number for number in _number(runbook.version))
