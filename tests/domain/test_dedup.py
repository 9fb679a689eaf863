from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alert import Alert, AlertStatus
from bot.domain.dedup import OVERTAKEN, TOGETHER, Change, KnownAlert, News, Sorted, compare, sort
from tests.support.examples import NOW, alert

FIRING, RESOLVED = AlertStatus.FIRING, AlertStatus.RESOLVED
EARLIER, LATER = NOW - timedelta(minutes=1), NOW + timedelta(minutes=1)


def key_of(alert: Alert) -> str:
    return alert.labels["alertname"]


@pytest.mark.parametrize(
    ("known", "status", "starts_at", "news"),
    [
        (None, FIRING, NOW, News.FIRED),
        (None, RESOLVED, NOW, News.RESOLVED_UNSEEN),
        (FIRING, FIRING, EARLIER, News.LATE),
        (FIRING, FIRING, NOW, News.REPEATED),
        (FIRING, FIRING, LATER, News.RESTARTED),
        (FIRING, RESOLVED, EARLIER, News.LATE),
        (FIRING, RESOLVED, NOW, News.RESOLVED),
        (FIRING, RESOLVED, LATER, News.RESOLVED),
        (RESOLVED, FIRING, EARLIER, News.LATE),
        (RESOLVED, FIRING, NOW, News.LATE),
        (RESOLVED, FIRING, LATER, News.FIRED),
        (RESOLVED, RESOLVED, EARLIER, News.LATE),
        (RESOLVED, RESOLVED, NOW, News.REPEATED),
        (RESOLVED, RESOLVED, LATER, News.RESOLVED_UNSEEN),
    ],
)
def test_what_is_news(
    known: AlertStatus | None, status: AlertStatus, starts_at: datetime, news: News
) -> None:
    before = None if known is None else alert(known)
    assert compare(before, alert(status, starts_at=starts_at), TOGETHER) is news


def ended(start: datetime, end: datetime) -> Alert:
    return alert(RESOLVED, starts_at=start, ends_at=end)


def test_a_resolution_counts_for_every_start_up_to_its_end() -> None:
    """Alertmanager merges two servers' spans, and the start of the whole is the earlier one."""
    span = ended(EARLIER, LATER)
    assert compare(alert(starts_at=NOW), span, TOGETHER) is News.RESOLVED
    assert compare(span, alert(starts_at=NOW), TOGETHER) is News.LATE
    assert compare(span, alert(starts_at=LATER + timedelta(seconds=1)), TOGETHER) is News.FIRED


@pytest.mark.parametrize(
    ("after", "news"),
    [(timedelta(0), News.LATE), (OVERTAKEN, News.LATE), (OVERTAKEN * 2, News.FIRED)],
)
def test_what_fires_with_its_old_start_long_after_its_end_fires_again(
    after: timedelta, news: News
) -> None:
    known = ended(NOW, LATER)
    assert compare(known, alert(starts_at=NOW), after) is news


@pytest.mark.parametrize(
    ("start", "after", "news"),
    [
        (NOW, OVERTAKEN, News.LATE),
        (NOW, OVERTAKEN * 2, News.FIRED),
        (EARLIER - timedelta(seconds=1), OVERTAKEN * 2, News.LATE),
    ],
)
def test_what_fires_long_after_an_end_that_its_clock_has_not_reached_fires_again(
    start: datetime, after: timedelta, news: News
) -> None:
    """The sender's clock was put back between the two."""
    assert compare(ended(EARLIER, LATER), alert(starts_at=start), after) is news


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(days=300)])
@pytest.mark.parametrize(
    ("apart", "fires"), [(-OVERTAKEN, False), (OVERTAKEN, False), (OVERTAKEN * 2, True)]
)
def test_what_counts_is_when_the_end_was_told_not_when_it_was(
    ago: timedelta, apart: timedelta, fires: bool
) -> None:
    known = KnownAlert(ended(NOW - ago, LATER - ago), 4, told_at=LATER)
    found = sort([alert(starts_at=NOW - ago)], {"f1": known}, key_of, LATER + apart)
    assert bool(found.fired) is fires


def test_of_what_was_recorded_without_its_time_the_end_counts() -> None:
    known = {"f1": KnownAlert(ended(NOW, LATER), 4)}
    late = sort([alert(starts_at=NOW)], known, key_of, LATER + OVERTAKEN)
    again = sort([alert(starts_at=NOW)], known, key_of, LATER + OVERTAKEN * 2)
    assert (bool(late.fired), bool(again.fired)) == (False, True)


def test_the_later_end_is_remembered() -> None:
    assert compare(ended(NOW, NOW), ended(NOW, LATER), TOGETHER) is News.RESOLVED_UNSEEN
    assert compare(ended(NOW, LATER), ended(NOW, NOW), TOGETHER) is News.LATE


@pytest.mark.parametrize(
    ("due", "now_due", "news"),
    [
        (NOW, LATER, News.EXTENDED),
        (LATER, NOW, News.REPEATED),
        (LATER, LATER, News.REPEATED),
        (None, LATER, News.REPEATED),
        (LATER, None, News.EXTENDED),
    ],
)
def test_what_is_due_to_end_later_is_extended(
    due: datetime | None, now_due: datetime | None, news: News
) -> None:
    assert compare(alert(ends_at=due), alert(ends_at=now_due), TOGETHER) is news


def test_starts_are_compared_as_finely_as_alertmanagers_api_tells_them() -> None:
    exact, told = NOW.replace(microsecond=123_456), NOW.replace(microsecond=123_000)
    assert compare(alert(starts_at=exact), alert(starts_at=told), TOGETHER) is News.REPEATED
    assert compare(alert(starts_at=told), alert(starts_at=exact), TOGETHER) is News.REPEATED
    later = NOW.replace(microsecond=124_000)
    assert compare(alert(starts_at=exact), alert(starts_at=later), TOGETHER) is News.RESTARTED


@pytest.mark.parametrize("news", News)
def test_what_changes_nothing_is_not_recorded(news: News) -> None:
    assert news.recorded is (news not in (News.REPEATED, News.LATE))


# Sorting


def test_alerts_that_fire_are_sorted_by_group() -> None:
    one = alert(labels={"alertname": "A"})
    two = alert(fingerprint="f2", labels={"alertname": "B"})
    three = alert(fingerprint="f3", labels={"alertname": "A"})
    found = sort([one, two, three], {}, key_of, NOW)
    assert found.fired == {"A": [one, three], "B": [two]}
    assert (found.known, found.homeless) == ({}, [])
    assert found.news == {News.FIRED: 3}


def test_an_alert_that_fires_again_is_sorted_by_group_whatever_its_incident_was() -> None:
    again = alert(starts_at=LATER)
    found = sort([again], {"f1": KnownAlert(alert(RESOLVED), 4)}, key_of, NOW)
    assert found.fired == {"HighErrorRate": [again]}
    assert found.known == {}


def test_what_is_known_goes_to_its_incident() -> None:
    resolved = alert(RESOLVED)
    restarted = alert(fingerprint="f2", starts_at=LATER)
    resolved_unseen = alert(RESOLVED, fingerprint="f3", starts_at=LATER)
    known = {
        "f1": KnownAlert(alert(), 4),
        "f2": KnownAlert(alert(fingerprint="f2"), 4),
        "f3": KnownAlert(alert(RESOLVED, fingerprint="f3"), 5),
    }
    found = sort([resolved, restarted, resolved_unseen], known, key_of, NOW)
    assert found.known == {
        4: Change(resolved=[resolved], restarted=[restarted]),
        5: Change(silent=[resolved_unseen]),
    }
    assert found.known[4].everything() == [resolved, restarted]


def test_a_resolution_whose_firing_never_came_has_no_home() -> None:
    found = sort([alert(RESOLVED)], {}, key_of, NOW)
    assert found == Sorted(homeless=[alert(RESOLVED)], news=Counter({News.RESOLVED_UNSEEN: 1}))


@pytest.mark.parametrize("known", [alert(), alert(starts_at=LATER), alert(RESOLVED)])
def test_repeats_and_what_comes_late_go_nowhere(known: Alert) -> None:
    found = sort([alert()], {"f1": KnownAlert(known, 4)}, key_of, NOW)
    assert (found.fired, found.known, found.homeless) == ({}, {}, [])
    assert found.news.total() == 1


def test_an_alert_that_fires_and_is_over_in_one_delivery_pages_nobody() -> None:
    found = sort([alert(), alert(RESOLVED)], {}, key_of, NOW)
    assert found.fired == {}
    assert found.homeless == [alert(RESOLVED)]


def test_a_repeat_in_other_words_goes_to_its_incident_and_is_not_saved_by_itself() -> None:
    reworded = alert(annotations={"summary": "Errors above 50 %"})
    found = sort([reworded], {"f1": KnownAlert(alert(), 4)}, key_of, NOW)
    assert found.known == {4: Change(reworded=[reworded])}
    assert found.known[4].everything() == []
    assert sort([reworded], {"f1": KnownAlert(alert(), None)}, key_of, NOW).known == {}


def test_what_is_extended_is_recorded_and_no_news() -> None:
    extended = alert(ends_at=LATER)
    found = sort([extended], {"f1": KnownAlert(alert(ends_at=NOW), 4)}, key_of, NOW)
    assert found.known == {4: Change(silent=[extended])}


# Order and number do not matter

moments = st.sampled_from([NOW + timedelta(minutes=minute) for minute in range(4)])
alerts = st.builds(
    lambda fingerprint, status, starts_at: alert(status, fingerprint, starts_at=starts_at),
    st.sampled_from(["f1", "f2"]),
    st.sampled_from(AlertStatus),
    moments,
)
deliveries = st.lists(st.lists(alerts, min_size=1, max_size=3), min_size=1, max_size=5)


def known_after(received: Sequence[Sequence[Alert]]) -> Mapping[str, Alert]:
    """What intake knows after these deliveries."""
    known: dict[str, KnownAlert] = {}
    for delivery in received:
        found = sort(delivery, known, key_of, NOW)
        new = [KnownAlert(one, 1) for group in found.fired.values() for one in group]
        new += [KnownAlert(one, None) for one in found.homeless]
        new += [
            KnownAlert(one, home) for home, each in found.known.items() for one in each.everything()
        ]
        known.update((one.alert.fingerprint, one) for one in new)
    return {fingerprint: one.alert for fingerprint, one in known.items()}


@given(deliveries, st.data())
def test_the_same_deliveries_lead_to_the_same_in_any_order_and_number(
    received: list[list[Alert]], data: st.DataObject
) -> None:
    repeated = received + data.draw(st.lists(st.sampled_from(received), max_size=5))
    shuffled = data.draw(st.permutations(repeated))
    assert known_after(shuffled) == known_after(received)


@given(deliveries)
def test_of_the_latest_start_the_resolution_wins(received: list[list[Alert]]) -> None:
    everything = [one for delivery in received for one in delivery]
    for fingerprint, one in known_after(received).items():
        same = [other for other in everything if other.fingerprint == fingerprint]
        assert one.starts_at == max(other.starts_at for other in same)
        resolved = alert(RESOLVED, fingerprint, starts_at=one.starts_at) in same
        assert one.status is (RESOLVED if resolved else FIRING)


# Spans


spans = st.tuples(moments, moments).map(lambda pair: ended(min(pair), max(pair)))
firings = moments.map(lambda start: alert(starts_at=start))
lives = st.lists(st.lists(spans | firings, min_size=1, max_size=3), min_size=1, max_size=5)


@given(lives, st.data())
def test_with_spans_too_order_and_number_do_not_matter(
    received: list[list[Alert]], data: st.DataObject
) -> None:
    repeated = received + data.draw(st.lists(st.sampled_from(received), max_size=5))
    shuffled = data.draw(st.permutations(repeated))
    assert known_after(shuffled) == known_after(received)


@given(lives)
def test_it_fires_while_a_start_is_later_than_every_end(received: list[list[Alert]]) -> None:
    everything = [one for delivery in received for one in delivery]
    starts = [one.starts_at for one in everything if one.status is FIRING]
    ends = [one.ends_at for one in everything if one.ends_at is not None]
    fires = bool(starts) and (not ends or max(starts) > max(ends))
    assert (known_after(received)["f1"].status is FIRING) is fires
