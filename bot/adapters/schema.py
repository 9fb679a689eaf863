"""Brings the database's schema up to date: Tocsin's tables by Alembic, DBOS' by DBOS."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import stamina
from alembic import command
from alembic.config import Config
from dbos import DBOS
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

MIGRATIONS = Path(__file__).parent / "migrations"


PATIENCE = 30.0
"""Seconds to wait for a database server that starts at the same time as Tocsin."""


def _server_is_starting(error: Exception) -> bool:
    """A SQLite file that can't be opened won't mend itself; a server may still come up."""
    return isinstance(error, OperationalError) and not isinstance(
        error.orig, sqlite3.OperationalError
    )


@stamina.retry(on=_server_is_starting, attempts=None, timeout=PATIENCE)
def migrate(engine: Engine) -> None:
    """Make or upgrade all tables. One process does this, before the others start."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    url = engine.url.render_as_string(hide_password=False)
    DBOS.migrate(url)
