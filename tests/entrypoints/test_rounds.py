"""Rounds are gone again and again, each by itself, until nobody wants them any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from threading import enumerate as threads
from time import monotonic

import pytest
from structlog.testing import capture_logs

from bot.domain.errors import TemporaryError
from bot.entrypoints.rounds import Round, Rounds
from tests.support.waiting import PATIENCE, eventually

LONG = 3600.0
"""Seconds; no test lasts that long."""


class Looks:
    """Something to look at, which counts the looks; the first may fail."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.times = 0
        self._fails = fails

    def __call__(self) -> None:
        self.times += 1
        if self._fails and self.times == 1:
            raise self._fails


@contextmanager
def going(*rounds: Round) -> Iterator[Rounds]:
    started = Rounds(rounds)
    started.start()
    try:
        yield started
    finally:
        started.stop()


def more_than(looks: Looks, times: int) -> Callable[[], bool]:
    return lambda: looks.times > times


def test_a_round_is_gone_again_and_again() -> None:
    looks = Looks()
    with going(Round("quick", 0.01, looks)):
        eventually(more_than(looks, 3))


def test_the_first_look_waits_as_long_as_it_is_told_to() -> None:
    at_once, later = Looks(), Looks()
    with going(Round("at once", LONG, at_once), Round("later", 0.01, later, first=LONG)):
        eventually(more_than(at_once, 0))
        assert (at_once.times, later.times) == (1, 0)


def test_one_that_fails_goes_on_and_one_that_hangs_holds_up_no_other() -> None:
    fails, looks = Looks(fails=OSError("no disk")), Looks()
    hangs, let_go = Event(), Event()

    def hang() -> None:
        hangs.set()
        let_go.wait(PATIENCE)

    with going(
        Round("hangs", 0.01, hang), Round("fails", 0.01, fails), Round("quick", 0.01, looks)
    ):
        assert hangs.wait(PATIENCE)
        before = looks.times
        eventually(more_than(fails, 2))
        eventually(more_than(looks, before + 2))
        let_go.set()


@pytest.mark.parametrize(
    ("error", "level", "traced"),
    [(TemporaryError("nobody answers"), "warning", False), (OSError("no disk"), "error", True)],
)
def test_what_passes_by_itself_is_told_in_a_line_and_all_else_with_its_trace(
    error: Exception, level: str, traced: bool
) -> None:
    looks = Looks(fails=error)
    with capture_logs() as logs, going(Round("fails", 0.01, looks)):
        eventually(more_than(looks, 1))
    assert [(one["log_level"], "exc_info" in one) for one in logs] == [(level, traced)]


def test_whoever_wakes_a_round_has_it_gone_at_once_in_its_own_way() -> None:
    looks, woken = Looks(), Looks()
    one = Round("waits", LONG, looks, woken=woken)
    with going(one):
        eventually(more_than(looks, 0))
        for times in (0, 1):
            one.wake.set()
            eventually(more_than(woken, times))
        assert (looks.times, woken.times) == (1, 2)


def test_one_without_a_way_of_its_own_is_woken_to_look() -> None:
    looks = Looks()
    one = Round("waits", LONG, looks, first=LONG)
    with going(one):
        one.wake.set()
        eventually(more_than(looks, 0))


def test_after_the_stop_nothing_is_looked_at_and_nothing_waits() -> None:
    looks = Looks()
    begun = monotonic()
    with going(Round("a round to stop", LONG, looks, first=LONG)):
        assert "a round to stop" in names()
    eventually(lambda: "a round to stop" not in names())
    assert looks.times == 0
    assert monotonic() - begun < PATIENCE


def names() -> set[str]:
    return {one.name for one in threads()}
