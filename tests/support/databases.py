"""Databases with Tocsin's tables, for tests: a SQLite file, or a database in PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy.engine import make_url

from bot.adapters import database
from bot.adapters.schema import migrate
from tests.support.postgres import postgres


def sqlite_database(folder: Path) -> str:
    """The URL of a new SQLite file in `folder`, with all tables and nothing in them."""
    file = folder / "tocsin.db"
    file.write_bytes(_migrated())
    return f"sqlite:///{file}"


@cache
def _migrated() -> bytes:
    """A migrated SQLite file: migrating takes far longer than copying what came of it."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "template.db"
        engine = database.create(f"sqlite:///{file}")
        migrate(engine)
        engine.dispose()
        return file.read_bytes()


def without_fsync(connection: Any, _record: object) -> None:
    """For `event.listen(engine, "connect", …)` on SQLite: faster, and no power may fail."""
    connection.execute("PRAGMA synchronous=OFF")


@contextmanager
def postgres_database() -> Iterator[str]:
    """The URL of a new, empty database, dropped afterwards.

    TOCSIN_TEST_POSTGRES may name a server (by the URL of a database on it, as a user who
    may create others); else a server of the tests' own is started, and the test is
    skipped where PostgreSQL is not installed.
    """
    given = os.environ.get("TOCSIN_TEST_POSTGRES")
    if given:
        with _created_on(given) as url:
            yield url
    else:
        with postgres() as server, _created_on(server.url) as url:
            yield url


@contextmanager
def _created_on(server_url: str, template: str = "template1") -> Iterator[str]:
    name = f"tocsin_test_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        try:
            yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextmanager
def copied_database(template_url: str) -> Iterator[str]:
    """The URL of a copy of a PostgreSQL database that nobody uses now; dropped afterwards."""
    server_url = make_url(template_url).set(database="postgres")
    template = make_url(template_url).database or ""
    with _created_on(server_url.render_as_string(hide_password=False), template) as url:
        yield url
