"""What people do to runs: who may, and that what is refused leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app.access import Forbidden
from bot.app.record import record_incident
from bot.app.runs import Runs
from bot.domain.access_policy import AccessPolicy, Role
from bot.domain.approval import Requirement
from bot.domain.classify import Severity
from bot.domain.effects import ExpireRun
from bot.domain.errors import IllegalTransition, InvalidInput, TocsinError
from bot.domain.incident_events import IncidentOpened, Resolved
from bot.domain.plan import Question
from bot.domain.run import Run
from bot.domain.run_events import RunState
from tests.support.examples import ANA, BEN, CHEN, asking, classification, plan_of, run
from tests.support.scripted_runs import Place, book

S = RunState
HOUR = timedelta(hours=1)
Act = Callable[[Runs], object]
RESPONDERS = {Role.RESPONDER, Role.COMMANDER, Role.ADMIN}
ACTS: dict[str, tuple[RunState, Act, set[Role]]] = {
    "start": (S.AWAITING_APPROVAL, lambda runs: runs.approve(1, BEN), RESPONDERS),
    "cancel": (S.AWAITING_APPROVAL, lambda runs: runs.cancel(1, BEN), RESPONDERS),
    "call off by abort": (S.PLANNING, lambda runs: runs.abort(1, BEN), RESPONDERS),
    "pause": (S.RUNNING, lambda runs: runs.pause(1, BEN), RESPONDERS),
    "resume": (S.WAITING, lambda runs: runs.resume(1, BEN), RESPONDERS),
    "abort": (S.RUNNING, lambda runs: runs.abort(1, BEN), RESPONDERS),
    "stop": (S.WAITING, lambda runs: runs.abort(1, BEN, undo=False), RESPONDERS),
    "override": (
        S.AWAITING_APPROVAL,
        lambda runs: runs.override(1, "Because.", BEN),
        {Role.COMMANDER, Role.ADMIN},
    ),
    "settle": (S.UNCERTAIN, lambda runs: runs.answer(1, BEN, "I looked."), RESPONDERS),
    "plan": (S.PLANNING, lambda runs: runs.check_plan("restart", ("a/b",), BEN), set(Role)),
    "ask": (
        S.PLANNING,
        lambda runs: runs.request("restart", ("a/b",), BEN, start_when_planned=False),
        RESPONDERS,
    ),
}
"""A state in which each is possible, and who may."""


class OneRunbook:
    """Implements the `RunbookLibrary` port."""

    def names(self) -> list[str]:
        return ["restart"]

    def versions(self, name: str) -> list[str]:
        return ["1.0.0"]

    def get(self, reference: str) -> object:
        return book()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """With an open P0, INC-1."""
    made = Place(tmp_path)
    made.runs = Runs(made.store, OneRunbook(), made.access, made.clock)  # type: ignore[arg-type]
    with made.store.transaction() as tx:
        opened = IncidentOpened("g", "Down", "All is down.", classification(Severity.P0), "key")
        tx.new_incident(opened, made.clock.now())
    yield made
    made.engine.dispose()


def given(place: Place, state: RunState, **changes: object) -> Run:
    """A run of ana's in that state, about the P0."""
    plan = {} if state is S.PLANNING else {"plan": plan_of(book())}
    with place.store.transaction() as tx:
        return tx.new_run(run(state, runbook=book(), **{"incident_id": 1, **plan, **changes}))


def asked(place: Place, **needs: int) -> Run:
    """A run that waits for an answer, or for these approvals of its step ``change``."""
    waiting = asking(Question("Go?", needs, HOUR), incident_id=1)
    now = place.clock.now()
    steps = tuple(replace(one, started_at=now) for one in waiting.steps)
    with place.store.transaction() as tx:
        return tx.new_run(replace(waiting, steps=steps))


def refused(place: Place, act: Act, error: type[TocsinError]) -> str:
    """Why it was refused; nothing is on record about it, and nothing follows."""
    before, enqueued = place.runs.get(1), len(place.enqueued)
    with pytest.raises(error) as caught:
        act(place.runs)
    assert place.runs.get(1) == before
    assert (place.events(), len(place.enqueued)) == (0, enqueued)
    assert len(place.runs.newest()) == 1
    return str(caught.value)


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("name", ACTS)
def test_who_may_does_and_who_may_not_leaves_nothing_behind(
    place: Place, name: str, role: Role | None
) -> None:
    state, act, may = ACTS[name]
    named = {role: (BEN.id,)} if role else {}
    place.policy = AccessPolicy({Role.COMMANDER: (CHEN.id,), **named})
    given(place, state)
    if role in may:
        act(place.runs)
    else:
        assert "ben isn’t" in refused(place, act, Forbidden)


@pytest.mark.parametrize(
    ("done", "role"), [(True, Role.RESPONDER), (False, Role.RESPONDER), (True, Role.APPROVER)]
)
def test_an_answer_is_a_responders(place: Place, done: bool, role: Role) -> None:
    place.policy = AccessPolicy({role: (BEN.id,)})
    asked(place)
    if role is Role.RESPONDER:
        assert place.runs.answer(1, BEN, "Said.", done=done).state is S.RUNNING
    else:
        refused(place, lambda runs: runs.answer(1, BEN), Forbidden)


def test_a_step_is_not_approved_by_who_asked_for_the_run_nor_without_the_kind(
    place: Place,
) -> None:
    place.policy = AccessPolicy({Role.ADMIN: (ANA.id, BEN.id), Role.RESPONDER: (CHEN.id,)})
    asked(place, approver=1)
    assert "somebody else" in refused(place, lambda runs: runs.answer(1, ANA), Forbidden)
    assert "chen can’t give" in refused(place, lambda runs: runs.answer(1, CHEN), Forbidden)
    assert place.runs.answer(1, BEN).state is S.RUNNING


def test_another_question_than_the_one_shown_is_not_answered(place: Place) -> None:
    asked(place)
    said = refused(place, lambda runs: runs.answer(1, BEN, step="other"), IllegalTransition)
    assert said == "Run 1 waits for no such answer."


def test_another_plan_than_the_one_shown_is_not_approved(place: Place) -> None:
    given(place, S.AWAITING_APPROVAL)
    said = refused(place, lambda runs: runs.approve(1, BEN, "0" * 64), IllegalTransition)
    assert "another plan than the one you saw" in said
    assert place.runs.approve(1, BEN, plan_of(book()).digest).state is S.READY


@pytest.mark.parametrize(
    "act",
    [
        lambda runs: runs.approve(1, BEN),
        lambda runs: runs.override(1, "Because.", BEN),
    ],
)
def test_too_late_is_too_late_before_it_is_written_down(place: Place, act: Act) -> None:
    needs = Requirement("rule", {}, HOUR)
    given(place, S.AWAITING_APPROVAL, requirement=needs, planned_at=place.clock.now())
    place.clock.advance(3600)
    assert "waited for too long" in refused(place, act, IllegalTransition)


def test_an_answer_too_late_is_none(place: Place) -> None:
    asked(place)
    place.clock.advance(3600)
    assert "too long" in refused(place, lambda runs: runs.answer(1, BEN), IllegalTransition)


def test_what_expires_too_early_is_looked_at_again_in_time(place: Place) -> None:
    asked(place)
    place.clock.advance(3599)
    place.runs.expire(1)
    assert place.enqueued[-1] == (ExpireRun(1), 1.0)
    place.clock.advance(1)
    place.runs.expire(1)
    assert place.runs.get(1).state is S.RUNNING
    place.runs.expire(1)
    assert place.enqueued[-1] != (ExpireRun(1), 0.0)


@pytest.mark.parametrize(
    "act", [lambda it: it.approve(1, BEN), lambda it: it.override(1, "P0", BEN)]
)
def test_a_run_of_which_it_is_not_known_what_it_needs_is_not_let_go(place: Place, act: Act) -> None:
    given(place, S.AWAITING_APPROVAL, requirement=None)
    assert "ask for it anew" in refused(place, act, IllegalTransition)


# The emergency override


@pytest.mark.parametrize("reason", ["", "   "])
def test_an_override_needs_a_reason(place: Place, reason: str) -> None:
    given(place, S.AWAITING_APPROVAL)
    assert "Say why" in refused(place, lambda runs: runs.override(1, reason, BEN), InvalidInput)


def test_an_override_without_an_incident_is_none(place: Place) -> None:
    given(place, S.AWAITING_APPROVAL, incident_id=None)
    refused(place, lambda runs: runs.override(1, "Because.", BEN), Forbidden)


@pytest.mark.parametrize("level", [Severity.P1, Severity.P2, Severity.P3])
def test_an_override_is_for_a_p0(place: Place, level: Severity) -> None:
    with place.store.transaction() as tx:
        opened = IncidentOpened("h", "Slow", "It is slow.", classification(level), "key2")
        tx.new_incident(opened, place.clock.now())
    given(place, S.AWAITING_APPROVAL, incident_id=2)
    refused(place, lambda runs: runs.override(1, "Because.", BEN), Forbidden)


def test_an_override_is_for_a_p0_that_is_still_open(place: Place) -> None:
    with place.store.transaction() as tx:
        over = (Resolved("It works."),)
        record_incident(tx, tx.incident(1), over, ANA, place.clock.now())
    given(place, S.AWAITING_APPROVAL)
    refused(place, lambda runs: runs.override(1, "Because.", BEN), Forbidden)


def test_one_who_asked_may_override_and_all_is_on_record(place: Place) -> None:
    given(place, S.AWAITING_APPROVAL, requirement=Requirement("r", {"approver": 1}, HOUR))
    ready = place.runs.override(1, " Nobody is awake. ", ANA)
    assert (ready.state, ready.overridden, ready.approved_by) == (S.READY, "Nobody is awake.", ANA)
    assert "let a run go that lacked 1 approval (1 approver). Nobody is awake." in place.story()


@pytest.mark.parametrize(("done", "state"), [(True, S.SUCCEEDED), (False, S.FAILED)])
def test_an_uncertain_run_is_settled_by_whoever_looked(
    place: Place, done: bool, state: RunState
) -> None:
    given(place, S.UNCERTAIN)
    with pytest.raises(InvalidInput, match="Say how you know"):
        place.runs.answer(1, BEN, " ", done=done)
    assert place.runs.answer(1, BEN, "I looked.", done=done).state is state
