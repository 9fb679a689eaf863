"""The migrations make the tables that the code reads and writes, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from dbos import DBOS
from sqlalchemy import Engine, inspect, text
from sqlmodel import Session, SQLModel, select

from bot.adapters import database
from bot.adapters.schema import MIGRATIONS, migrate
from bot.adapters.store import SqlStore
from bot.adapters.tables import SeenRow
from bot.domain.dedup import KnownAlert
from tests.support.databases import postgres_database
from tests.support.examples import NOW, alert
from tests.support.stores import ask_for


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database."""
    if request.param == "sqlite":
        yield from _disposed(f"sqlite:///{tmp_path}/new/tocsin.db")
    else:
        with postgres_database() as url:
            yield from _disposed(url)


def _disposed(url: str) -> Iterator[Engine]:
    made = database.create(url)
    yield made
    made.dispose()


def downgrade(engine: Engine, revision: str) -> None:
    """Take back what came after that revision."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def names(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def test_migrations_make_exactly_the_tables_of_the_code(engine: Engine, tmp_path: Path) -> None:
    migrate(engine)
    # On SQLite the tables of DBOS lie in the same file.
    DBOS.migrate(f"sqlite:///{tmp_path}/dbos.db")
    others = names(database.create(f"sqlite:///{tmp_path}/dbos.db"))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _parents: kind != "table" or name not in others,
            },
        )
        assert compare_metadata(context, SQLModel.metadata) == []


def test_migrating_again_keeps_what_is_there(engine: Engine) -> None:
    migrate(engine)
    with Session(engine) as session:
        session.add(SeenRow(key="inbox:1", at="2026-03-01T03:00:00+00:00"))
        session.commit()
    before = names(engine)
    migrate(engine)
    assert names(engine) == before
    with Session(engine) as session:
        assert [row.key for row in session.exec(select(SeenRow))] == ["inbox:1"]


def test_what_is_known_of_alerts_outlives_a_change_of_their_keys(engine: Engine) -> None:
    migrate(engine)
    store = SqlStore(engine, ask_for)
    known = {
        f"f{number}": KnownAlert(
            alert(
                fingerprint=f"f{number}",
                labels={"namespace": f"n{number % 7}"},
                starts_at=NOW + timedelta(seconds=number // 1_500),
            ),
            None,
        )
        for number in range(2_500)
    }
    with store.transaction() as tx:
        tx.save_alerts(list(known.values()))
    downgrade(engine, "0007")
    with engine.connect() as connection:
        found = connection.execute(text("SELECT fingerprint FROM alert")).scalars()
        assert sorted(found) == sorted(known)
    migrate(engine)
    with store.read() as reader:
        assert reader.known_alerts([one.alert for one in known.values()]) == known


def test_a_sqlite_file_survives_the_loss_of_power_and_lets_readers_read(tmp_path: Path) -> None:
    engine = database.create(f"sqlite:///{tmp_path}/tocsin.db")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
    engine.dispose()
