"""The installation that a command of the command line works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.settings import load

if TYPE_CHECKING:
    from bot.bootstrap import Core


def open_core() -> Core:
    """Its store and its use cases; the database is brought up to date first."""
    # Imported here, so that commands that need no database start at once.
    from bot.adapters.schema import migrate
    from bot.bootstrap import core

    shared = core(load())
    migrate(shared.engine)
    return shared
