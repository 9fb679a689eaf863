"""A store on SQLite and one on PostgreSQL, with nothing in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from bot.adapters import database
from bot.adapters.schema import migrate
from bot.adapters.store import SqlStore
from tests.support.databases import postgres_database, sqlite_database
from tests.support.stores import ask_for, empty


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with postgres_database() as url:
        engine = database.create(url)
        migrate(engine)
        engine.dispose()
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with all tables and nothing in them."""
    if request.param == "sqlite":
        return sqlite_database(tmp_path)
    found: str = request.getfixturevalue("postgres_url")
    engine = database.create(found)
    empty(engine)
    engine.dispose()
    return found


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    made = database.create(url)
    with made.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS asked_for"))
        connection.execute(text("CREATE TABLE asked_for (effect text, delay float)"))
    yield made
    made.dispose()


@pytest.fixture
def store(engine: Engine) -> SqlStore:
    return SqlStore(engine, ask_for)
