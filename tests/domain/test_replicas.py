"""Who is gone, and whose jobs an observer takes over."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.domain.replicas import SILENT_LOOKS, Pulse, Replica, Watch, left_alone, look
from tests.support.examples import NOW

A, B, C = "a", "b", "c"
LONG = (7,) * SILENT_LOOKS


def watched(*beats: int) -> Watch:
    """What is known of B after looks that found these beats."""
    watch: Watch = {}
    for beat in beats:
        watch = look(watch, {B: beat})
    return watch


@pytest.mark.parametrize(
    ("beats", "pulse"),
    [
        ((7,), Pulse.UNKNOWN),
        (LONG, Pulse.UNKNOWN),
        ((7, *LONG), Pulse.LATE),
        ((7, 8), Pulse.OK),
        ((6, *LONG), Pulse.OK),
        ((6, 7, *LONG), Pulse.LATE),
        ((7, *LONG, 8), Pulse.OK),
        # A row that was forgotten begins anew: another number, so a beat.
        ((7, *LONG, 1), Pulse.OK),
    ],
)
def test_a_counter_that_stands_still_for_so_many_looks_is_gone(
    beats: Sequence[int], pulse: Pulse
) -> None:
    assert watched(*beats)[B].pulse is pulse


def test_one_who_is_known_no_longer_is_not_watched() -> None:
    assert look(watched(7), {}) == {}


@pytest.mark.parametrize(
    ("gone", "taken_by", "takes"),
    [
        ({B}, "", True),
        ({B}, A, True),
        ({B}, C, False),
        ({B, C}, C, True),
        ({B}, "forgotten", True),
        ({C}, "", False),
        (set(), "", False),
        ({A}, "", False),
    ],
    ids=["free", "its own", "another's", "of one gone", "of one forgotten", "alive", "none", "me"],
)
def test_whose_jobs_are_taken_over(gone: set[str], taken_by: str, takes: bool) -> None:
    watch: Watch = {}
    for number in range(SILENT_LOOKS + 1):
        watch = look(watch, {one: 7 if one in gone else number for one in (A, B, C)})
    replicas = [Replica(A, 1, NOW), Replica(B, 1, NOW, taken_by), Replica(C, 1, NOW)]
    names = [one.name for one in left_alone(replicas, watch, A)]
    assert (B in names) is takes
    assert A not in names
