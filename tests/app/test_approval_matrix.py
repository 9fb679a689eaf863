"""Who can let which run go: every combination, held to an oracle of its own.

Actor × role × kind of approval × the run's state × what it needs × what was given × expiry,
by the real use case on a real store; then drift, by the real runner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from bot.domain.access_policy import AccessPolicy, ApprovalRule, Role
from bot.domain.actor import Actor, ActorKind
from bot.domain.approval import Approval, Requirement
from bot.domain.errors import InvalidInput
from bot.domain.run import Run
from bot.domain.run_events import RunState
from tests.support.examples import ANA, BEN, run
from tests.support.scripted_runs import Place, book

VALID = timedelta(hours=1)
DORA = Actor(ActorKind.PERSON, "U0000DORA", "dora")
ANAS_SHELL = Actor(ActorKind.PERSON, "os:1000", "ana")
BENS_SHELL = Actor(ActorKind.PERSON, "os:1001", "ben")
STRANGER = Actor(ActorKind.PERSON, "os:2000", "somebody")
PEOPLE = {"ana": (ANA.id, ANAS_SHELL.id), "ben": (BEN.id, BENS_SHELL.id)}
ACTORS = (ANA, ANAS_SHELL, BEN, BENS_SHELL, STRANGER)
NEEDS: tuple[Mapping[str, int], ...] = ({}, {"approver": 1}, {"approver": 1, "security": 1})
"""The runs are ana's; BEN or DORA may have given an `approver`'s approval already."""


@dataclass(frozen=True)
class Case:
    """One run that one actor would let go."""

    state: RunState
    needs: int
    given: Actor | None
    expired: bool


CASES = [
    Case(*one)
    for one in product(RunState, range(len(NEEDS)), (None, BEN, DORA), (False, True))
    if one[2] is None or len(NEEDS[one[1]]) == 2
]


def may(case: Case, actor: Actor, role: Role | None, security: bool) -> bool:
    """The rules once more, as plainly as can be."""
    if case.state is not RunState.AWAITING_APPROVAL or case.expired:
        return False
    needs = set(NEEDS[case.needs])
    if not needs:
        return role in (Role.RESPONDER, Role.COMMANDER, Role.ADMIN)
    if actor in (ANA, ANAS_SHELL, STRANGER):
        return False
    if case.given is BEN and actor in (BEN, BENS_SHELL):
        return False
    still_needed = needs - ({"approver"} if case.given else set())
    gives = {"approver"} if role in (Role.APPROVER, Role.ADMIN) else set()
    return bool(still_needed & (gives | ({"security"} if security else set())))


class Runs:
    """Ana's runs on a place, one for each case; one that was let go is made anew."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._made: dict[Case, Run] = {}

    def of(self, case: Case) -> Run:
        if case not in self._made:
            with self._place.store.transaction() as tx:
                self._made[case] = tx.new_run(self._draft(case))
        return self._made[case]

    def used(self, case: Case) -> None:
        del self._made[case]

    def untouched(self) -> Iterator[bool]:
        for made in self._made.values():
            yield self._place.runs.get(made.id) == made
            yield self._place.events(made.id) == 0

    def _draft(self, case: Case) -> Run:
        now = self._place.clock.now()
        planned = now - VALID if case.expired else now
        return run(
            case.state,
            runbook=book(),
            requirement=Requirement("rule", NEEDS[case.needs], VALID),
            planned_at=planned,
            approvals=(Approval(case.given, ("approver",), planned),) if case.given else (),
            incident_id=None,
        )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.engine.dispose()


def policy(actor: Actor, role: Role | None, security: bool) -> AccessPolicy:
    """The actor has that role, and is the only one who may approve for security if at all."""
    return AccessPolicy(
        roles={role: (actor.id,)} if role else {},
        people=PEOPLE,
        kinds={"security": (actor.id,) if security else ()},
    )


@pytest.mark.timeout(300)
def test_nobody_lets_a_run_go_who_may_not(place: Place) -> None:
    runs = Runs(place)
    wrong: list[str] = []
    for actor, role, security in product(ACTORS, (None, *Role), (False, True)):
        place.policy = policy(actor, role, security)
        for case in CASES:
            made = runs.of(case)
            allowed = False
            with suppress(InvalidInput):
                place.runs.approve(made.id, actor)
                allowed = True
                runs.used(case)
            if allowed is not may(case, actor, role, security):
                wrong.append(f"{actor.id} as {role}, security={security}: {case} {allowed}")
    assert wrong == []
    assert all(runs.untouched()), "a refused approval left something behind"


@pytest.mark.parametrize("drifted", [False, True])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("needs", NEEDS, ids=str)
@pytest.mark.parametrize("approvers", range(3))
def test_a_run_begins_only_complete_in_time_and_as_it_was_planned(
    place: Place, needs: Mapping[str, int], approvers: int, late: bool, drifted: bool
) -> None:
    place.policy = AccessPolicy(
        {Role.ADMIN: (BEN.id, DORA.id)},
        PEOPLE,
        {"security": (BEN.id,)},
        rules=(ApprovalRule("rule", needs, valid_for=VALID),),
    )
    place.ask(approved=False)
    place.go()
    for actor in (DORA, BEN)[:approvers]:
        with suppress(InvalidInput):
            place.runs.approve(1, actor)
    if late:
        place.clock.advance(VALID.total_seconds() + 1)
    if drifted:
        place.cluster.add_deployment("payments/checkout", ["a:3"])
    place.go()
    complete = approvers >= max(len(needs), 1)
    assert (place.script.changes == ["run-1/change"]) is (complete and not late and not drifted)
