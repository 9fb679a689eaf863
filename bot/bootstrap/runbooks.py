"""The library of runbooks: a folder, or a commit of a git repository."""

from __future__ import annotations

from bot.adapters.runbook_release import Released, released_files
from bot.adapters.runbooks import Runbooks
from bot.adapters.yaml_lines import Problem
from bot.domain.errors import PermanentError, TemporaryError
from bot.settings import Settings
from bot.steps.registry import step_kinds
from bot.vendors import data_folder, secret

KEPT = "runbooks.git"
"""The bare repository, beside the database, that keeps what was fetched."""


def runbooks(settings: Settings) -> Runbooks:
    """The library. What is wrong with single files is in its `problems`.

    A git server that can't be reached must not keep Tocsin from paging: then the library
    is empty and says why. Raises `InvalidInput` for a setting that can't be right.
    """
    pinned = secret(settings.runbooks_git)
    return Runbooks(_pinned(pinned, settings) if pinned else _folder(settings), step_kinds())


def _folder(settings: Settings) -> Released:
    return released_files(settings.runbooks)


def _pinned(pinned: str, settings: Settings) -> Released:
    # Imported here: few installations use it.
    from bot.adapters.runbook_git import SETTING, parse_pin, released_commit

    try:
        return released_commit(parse_pin(pinned), data_folder(settings) / KEPT)
    except (TemporaryError, PermanentError) as error:
        return Released({}, (Problem(SETTING, 1, str(error)),), lock=b"")
