from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.app.response_watch import ResponseWatch
from bot.domain.classify import Severity
from bot.domain.incident import Calling, Incident, IncidentState, PageState, Response
from bot.domain.incident_events import IncidentOpened
from bot.domain.page_events import PageAction
from tests.support.databases import sqlite_database
from tests.support.examples import NOW, classification


class Board(dict[tuple[str, str], float]):
    """Implements the `Gauges` port on a dictionary."""

    def gauge(self, name: str, value: float, severity: str) -> None:
        self[name, severity] = value


def test_late_responses_and_unconfirmed_pages_are_counted_until_somebody_has_them(
    tmp_path: Path,
) -> None:
    store = SqlStore(database.create(sqlite_database(tmp_path)), lambda *_: None)
    board = Board()
    watch = ResponseWatch(store, board)
    watch.look()
    assert set(board.values()) == {0.0}

    late = replace(_opened(store, Severity.P0), response=Response(overdue=True))
    paged = PageState(PageAction.TRIGGER, Severity.P1, at=NOW)
    unsure = replace(_opened(store, Severity.P1), page=paged, calling=Calling(NOW))
    _save(store, late, unsure)
    watch.look()
    assert {key for key, value in board.items() if value} == {
        ("responses_overdue", "P0"),
        ("pages_unconfirmed", "P1"),
    }

    taken = replace(late, state=IncidentState.ACKNOWLEDGED)
    _save(store, taken, replace(unsure, calling=Calling(NOW, confirmed_by="by a webhook")))
    watch.look()
    assert set(board.values()) == {0.0}


def _opened(store: SqlStore, level: Severity) -> Incident:
    with store.transaction() as tx:
        opened = IncidentOpened(level, "Title", "Summary", classification(level), f"key-{level}")
        return tx.new_incident(opened, NOW)


def _save(store: SqlStore, *incidents: Incident) -> None:
    with store.transaction() as tx:
        for one in incidents:
            tx.save_incident(one)
