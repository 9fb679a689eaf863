"""Incidents and their tickets come back as they were saved, and are found."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone

from sqlalchemy import Engine, text

from bot.adapters.store import SqlStore
from bot.domain.classify import Severity
from bot.domain.incident import IncidentState, PageState
from bot.domain.page_events import PageAction
from bot.ports import Relation, Role
from tests.support.examples import ANA, NOW, incident
from tests.support.stores import HOSTILE, LATER, open_one, opened


def test_an_incident_comes_back_as_it_was_saved(store: SqlStore) -> None:
    full = incident(
        Severity.P0,
        id=open_one(store),
        title=HOSTILE,
        state=IncidentState.ACKNOWLEDGED,
        firing=3,
        unseen=2,
        acknowledged_by=ANA,
        acknowledged_at=LATER,
        resolved_at=LATER,
        ticket_due_at=LATER,
        page=PageState(PageAction.TRIGGER, Severity.P1, refused=HOSTILE),
        flaps=3,
        quiet_until=LATER,
        suppressed_by=4,
        absorbed_by=5,
        overridden_by=ANA,
    )
    with store.transaction() as tx:
        tx.save_incident(replace(full, ticket_due_at=None))
        assert tx.incident(full.id) == replace(full, ticket_due_at=None)
    with store.read() as reader:
        assert reader.incident(full.id) == replace(full, ticket_due_at=None)


def test_incidents_are_listed_the_newest_first(store: SqlStore) -> None:
    one, two, three = (open_one(store, group) for group in "abc")
    with store.transaction() as tx:
        tx.save_incident(replace(tx.incident(two), state=IncidentState.RESOLVED))
    with store.read() as reader:
        assert [found.id for found in reader.incidents()] == [three, two, one]
        assert [found.id for found in reader.incidents(limit=2)] == [three, two]
        triggered = reader.incidents([IncidentState.TRIGGERED, IncidentState.CLOSED])
        assert [found.id for found in triggered] == [three, one]
        assert reader.incidents([]) == []


def test_a_groups_latest_incident_and_a_pages_incident_are_found(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.new_incident(opened("g"), NOW)
        newest = tx.new_incident(replace(opened("g"), dedup_key="second"), LATER)
        tx.new_incident(opened("h"), LATER)
    with store.read() as reader:
        assert reader.latest_incident("g") == newest
        assert reader.incident_of_page("second") == newest


def test_a_ticket_is_kept_up_to_date_with_its_incident(store: SqlStore, engine: Engine) -> None:
    ticket = incident(Severity.P2, id=open_one(store), ticket_due_at=LATER)
    for state in (IncidentState.TRIGGERED, IncidentState.RESOLVED):
        with store.transaction() as tx:
            tx.save_incident(replace(ticket, state=state))
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT severity, due_at, done FROM ticket")).all()
        assert [tuple(row) for row in rows] == [("P2", LATER.isoformat(), state.over)]


def test_incidents_are_related_by_keys_the_newest_first(store: SqlStore) -> None:
    old = Relation("node=n1", Role.CHILD, 1, NOW)
    new = Relation("node=n1", Role.CHILD, 2, LATER)
    parent = Relation("node=n1", Role.PARENT, 3, NOW)
    elsewhere = Relation("node=n2", Role.CHILD, 1, NOW)
    with store.transaction() as tx:
        tx.relate([old, parent, elsewhere])
        tx.relate([new])
        tx.relate([])
    with store.read() as reader:
        assert reader.related(["node=n1"], Role.CHILD) == {"node=n1": [new, old]}
        assert reader.related(["node=n1", "node=n3"], Role.PARENT) == {"node=n1": [parent]}
        assert reader.related([], Role.CHILD) == {}


def test_what_is_related_again_is_related_since_then(store: SqlStore) -> None:
    first = Relation("node=n1", Role.CHILD, 1, NOW)
    with store.transaction() as tx:
        tx.relate([first, first])
        tx.relate([replace(first, at=LATER)])
        assert tx.related(["node=n1"], Role.CHILD) == {"node=n1": [replace(first, at=LATER)]}


def test_old_relations_are_forgotten(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.relate([Relation("old", Role.CHILD, 1, NOW), Relation("new", Role.CHILD, 1, LATER)])
    store.forget(LATER)
    with store.read() as reader:
        assert list(reader.related(["old", "new"], Role.CHILD)) == ["new"]


def test_the_pagers_incident_leads_to_all_whose_pages_it_holds(store: SqlStore) -> None:
    one, two, three = (open_one(store, group) for group in "abc")
    with store.transaction() as tx:
        for held in (two, one, one):
            tx.match_pager("Q1", held)
        tx.match_pager("Q2", three)
        assert [found.id for found in tx.incidents_at_pager("Q1")] == [one, two]
    with store.read() as reader:
        assert [found.id for found in reader.incidents_at_pager("Q1")] == [one, two]
        assert reader.incidents_at_pager("Q3") == []


def test_the_newest_decision_is_kept_of_all_the_pagers_incidents(store: SqlStore) -> None:
    """An incident that fires again is another one at the pager; zones make no difference."""
    one, other = open_one(store, "a"), open_one(store, "b")
    warsaw = LATER.astimezone(timezone(timedelta(hours=1)))
    with store.transaction() as tx:
        tx.match_pager("Q1", one)
        assert tx.decided_at_pager(one) is None
        tx.match_pager("Q1", one, LATER - timedelta(microseconds=1))
        tx.match_pager("Q2", one, warsaw)
        tx.match_pager("Q2", one, LATER - timedelta(seconds=1))
        tx.match_pager("Q2", one)
        assert tx.decided_at_pager(one) == LATER
    with store.read() as reader:
        assert reader.decided_at_pager(one) == LATER
        assert reader.decided_at_pager(other) is None
