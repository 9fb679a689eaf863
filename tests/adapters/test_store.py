"""The contract of the `Store` port, on SQLite and on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any, get_args

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlmodel import SQLModel

from bot.adapters import codec, database
from bot.adapters.schema import migrate
from bot.adapters.store import SqlStore
from bot.adapters.store.delivery import OVERDUE
from bot.domain.actor import ALERTMANAGER
from bot.domain.alert import AlertStatus
from bot.domain.classify import Severity
from bot.domain.dedup import KnownAlert
from bot.domain.effects import (
    AdvanceRun,
    AnswerPlan,
    Effect,
    SendAnswer,
    UpdateMessage,
    UpdatePage,
    waiting_place,
)
from bot.domain.errors import NotFound, TemporaryError
from bot.domain.incident import IncidentState, PageState
from bot.domain.incident_events import IncidentOpened, NoteAdded, PageAction
from bot.domain.message import (
    Button,
    ButtonStyle,
    Field,
    Message,
    MessageRef,
    Subject,
    SubjectKind,
)
from bot.domain.plan import StepOutcome
from bot.domain.run import StepState, evolve
from bot.domain.run_events import RunPlanned, RunState
from bot.domain.timeline import Event, Recorded
from bot.ports import PostedMessage, Store
from tests.support.databases import postgres_database, sqlite_database
from tests.support.examples import (
    ANA,
    EVENTS,
    NOW,
    PAGERDUTY,
    alert,
    classification,
    incident,
    plan_of,
    run,
    runbook,
)

HOSTILE = "<!channel> '; DROP TABLE incident; -- \\ \" 💥 \u202e \ud7ff \0 " + "x" * 10_000
LATER = NOW + timedelta(hours=1)
INCIDENT = Subject(SubjectKind.INCIDENT, 1)


@pytest.fixture(scope="module")
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
    _empty(found)
    return found


def _empty(url: str) -> None:
    engine = database.create(url)
    with engine.begin() as connection:
        tables = ", ".join(table.name for table in SQLModel.metadata.sorted_tables)
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
        connection.execute(text("DROP TABLE IF EXISTS asked_for"))
    engine.dispose()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    made = database.create(url)
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE asked_for (effect text, delay float)"))
    yield made
    made.dispose()


def ask_for(connection: Connection, effect: Effect, delay: float) -> None:
    """A queue in the same database, as the port wants it."""
    connection.execute(
        text("INSERT INTO asked_for VALUES (:effect, :delay)"),
        {"effect": str(effect), "delay": delay},
    )


def asked_for(engine: Engine) -> list[tuple[str, float]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT * FROM asked_for"))]


@pytest.fixture
def store(engine: Engine) -> SqlStore:
    return SqlStore(engine, ask_for)


def opened(group_key: str = "g") -> IncidentOpened:
    return IncidentOpened(group_key, "Title", "Summary", classification(), f"key-{group_key}")


def open_one(store: Store, group_key: str = "g") -> int:
    with store.transaction() as tx:
        return tx.new_incident(opened(group_key), NOW).id


# Values come back as they were


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
        page=PageState(PageAction.TRIGGER, Severity.P1, HOSTILE),
    )
    with store.transaction() as tx:
        tx.save_incident(replace(full, ticket_due_at=None))
        assert tx.incident(full.id) == replace(full, ticket_due_at=None)
    with store.read() as reader:
        assert reader.incident(full.id) == replace(full, ticket_due_at=None)


def test_a_run_comes_back_with_its_runbook_plan_and_steps(store: SqlStore) -> None:
    with store.transaction() as tx:
        made = tx.new_run(run(id=0))
        planned = evolve(made, RunPlanned(plan_of(runbook(), ("change",))), ANA, LATER)
        steps = (
            replace(planned.steps[0], state=StepState.DONE, outcome=StepOutcome("Ok", {"a": "b"})),
            *planned.steps[1:],
        )
        full = replace(planned, steps=steps, approved_by=ANA, result=HOSTILE, finished_at=LATER)
        tx.save_run(full)
    with store.read() as reader:
        found = reader.run(made.id)
    assert found == full
    assert found.plan is not None
    assert list(found.plan.steps) == ["look", "change", "wait", "verify"]


def test_alerts_come_back_the_latest_started_first(store: SqlStore) -> None:
    one, two = open_one(store), open_one(store, "h")
    old = KnownAlert(alert(labels={"a": HOSTILE}, annotations={HOSTILE: "x"}), one)
    exact = NOW.replace(microsecond=0)
    whole = KnownAlert(alert(fingerprint="f2", starts_at=exact), one)
    new = KnownAlert(alert(AlertStatus.RESOLVED, "f3", starts_at=LATER, ends_at=LATER), two)
    lost = KnownAlert(alert(AlertStatus.RESOLVED, "f4", starts_at=NOW - timedelta(days=1)), None)
    with store.transaction() as tx:
        tx.save_alerts([lost, whole, new, old])
    with store.read() as reader:
        assert list(reader.alerts()) == [new, old, whole, lost]
        assert list(reader.alerts(one)) == [old, whole]
        assert list(reader.alerts(limit=1)) == [new]
        assert reader.known_alerts(["f1", "f4", "f9"]) == {"f1": old, "f4": lost}
        assert (reader.count_firing(one), reader.count_firing(two)) == (2, 0)


def test_of_a_fingerprint_the_last_saved_counts(store: SqlStore) -> None:
    home = open_one(store)
    with store.transaction() as tx:
        tx.save_alerts([KnownAlert(alert(), None)])
        tx.save_alerts([KnownAlert(alert(AlertStatus.RESOLVED), home)])
        assert tx.count_firing(home) == 0
    with store.read() as reader:
        assert reader.known_alerts(["f1"]) == {"f1": KnownAlert(alert(AlertStatus.RESOLVED), home)}


def test_more_fingerprints_than_a_statement_takes_can_be_asked_for(store: SqlStore) -> None:
    many = [KnownAlert(alert(fingerprint=f"f{number}"), None) for number in range(1_200)]
    with store.transaction() as tx:
        tx.save_alerts(many)
        assert len(tx.known_alerts([one.alert.fingerprint for one in many])) == 1_200


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_every_event_comes_back_as_it_was_written(store: SqlStore, kind: type[Event]) -> None:
    with store.transaction() as tx:
        tx.append(EVENTS[kind], PAGERDUTY, NOW, incident_id=4, run_id=5)
    with store.read() as reader:
        assert reader.recorded(incident_id=4) == [
            Recorded(1, NOW, PAGERDUTY, EVENTS[kind], incident_id=4, run_id=5)
        ]


MESSAGE = Message(
    "Headline",
    fields=(Field("a", "b"),),
    body=HOSTILE,
    preformatted="x",
    buttons=(Button("incident.resolve", "1", "Resolve", ButtonStyle.DANGER, "Sure?"),),
    footer="f",
    subject=INCIDENT,
)
EFFECTS = (
    UpdatePage(1, Severity.P0, 3),
    UpdateMessage(INCIDENT, soon=True, attempt=2),
    SendAnswer("https://hooks.example/1", MESSAGE, 4),
    AnswerPlan("https://hooks.example/1", "restart@1.0.0", ("a/b", HOSTILE)),
    AdvanceRun(9),
)


def test_every_effect_comes_back_from_its_json() -> None:
    assert tuple(map(type, EFFECTS)) == get_args(Effect)
    for effect in EFFECTS:
        assert codec.load_effect(codec.dump_effect(effect)) == effect


@pytest.mark.parametrize("ref", [None, MessageRef("C1", "123.456")])
def test_where_a_message_stands_comes_back(store: SqlStore, ref: MessageRef | None) -> None:
    with store.transaction() as tx:
        assert tx.message(INCIDENT) is None
        tx.save_message(INCIDENT, PostedMessage(None, ""))
        tx.save_message(INCIDENT, PostedMessage(ref, "digest"))
    with store.read() as reader:
        assert reader.message(INCIDENT) == PostedMessage(ref, "digest")
        assert reader.message(Subject(SubjectKind.RUN, 1)) is None


# Looking things up


def test_what_is_not_there_is_named(store: SqlStore) -> None:
    with store.read() as reader:
        with pytest.raises(NotFound, match="no incident INC-5"):
            reader.incident(5)
        with pytest.raises(NotFound, match="no run 6"):
            reader.run(6)
        assert reader.latest_incident("g") is None
        assert reader.incident_of_page("key") is None


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


def test_runs_are_listed_the_newest_first(store: SqlStore) -> None:
    with store.transaction() as tx:
        one, two = (tx.new_run(run(state)) for state in (RunState.RUNNING, RunState.FAILED))
    with store.read() as reader:
        assert [found.id for found in reader.runs()] == [two.id, one.id]
        assert list(reader.runs([RunState.RUNNING])) == [one]


def test_a_groups_latest_incident_and_a_pages_incident_are_found(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.new_incident(opened("g"), NOW)
        newest = tx.new_incident(replace(opened("g"), dedup_key="second"), LATER)
        tx.new_incident(opened("h"), LATER)
    with store.read() as reader:
        assert reader.latest_incident("g") == newest
        assert reader.incident_of_page("second") == newest


def test_events_are_told_in_the_order_in_which_they_were_written(store: SqlStore) -> None:
    notes = [NoteAdded(str(number)) for number in range(20)]
    with store.transaction() as tx:
        for number, note in enumerate(notes):
            # Clocks may go back; the order of writing counts.
            tx.append(note, ANA, NOW - timedelta(seconds=number), incident_id=1, run_id=number % 2)
        tx.append(NoteAdded("other"), ANA, NOW, incident_id=2)
    with store.read() as reader:
        told = reader.recorded(incident_id=1)
        assert [one.event for one in told] == notes
        assert [one.id for one in told] == sorted(one.id for one in told)
        assert [one.event for one in reader.recorded(run_id=1)] == notes[1::2]


def test_ids_count_from_one_and_are_never_used_twice(store: SqlStore) -> None:
    assert [open_one(store, group) for group in "abc"] == [1, 2, 3]
    with store.transaction() as tx:
        assert [tx.new_run(run(id=99)).id for _ in range(2)] == [1, 2]


def test_a_ticket_is_kept_up_to_date_with_its_incident(store: SqlStore, engine: Engine) -> None:
    ticket = incident(Severity.P2, id=open_one(store), ticket_due_at=LATER)
    for state in (IncidentState.TRIGGERED, IncidentState.RESOLVED):
        with store.transaction() as tx:
            tx.save_incident(replace(ticket, state=state))
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT severity, due_at, done FROM ticket")).all()
        assert [tuple(row) for row in rows] == [("P2", LATER.isoformat(), state.over)]


def test_a_key_is_new_once(store: SqlStore) -> None:
    with store.transaction() as tx:
        assert tx.first_time("inbox:1", NOW)
        assert not tx.first_time("inbox:1", NOW)
    with store.transaction() as tx:
        assert not tx.first_time("inbox:1", LATER)
        assert tx.first_time("inbox:2", NOW)


def test_keys_are_forgotten_when_they_are_old(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.first_time("old", NOW)
        tx.first_time("new", LATER)
    store.forget(LATER)
    with store.transaction() as tx:
        assert tx.first_time("old", LATER)
        assert not tx.first_time("new", LATER)


# Together, or not at all


class _Broken(Exception):
    pass


def test_an_exception_takes_everything_back(store: SqlStore, engine: Engine) -> None:
    home = open_one(store)

    def everything_then_break() -> None:
        with store.transaction() as tx:
            tx.new_incident(opened("h"), NOW)
            tx.save_incident(replace(tx.incident(home), state=IncidentState.CLOSED))
            tx.save_alerts([KnownAlert(alert(), home)])
            tx.new_run(run())
            tx.append(NoteAdded("x"), ANA, NOW, incident_id=home)
            tx.save_message(INCIDENT, PostedMessage(None, ""))
            tx.first_time("inbox:1", NOW)
            tx.enqueue(UpdatePage(home, Severity.P1))
            raise _Broken

    with pytest.raises(_Broken):
        everything_then_break()
    with store.read() as reader:
        assert [(one.id, one.state) for one in reader.incidents()] == [
            (home, IncidentState.TRIGGERED)
        ]
        assert reader.alerts() == []
        assert reader.runs() == []
        assert reader.recorded(incident_id=home) == []
        assert reader.message(INCIDENT) is None
    assert asked_for(engine) == []
    with store.transaction() as tx:
        assert tx.first_time("inbox:1", NOW)


def test_effects_are_asked_for_when_it_is_committed_and_each_once(
    store: SqlStore, engine: Engine
) -> None:
    page, message = UpdatePage(1, Severity.P1), UpdateMessage(INCIDENT)
    with store.transaction() as tx:
        tx.enqueue(page)
        tx.enqueue(message, 30.0)
        tx.enqueue(page)
        assert asked_for(engine) == []
    assert asked_for(engine) == [(str(page), 0.0), (str(message), 30.0)]


@pytest.mark.parametrize("delays", [(0.0, 60.0), (60.0, 0.0)])
def test_of_two_delays_the_shorter_counts(
    store: SqlStore, engine: Engine, delays: tuple[float, float]
) -> None:
    page = UpdatePage(1, Severity.P1)
    with store.transaction() as tx:
        for delay in delays:
            tx.enqueue(page, delay)
    assert asked_for(engine) == [(str(page), 0.0)]


def test_an_update_that_waits_is_not_asked_for_again_until_it_begins(
    store: SqlStore, engine: Engine
) -> None:
    update, page = UpdateMessage(INCIDENT), UpdatePage(1, Severity.P1)

    def ask(*effects: Effect) -> int:
        before = len(asked_for(engine))
        with store.transaction() as tx:
            for effect in effects:
                tx.enqueue(effect)
        return len(asked_for(engine)) - before

    assert ask(update) == 1
    assert ask(update) == 0
    assert ask(replace(update, soon=True), UpdateMessage(Subject(SubjectKind.RUN, 1))) == 2
    assert [ask(page), ask(page)] == [1, 1]
    with store.transaction() as tx:
        tx.begin(update)
    assert ask(update) == 1


def test_a_place_that_was_taken_for_too_long_is_free(store: SqlStore, engine: Engine) -> None:
    update = UpdateMessage(INCIDENT)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO waiting VALUES (:place, :since)"),
            {"place": waiting_place(update), "since": time.time() - OVERDUE - 1},
        )
    for _ in range(2):
        with store.transaction() as tx:
            tx.enqueue(update)
    assert len(asked_for(engine)) == 1


def test_a_begin_that_is_rolled_back_frees_no_place(store: SqlStore, engine: Engine) -> None:
    update = UpdateMessage(INCIDENT)

    def begin_then_break() -> None:
        with store.transaction() as tx:
            tx.begin(update)
            raise _Broken

    for _ in range(2):
        with store.transaction() as tx:
            tx.enqueue(update)
        with pytest.raises(_Broken):
            begin_then_break()
    assert len(asked_for(engine)) == 1


def test_a_queue_that_fails_takes_everything_back(engine: Engine) -> None:
    def broken(connection: Connection, effect: Effect, delay: float) -> None:
        ask_for(connection, effect, delay)
        raise _Broken

    store = SqlStore(engine, broken)

    def note_and_page() -> None:
        with store.transaction() as tx:
            tx.append(NoteAdded("x"), ANA, NOW, incident_id=1)
            tx.enqueue(UpdatePage(1, Severity.P1))

    with pytest.raises(_Broken):
        note_and_page()
    with store.read() as reader:
        assert reader.recorded(incident_id=1) == []
    assert asked_for(engine) == []


# At the same time


def test_a_reader_sees_one_moment(store: SqlStore) -> None:
    home = open_one(store)
    with store.read() as reader:
        before = reader.incident(home)
        with store.transaction() as tx:
            tx.save_incident(replace(before, firing=5))
            tx.append(NoteAdded("x"), ALERTMANAGER, NOW, incident_id=home)
        assert reader.incidents() == [before]
        assert reader.recorded(incident_id=home) == []
    with store.read() as reader:
        assert reader.incident(home).firing == 5
        assert len(reader.recorded(incident_id=home)) == 1


def test_what_is_not_committed_is_seen_inside_only(store: SqlStore) -> None:
    with store.transaction() as tx:
        made = tx.new_incident(opened(), NOW)
        assert tx.latest_incident("g") == made
        with store.read() as reader:
            assert reader.latest_incident("g") is None


def test_writers_take_turns(store: SqlStore) -> None:
    home, writers, rounds = open_one(store), 6, 10
    together = Barrier(writers)

    def count_up() -> None:
        together.wait()
        for _ in range(rounds):
            with store.transaction() as tx:
                found = tx.incident(home)
                tx.save_incident(replace(found, firing=found.firing + 1))
                tx.append(NoteAdded(str(found.firing)), ANA, NOW, incident_id=home)

    with ThreadPoolExecutor(writers) as pool:
        for done in [pool.submit(count_up) for _ in range(writers)]:
            done.result()
    with store.read() as reader:
        assert reader.incident(home).firing == writers * rounds
        told = [one.event for one in reader.recorded(incident_id=home)]
    assert told == [NoteAdded(str(number)) for number in range(writers * rounds)]


# The database is in trouble


def test_a_full_disk_may_have_room_later(tmp_path: Path) -> None:
    engine = database.create(sqlite_database(tmp_path))
    store = SqlStore(engine, ask_for)

    def fill() -> None:
        with store.transaction() as tx:
            for _ in range(100):
                tx.append(NoteAdded("x" * 10_000), ANA, NOW, incident_id=1)

    def limit(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 120")

    event.listen(engine, "connect", limit)
    with pytest.raises(TemporaryError, match="full"):
        fill()
    event.remove(engine, "connect", limit)
    engine.dispose()
    with store.read() as reader:
        assert reader.recorded(incident_id=1) == []
    fill()
    with store.read() as reader:
        assert len(reader.recorded(incident_id=1)) == 100


def test_a_server_that_is_away_may_come_back() -> None:
    store = SqlStore(database.create("postgresql://nobody@127.0.0.1:1/none"), ask_for)
    with pytest.raises(TemporaryError, match="did not take it"), store.read():
        pass
    with pytest.raises(TemporaryError, match="did not take it"), store.transaction():
        pass
