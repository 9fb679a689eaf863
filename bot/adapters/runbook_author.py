"""Writing runbooks: a draft beside the versions, and its release.

A draft is ``<name>/draft.yaml``. It is read like a version, but not offered to run; its
release gives it its version, and from then on the file doesn't change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.adapters.runbook_file import RunbookReader
from bot.adapters.runbook_lock import write_lock
from bot.adapters.runbook_model import NAME, VERSION
from bot.adapters.runbook_release import DRAFT
from bot.adapters.yaml_lines import FileProblems, Problem
from bot.domain.errors import InvalidInput
from bot.domain.runbook import Runbook

_TEMPLATE = """\
# yaml-language-server: $schema=../schema.json
name: {name}
# The version is given at its release: tocsin runbook release {name} 1.0.0
version: 0.0.0
# What it does and how one sees that it worked, in a sentence.
summary: Restart a service's pods, a few at a time, and check that all are ready afterwards.
# What can go wrong when it does exactly what it says: none, low, medium or high.
risk: low

# What is given by whoever starts it, in this order or as name=value. One with a default may be
# left out. The types are in schema.json; those with an order take minimum and maximum, and an
# enum its values.
parameters:
  workload:
    type: workload
    description: The Deployment to restart, as namespace/name.
  soak:
    type: duration
    description: How long the pods have to stay ready before it counts as good.
    default: 30s
    minimum: 10s
    maximum: 1h

# What is done, in this order. ${{parameters.NAME}} stands for a parameter's value, and
# ${{steps.ID.NAME}} for what the plan of an earlier step decides.
steps:
  - id: restart
    title: Restart the pods, a few at a time
    kind: kubernetes.rollout_restart
    with:
      workload: ${{parameters.workload}}
  - id: rollout
    title: Wait until every pod is new and available
    kind: kubernetes.wait_rollout
    with:
      workload: ${{parameters.workload}}
      timeout: 600s

# What has to hold afterwards; these change nothing. If one fails, the steps are undone in reverse.
verification:
  - id: ready
    title: Check that all pods are ready and stay ready
    kind: kubernetes.ready_pods
    with:
      workload: ${{parameters.workload}}
      soak: ${{parameters.soak}}
"""


def new_draft(folder: Path, name: str, newest: Runbook | None) -> Path:
    """Write a draft: of the next version of `newest`, or of a first one. Returns its path."""
    path = _path(folder, name, DRAFT)
    text = newest.text if newest else _TEMPLATE.format(name=name)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, text.encode())
    return path


def release(folder: Path, name: str, version: str, reader: RunbookReader) -> Path:
    """Make the draft that version, and enter it into the LOCK. Returns the version's path.

    Raises `InvalidInput` with all that is wrong with the draft, or when there is none.
    """
    draft = _path(folder, name, DRAFT)
    if not re.fullmatch(VERSION, version):
        raise InvalidInput(f"“{version}” is no version; write it like 1.2.0.")
    content = _content(folder, draft)
    reader.read(content, f"{name}/{DRAFT}")
    released = re.sub(rb"(?m)^version:.*$", f"version: {version}".encode(), content, count=1)
    reader.read(released, f"{name}/{version}.yaml")
    path = draft.with_name(f"{version}.yaml")
    _write(path, released)
    try:
        write_lock(folder)
    except InvalidInput:
        path.unlink()
        raise
    draft.unlink()
    return path


def read_draft(folder: Path, name: str, reader: RunbookReader) -> Runbook:
    """The draft as it is. Raises `InvalidInput` with all that is wrong, or when there is none."""
    return reader.read(_content(folder, _path(folder, name, DRAFT)), f"{name}/{DRAFT}")


def draft_names(folder: Path) -> Sequence[str]:
    """The runbooks that have a draft."""
    return sorted(path.parent.name for path in folder.glob(f"*/{DRAFT}"))


def draft_problems(folder: Path, reader: RunbookReader) -> Iterator[Problem]:
    """All that is wrong with the drafts in the folder."""
    for name in draft_names(folder):
        source = f"{name}/{DRAFT}"
        try:
            reader.read(_content(folder, folder / source), source)
        except FileProblems as error:
            yield from error.problems
        except InvalidInput as error:
            yield Problem(source, 1, str(error))


def _path(folder: Path, name: str, file: str) -> Path:
    if not re.fullmatch(NAME, name):
        raise InvalidInput(f"“{name}” is no name of a runbook; write it like restart-all.")
    return folder / name / file


def _content(folder: Path, path: Path) -> bytes:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InvalidInput(f"{path} leads out of the folder of the runbooks.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} can’t be read: {error.strerror}.") from error


def _write(path: Path, content: bytes) -> None:
    """Write a file that must not be there yet."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise InvalidInput(f"{path} is there already.") from error
