"""The chat's user groups, as they are known between two readings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.app.access import Forbidden
from bot.app.groups import GroupWatch
from bot.domain.access_policy import Role
from bot.domain.errors import TemporaryError
from bot.domain.run_events import RunState
from tests.support.access import OPEN_TO_ALL
from tests.support.examples import ANA, BEN, CHEN
from tests.support.scripted_runs import Place


class Groups:
    """The part of the `Chat` port that is about user groups."""

    def __init__(self) -> None:
        self.members: dict[str, frozenset[str]] = {"@sre": frozenset({BEN.id})}
        self.asked: list[set[str]] = []
        self.error: TemporaryError | None = None

    def members_of(self, handles: Collection[str]) -> Mapping[str, frozenset[str]]:
        self.asked.append(set(handles))
        if self.error:
            raise self.error
        return {handle: self.members.get(handle, frozenset()) for handle in handles}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Only @sre may act; ana's run waits to be started."""
    made = Place(tmp_path)
    made.policy = replace(OPEN_TO_ALL, roles={Role.RESPONDER: ("@sre",)})
    made.ask(approved=False)
    made.go()
    return made


def watch(place: Place, groups: Groups) -> GroupWatch:
    return GroupWatch(lambda: place.policy, groups, place.store)  # type: ignore[arg-type]


def test_nobody_is_a_member_before_the_groups_were_read(place: Place) -> None:
    with pytest.raises(Forbidden, match="ben isn’t"):
        place.runs.approve(1, BEN)


def test_a_member_may_and_a_former_one_may_not(place: Place) -> None:
    groups = Groups()
    watch(place, groups).look()
    groups.members["@sre"] = frozenset({CHEN.id})
    watch(place, groups).look()
    with pytest.raises(Forbidden, match="ben isn’t"):
        place.runs.approve(1, BEN)
    place.runs.approve(1, CHEN)
    assert place.go().state is RunState.SUCCEEDED


def test_who_is_one_person_has_their_groups_on_the_command_line_too(place: Place) -> None:
    watch(place, Groups()).look()
    shell = replace(BEN, id="os:1000")
    with pytest.raises(Forbidden):
        place.runs.approve(1, shell)
    place.policy = replace(place.policy, people={"ben": (BEN.id, shell.id)})
    assert place.runs.approve(1, shell).state is RunState.READY


def test_a_chat_that_is_away_takes_nothing_from_anybody(place: Place) -> None:
    groups = Groups()
    watch(place, groups).look()
    groups.error = TemporaryError("Slack is away")
    with pytest.raises(TemporaryError):
        watch(place, groups).look()
    assert place.runs.approve(1, BEN).state is RunState.READY


def test_only_groups_that_the_policy_mentions_are_asked_for(place: Place) -> None:
    groups = Groups()
    watch(place, groups).look()
    place.policy = replace(place.policy, roles={Role.RESPONDER: (ANA.id,)})
    watch(place, groups).look()
    assert groups.asked == [{"@sre"}]
    with place.store.read() as reader:
        assert reader.groups_of(BEN.id) == frozenset()
