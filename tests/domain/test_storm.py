from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.classify import Severity
from bot.domain.grouping import Grouping
from bot.domain.storm import (
    STORM_KEY,
    Home,
    StormLimits,
    storm_home,
    storm_summary,
    storm_title,
)

NOW = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
LIMITS = StormLimits()
SECOND = timedelta(seconds=1)
Opened = list[tuple[datetime, Severity]]


def opened(number: int, at: datetime = NOW, level: Severity = Severity.P2) -> Opened:
    return [(at, level)] * number


@pytest.mark.parametrize(
    ("number", "level", "home"),
    [
        (0, Severity.P3, Home.OWN),
        (13, Severity.P3, Home.OWN),
        (14, Severity.P3, Home.STORM),
        (14, Severity.P1, Home.STORM),
        (14, Severity.P0, Home.OWN),
        (18, Severity.P0, Home.OWN),
        (19, Severity.P0, Home.STORM),
        (500, Severity.P0, Home.STORM),
    ],
)
def test_after_the_first_few_only_the_worst_get_their_own(
    number: int, level: Severity, home: Home
) -> None:
    assert storm_home(opened(number), level, NOW, LIMITS) is home


def test_what_was_opened_longer_ago_does_not_count() -> None:
    before = NOW - LIMITS.within
    assert storm_home(opened(14, before), Severity.P2, NOW, LIMITS) is Home.OWN
    assert storm_home(opened(14, before + SECOND), Severity.P2, NOW, LIMITS) is Home.STORM


def weather(groups: list[tuple[int, Severity]], limits: StormLimits) -> Opened:
    """The incidents that are opened when such groups appear, so many seconds apart."""
    now, made = NOW, Opened()
    for pause, level in groups:
        now += pause * SECOND
        if storm_home(made, level, now, limits) is Home.OWN:
            made.append((now, level))
    return made


group_lists = st.lists(st.tuples(st.integers(0, 20), st.sampled_from(Severity)), max_size=120)
limit_sets = st.builds(
    StormLimits, st.integers(1, 6), st.integers(0, 4), st.integers(1, 60).map(lambda n: n * SECOND)
)


@given(group_lists, limit_sets)
def test_no_stretch_of_time_has_more_incidents_than_the_limits(
    groups: list[tuple[int, Severity]], limits: StormLimits
) -> None:
    made = weather(groups, limits)
    for begin, _ in made:
        within = [level for at, level in made if begin <= at < begin + limits.within]
        assert len(within) <= limits.incidents + limits.critical
        assert sum(level is not Severity.P0 for level in within) <= limits.incidents


@pytest.mark.parametrize("level", Severity)
def test_ten_thousand_groups_in_a_minute_make_at_most_twenty_incidents(level: Severity) -> None:
    made: Opened = []
    for number in range(10_000):
        now = NOW + number * 0.006 * SECOND
        if storm_home(made, level, now, LIMITS) is Home.OWN:
            made.append((now, level))
    with_the_storms_own = len(made) + 1
    assert with_the_storms_own == (20 if level is Severity.P0 else 15)


@given(st.dictionaries(st.sampled_from(["cluster", "alertname"]), st.text(max_size=8)))
def test_no_labels_make_the_key_of_the_storm(labels: dict[str, str]) -> None:
    assert Grouping().key(labels) != STORM_KEY


def test_whoever_is_woken_reads_what_it_is_and_where_to_look() -> None:
    assert storm_title(LIMITS) == "Alert storm: more than 14 new incidents at once"
    summary = storm_summary("HighErrorRate: checkout in payments", LIMITS)
    for part in ("one cause", "HighErrorRate: checkout in payments", "up to 5", "Nothing is dropp"):
        assert part in summary
