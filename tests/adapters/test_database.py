"""PostgreSQL's connections: nobody waits for ever for a client that does nothing any more."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.domain.errors import TemporaryError
from tests.support.databases import postgres_database
from tests.support.stores import ask_for


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with postgres_database() as url:
        yield url


def store_at(url: str, busy_timeout: float = database.BUSY_TIMEOUT) -> SqlStore:
    return SqlStore(database.create(url, busy_timeout), ask_for)


def test_who_sleeps_in_a_transaction_loses_it_and_the_others_go_on(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "IDLE_IN_TRANSACTION", 1)
    sleeper, other = store_at(postgres_url), store_at(postgres_url)
    # The other one waits for the sleeper's lock, which nobody gives back.
    with (
        pytest.raises(TemporaryError, match="idle-in-transaction"),
        sleeper.transaction(),
        other.transaction(),
    ):
        pass
    # What it does next is done on another connection.
    with sleeper.transaction():
        pass


def test_a_writer_waits_for_the_one_before_it_no_longer_than_it_may(postgres_url: str) -> None:
    first, impatient = store_at(postgres_url), store_at(postgres_url, busy_timeout=0.1)
    with (
        first.transaction(),
        pytest.raises(TemporaryError, match="lock timeout"),
        impatient.transaction(),
    ):
        pytest.fail("two write at once")
    with impatient.transaction():
        pass


def test_what_the_url_says_itself_holds(postgres_url: str) -> None:
    engine = database.create(f"{postgres_url}?connect_timeout=3")
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        parameters = driver.info.get_parameters()
    engine.dispose()
    assert parameters["connect_timeout"] == "3"
    assert parameters["tcp_user_timeout"] == "10000"
