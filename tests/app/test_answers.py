"""Buttons, and what is said when one belongs to another version."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters import database
from bot.adapters.runbooks import RunbookFolder
from bot.adapters.store import SqlStore
from bot.app.answers import Answers
from bot.app.declarations import Declarations
from bot.app.follow_ups import FollowUps
from bot.app.incident_answers import IncidentAnswers
from bot.app.incidents import LONGEST_NOTE, Incidents
from bot.app.maintenance import Maintenance
from bot.app.maintenance_answers import MaintenanceAnswers
from bot.app.oncall import OnCallRequests
from bot.app.run_answers import RunAnswers
from bot.app.runs import Runs
from bot.app.suggestions import Suggestions
from bot.app.ticket_answers import SHOWN, TicketAnswers
from bot.app.why import Explanations
from bot.domain.classify import Policy, Severity
from bot.domain.errors import InvalidInput, NotFound
from bot.domain.follow_up import MOST
from bot.domain.incident import Command, IncidentState
from bot.domain.incident_events import IncidentOpened
from bot.domain.message import Message
from bot.domain.requests import AddFollowUp, AddNote, ListTickets, MarkFollowUp, TicketRequest
from bot.domain.routing import RoutingPolicy
from bot.steps.registry import step_kinds
from tests.support.access import access
from tests.support.clock import FakeClock
from tests.support.core import Counts
from tests.support.databases import sqlite_database
from tests.support.examples import ANA, NOW, classification

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    """One open incident."""
    made = SqlStore(database.create(sqlite_database(tmp_path)), lambda *_: None)
    with made.transaction() as tx:
        tx.new_incident(IncidentOpened("g", "Title", "Summary", classification(), "key"), NOW)
    return made


@pytest.fixture
def answers(store: SqlStore) -> Answers:
    clock = FakeClock()
    library = RunbookFolder(REPOSITORY / "runbooks", step_kinds())
    runs = Runs(store, library, access(clock), clock)
    return Answers(
        IncidentAnswers(
            Incidents(store, clock),
            Explanations(store, no_policy),
            Declarations(store, lambda _: RoutingPolicy(), clock, Counts()),
        ),
        TicketAnswers(FollowUps(store, clock), clock),
        MaintenanceAnswers(Maintenance(store, clock, silences=False), clock),
        RunAnswers(runs, store, Suggestions(store, runs, clock)),
        OnCallRequests(store),
    )


def no_policy(_digest: str, _text: str) -> Policy:
    raise InvalidInput("No policy was kept.")


@pytest.mark.parametrize("command", Command)
def test_every_command_has_an_action(store: SqlStore, answers: Answers, command: Command) -> None:
    with store.transaction() as tx:
        before = tx.incident(1)
    if command in (Command.ACKNOWLEDGE, Command.MITIGATE, Command.RESOLVE):
        assert answers.press(f"incident.{command.value}", "1", ANA) is None
    else:
        with pytest.raises(InvalidInput, match=f"you can’t {command.value} it"):
            answers.press(f"incident.{command.value}", "1", ANA)
    with store.read() as reader:
        moved = reader.incident(1).state is not before.state
    assert moved is (command in (Command.ACKNOWLEDGE, Command.MITIGATE, Command.RESOLVE))


@pytest.mark.parametrize(
    ("action", "value"),
    [
        ("incident.snooze", "1"),
        ("incident.", "1"),
        ("snooze", "1"),
        ("", ""),
        ("incident.acknowledge", ""),
        ("incident.acknowledge", "one"),
        ("incident.acknowledge", "-1"),
        ("run.approve", ":digest"),
        ("run.cancel", "x:digest"),
    ],
)
def test_a_button_of_another_version_says_so_and_does_nothing(
    store: SqlStore, answers: Answers, action: str, value: str
) -> None:
    with pytest.raises(InvalidInput, match="another version of Tocsin"):
        answers.press(action, value, ANA)
    with store.read() as reader:
        assert reader.incident(1).state is IncidentState.TRIGGERED


def test_a_button_about_what_is_not_there_names_it(answers: Answers) -> None:
    with pytest.raises(NotFound, match="INC-5"):
        answers.press("incident.resolve", "5", ANA)
    with pytest.raises(NotFound, match="run 5"):
        answers.press("run.approve", "5:digest", ANA)


def test_a_note_has_its_length(answers: Answers) -> None:
    longest = "x" * LONGEST_NOTE
    assert answers.to(AddNote(1, longest), ANA, "").headline == "Noted on INC-1."
    with pytest.raises(InvalidInput, match="split it"):
        answers.to(AddNote(1, longest + "x"), ANA, "")


def test_a_note_that_no_page_can_bear_says_where_it_stands(
    store: SqlStore, answers: Answers
) -> None:
    assert answers.to(AddNote(1, "It is DNS."), ANA, "").body == ""
    with store.transaction() as tx:
        tx.new_incident(
            IncidentOpened("m", "Minor", "Summary", classification(Severity.P3), "other"), NOW
        )
    said = answers.to(AddNote(2, "It is DNS."), ANA, "")
    assert said.headline == "Noted on INC-2."
    assert said.body.startswith("On its timeline only: it pages nobody")


def test_follow_ups_are_noted_marked_and_listed(answers: Answers) -> None:
    def say(request: TicketRequest) -> Message:
        return answers.to(request, ANA, "")

    assert say(ListTickets()).headline == "Nothing is left to do."
    assert say(AddFollowUp(1, "Add an index.")).headline == "INC-1, follow-up 1: noted."
    assert say(AddFollowUp(1, "Alert earlier.")).headline == "INC-1, follow-up 2: noted."
    assert say(MarkFollowUp(1, 1, done=True)).headline == "INC-1, follow-up 1 is done."
    listed = say(ListTickets())
    assert (listed.headline, listed.preformatted) == (
        "Left to do: 1",
        "Alert earlier. (INC-1, follow-up 2)",
    )
    assert say(MarkFollowUp(1, 1, done=False)).headline == "INC-1, follow-up 1 is to be done."
    assert say(ListTickets()).headline == "Left to do: 2"
    with pytest.raises(NotFound, match="its follow-ups are 1 to 2"):
        say(MarkFollowUp(1, 3, done=True))


def test_a_long_list_of_tickets_is_cut_and_says_so(answers: Answers) -> None:
    for number in range(MOST):
        answers.to(AddFollowUp(1, f"Do thing {number}."), ANA, "")
    listed = answers.to(ListTickets(), ANA, "")
    assert listed.headline == f"Left to do: {MOST}"
    assert listed.preformatted.endswith(f"… and {MOST - SHOWN} more")
