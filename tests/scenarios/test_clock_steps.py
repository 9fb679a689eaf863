"""The clock is put back or forward while something waits: nothing comes late, nothing twice.

Each story is told once with a clock that nobody touches, and again with one that is put by
ten minutes or an hour somewhere in it. Times are those that really pass.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import event

from bot.adapters import database
from bot.domain.incident import Command
from bot.domain.incident_events import ClockPutBack, Unacknowledged
from bot.domain.page_events import (
    Escalated,
    FallbackUsed,
    PageDelayed,
    PageSent,
    ResponseOverdue,
    StillOnItAsked,
)
from bot.domain.timeline import Event
from tests.support.core import firing
from tests.support.databases import sqlite_database, without_fsync
from tests.support.examples import ANA
from tests.support.paging_world import PagingWorld
from tests.support.weather_pager import Fault

LATE = 30.0
"""Seconds by which anything may be later than with a clock that nobody touches."""
LOOK = 15.0
"""Seconds between two looks here; in the worker it is one or two."""
Diary = Sequence[tuple[float, str]]
"""What was done, and after how many seconds that really passed."""


@dataclass(frozen=True)
class Story:
    """What the pager does with the page, and when Ana takes the incident, in seconds."""

    lasts: float
    faults: tuple[Fault, ...] = ()
    taken_at: float = float("inf")


NOBODY_ANSWERS = Story(960, (Fault.SWALLOWED,))
PAGER_IS_DOWN = Story(240, (Fault.ERROR,) * 7)
TAKEN = Story(1_320, taken_at=60.0)


@dataclass(frozen=True)
class Step:
    """After `at` seconds the clock is put by so many; the process may die of it."""

    at: float
    by: float
    restart: bool = False


@contextmanager
def _world(folder: Path) -> Iterator[PagingWorld]:
    folder.mkdir()
    engine = database.create(sqlite_database(folder))
    try:
        # What is committed need not survive the loss of power here.
        event.listen(engine, "connect", without_fsync)
        yield PagingWorld(engine)
    finally:
        engine.dispose()


def told(world: PagingWorld, story: Story, step: Step | None = None) -> Diary:
    """The story of one P0."""
    clock, diary, known, put, taken = world.clock, [], 0, step, False
    world.first.faults = deque(story.faults)
    world.post(firing("Outage", "P0", at=clock.now()))
    while (now := clock.steady()) < story.lasts:
        if put is not None and now >= put.at:
            _put(world, put)
            put = None
        if not taken and now >= story.taken_at:
            world.people.command(1, Command.ACKNOWLEDGE, ANA)
            taken = True
        world.pass_time(LOOK, 1)
        events = world.events()
        diary += [(clock.steady(), name) for one in events[known:] if (name := _name(one))]
        known = len(events)
    return diary


def _put(world: PagingWorld, step: Step) -> None:
    world.clock.put(step.by)
    if step.restart:
        world.restart()


def _name(said: Event) -> str:
    match said:
        case FallbackUsed(contact) | Escalated(contact):
            return f"{type(said).__name__} {contact}"
        case PageSent() | PageDelayed() | StillOnItAsked() | Unacknowledged() | ResponseOverdue():
            return type(said).__name__
        case _:
            return ""


@pytest.fixture(scope="module")
def as_ever(tmp_path_factory: pytest.TempPathFactory) -> dict[Story, Diary]:
    """The stories with a clock that nobody touches."""
    diaries = {}
    for story in (NOBODY_ANSWERS, PAGER_IS_DOWN, TAKEN):
        with _world(tmp_path_factory.mktemp("as-ever") / "world") as world:
            diaries[story] = told(world, story)
    return diaries


PHASES = [
    pytest.param(NOBODY_ANSWERS, 0.0, id="before the page"),
    pytest.param(NOBODY_ANSWERS, 40.0, id="while it may be confirmed"),
    pytest.param(NOBODY_ANSWERS, 110.0, id="between two contacts of the fallback chain"),
    pytest.param(NOBODY_ANSWERS, 400.0, id="between two steps of the escalation"),
    pytest.param(PAGER_IS_DOWN, 40.0, id="between two tries"),
    pytest.param(TAKEN, 300.0, id="while somebody is at work"),
    pytest.param(TAKEN, 1_000.0, id="while an answer is waited for"),
]


def _moments(diary: Diary, what: str) -> list[float]:
    return [at for at, name in diary if name == what]


def _nothing_late(diary: Diary, as_ever: Diary) -> None:
    for what in {name for _, name in as_ever}:
        usual = [at for at in _moments(as_ever, what) if at < as_ever[-1][0] - LATE]
        now = _moments(diary, what)
        assert len(now) >= len(usual), what
        for at, usually in zip(now, usual, strict=False):
            assert at <= usually + LATE, what


def _nothing_twice(diary: Diary, as_ever: Diary) -> None:
    for what in {name for _, name in diary}:
        usual, now = _moments(as_ever, what), _moments(diary, what)
        assert len(now) <= len(usual) + 1, what
        shortest = min((later - earlier for earlier, later in pairwise(usual)), default=LATE)
        for earlier, later in pairwise(now):
            assert later - earlier >= shortest - LATE, f"{what} came twice"


def test_the_stories_are_about_all_that_waits(as_ever: dict[Story, Diary]) -> None:
    seen = {name.split()[0] for diary in as_ever.values() for _, name in diary}
    assert seen == {
        *("FallbackUsed", "Escalated", "PageSent", "PageDelayed"),
        *("StillOnItAsked", "Unacknowledged", "ResponseOverdue"),
    }


@pytest.mark.parametrize(("story", "at"), PHASES)
@pytest.mark.parametrize("step", [-600, -3_600])
def test_a_clock_that_is_put_back_changes_nothing(
    tmp_path: Path, as_ever: dict[Story, Diary], story: Story, at: float, step: float
) -> None:
    with _world(tmp_path / "world") as world:
        diary = told(world, story, Step(at, step))
        said = [one.by for one in world.events() if isinstance(one, ClockPutBack)]
        assert said == world.put_back == [timedelta(seconds=-step)]
    _nothing_late(diary, as_ever[story])
    _nothing_twice(diary, as_ever[story])


@pytest.mark.parametrize(("story", "at"), PHASES)
def test_so_it_does_while_tocsin_is_down(
    tmp_path: Path, as_ever: dict[Story, Diary], story: Story, at: float
) -> None:
    with _world(tmp_path / "world") as world:
        diary = told(world, story, Step(at, -600, restart=True))
    _nothing_late(diary, as_ever[story])
    _nothing_twice(diary, as_ever[story])


@pytest.mark.parametrize(("story", "at"), PHASES)
def test_a_clock_that_is_put_forward_makes_things_early_and_none_of_them_twice(
    tmp_path: Path, as_ever: dict[Story, Diary], story: Story, at: float
) -> None:
    with _world(tmp_path / "world") as world:
        diary = told(world, story, Step(at, 600))
        steps = [one.number for one in world.events() if isinstance(one, Escalated)]
        assert world.put_back == []
        assert len(world.first.standing) <= 1
    _nothing_late(diary, as_ever[story])
    assert len(steps) == len(set(steps))
    assert len(_moments(diary, "ResponseOverdue")) <= 1
