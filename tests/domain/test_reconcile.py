"""What is concluded from Alertmanager's own view, and above all what is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alert import AlertStatus
from bot.domain.dedup import KnownAlert, News, compare
from bot.domain.observation import Member, Observation, Sighting, State, united
from bot.domain.reconcile import (
    ALERTS_PER_DELIVERY,
    GRACE,
    SETTLED,
    Decision,
    Finding,
    Known,
    Memory,
    Patience,
    Verdict,
    decide,
    deliveries,
    expired,
)
from tests.support.examples import NOW, alert

ORIGIN = "http://am.example"
MINUTE = timedelta(minutes=1)
SETTLED_MEMBER = Member("http://am-0:9093", SETTLED)


def firing_here(*fingerprints: str, origin: str | None = ORIGIN) -> list[KnownAlert]:
    return [KnownAlert(alert(fingerprint=one), None, origin) for one in fingerprints]


def known(
    firing: Sequence[KnownAlert] = (), receivers: frozenset[str] = frozenset({"tocsin"})
) -> Known:
    return Known(firing, receivers, lambda labels: labels.get("alertname") == "Watchdog")


def sighting(
    fingerprint: str, state: State = State.ACTIVE, receiver: str = "tocsin", **changes: Any
) -> Sighting:
    return Sighting(alert(fingerprint=fingerprint, **changes), state, frozenset({receiver}))


def seen(*sightings: Sighting, members: Sequence[Member] = (SETTLED_MEMBER,)) -> Observation:
    return Observation(tuple(members), united(sightings))


def last(known_then: Known, *observations: Observation, minutes: float = 6) -> Decision:
    """The last decision of several, that many minutes apart."""
    memory = Memory()
    moment = NOW
    for observation in observations:
        decision = decide(known_then, observation, memory, moment)
        memory = decision.memory
        moment += minutes * MINUTE
    return decision


WATCHED = sighting("always")
"""An alert that is here and there all the time, so its origin is known to be asked."""


def with_watched(*fingerprints: str) -> Known:
    return known(firing_here("always", *fingerprints))


# Missed


def test_what_is_active_there_and_not_here_for_long_was_missed() -> None:
    decision = last(known(), seen(sighting("f1")), seen(sighting("f1")))

    assert decision.missed == (alert(fingerprint="f1"),)
    assert decision.verdicts == {Verdict.MISSED: 1}


def test_the_ordinary_webhook_is_waited_for() -> None:
    decision = last(known(), seen(sighting("f1")), seen(sighting("f1")), minutes=5.9)

    assert decision.missed == ()
    assert decision.verdicts == {Verdict.WAITING: 1}


def test_a_silence_that_has_just_ended_leaves_the_webhook_its_time() -> None:
    silenced = seen(sighting("f1", State.SUPPRESSED))

    assert last(known(), silenced, silenced, seen(sighting("f1"))).missed == ()


@pytest.mark.parametrize(
    ("one", "verdict"),
    [
        (sighting("f1", State.SUPPRESSED), Verdict.NOT_ACTIVE),
        (sighting("f1", State.UNPROCESSED), Verdict.NOT_ACTIVE),
        (sighting("f1", receiver="mail"), Verdict.NOT_OURS),
        (sighting("f1", labels={"alertname": "Watchdog"}), Verdict.HEARTBEAT),
    ],
)
def test_what_nobody_is_to_be_told_of_is_not_missed(one: Sighting, verdict: Verdict) -> None:
    decision = last(known(), seen(one), seen(one))

    assert (decision.missed, decision.verdicts) == ((), {verdict: 1})


def test_after_a_truncated_delivery_nothing_is_waited_for() -> None:
    decision = decide(known(), seen(sighting("f1")), Memory(), NOW, Patience(missed=timedelta(0)))

    assert [one.fingerprint for one in decision.missed] == ["f1"]


# Ended


def test_what_is_gone_there_for_long_has_ended_when_it_was_first_found_gone() -> None:
    decision = last(with_watched("f1"), seen(WATCHED), seen(WATCHED))

    (ended,) = decision.ended
    assert (ended.fingerprint, ended.status, ended.ends_at) == ("f1", AlertStatus.RESOLVED, NOW)
    assert compare(alert(fingerprint="f1"), ended, GRACE) is News.RESOLVED
    assert decision.verdicts == {Verdict.AGREED: 1, Verdict.ENDED: 1}


@pytest.mark.parametrize("state", State)
def test_what_is_there_in_any_state_has_not_ended(state: State) -> None:
    there = seen(WATCHED, sighting("f1", state))

    assert last(with_watched("f1"), there, there).ended == ()


def test_one_look_ends_nothing() -> None:
    impatient = Patience(ended=timedelta(0))

    decision = decide(with_watched("f1"), seen(WATCHED), Memory(), NOW, impatient)

    assert decision.ended == ()


def test_what_was_there_in_between_is_waited_for_again() -> None:
    back = seen(WATCHED, sighting("f1"))

    assert last(with_watched("f1"), seen(WATCHED), back, seen(WATCHED)).ended == ()


def test_what_has_started_anew_in_between_is_waited_for_again() -> None:
    first = decide(with_watched("f1"), seen(WATCHED), Memory(), NOW)
    anew = KnownAlert(alert(fingerprint="f1", starts_at=NOW + MINUTE), None, ORIGIN)
    now_here = known([*firing_here("always"), anew])

    second = decide(now_here, seen(WATCHED), first.memory, NOW + GRACE)
    third = decide(now_here, seen(WATCHED), second.memory, NOW + 2 * GRACE)

    assert second.ended == ()
    assert [one.ends_at for one in third.ended] == [NOW + GRACE]


@pytest.mark.parametrize(
    "other",
    [
        Member("http://am-1:9093", problem="it does not answer"),
        Member("http://am-1:9093", SETTLED - MINUTE),
        Member("http://am-1:9093", -MINUTE),
        Member("http://am-1:9093", None),
    ],
)
def test_a_member_that_is_silent_or_young_proves_no_absence(other: Member) -> None:
    doubtful = seen(WATCHED, members=(SETTLED_MEMBER, other))

    decision = last(with_watched("f1"), doubtful, doubtful)

    assert decision.ended == ()
    assert decision.verdicts[Verdict.UNPROVEN] == 1


def test_doubt_in_between_starts_the_wait_anew() -> None:
    young = seen(WATCHED, members=(replace(SETTLED_MEMBER, up_for=MINUTE),))

    assert last(with_watched("f1"), seen(WATCHED), young, seen(WATCHED)).ended == ()


def test_what_an_alertmanager_that_is_not_asked_told_is_not_judged() -> None:
    here = known([*firing_here("always"), *firing_here("f1", origin="http://other.example")])

    decision = last(here, seen(WATCHED), seen(WATCHED))

    assert decision.ended == ()
    assert decision.verdicts[Verdict.NOT_ASKED] == 1


def test_an_origin_that_is_the_address_asked_needs_no_other_proof() -> None:
    here = known(firing_here("f1", origin=f"{SETTLED_MEMBER.url}/"))

    assert [one.fingerprint for one in last(here, seen(), seen()).ended] == ["f1"]


def test_an_origin_once_found_stays_known() -> None:
    first = decide(with_watched("f1"), seen(WATCHED), Memory(), NOW)
    second = decide(with_watched("f1"), seen(), first.memory, NOW + GRACE)

    assert [one.fingerprint for one in second.ended] == ["f1"]


def test_what_came_another_way_is_not_judged() -> None:
    here = known([*firing_here("always"), *firing_here("f1", origin=None)])

    decision = last(here, seen(WATCHED), seen(WATCHED))

    assert (decision.ended, decision.verdicts[Verdict.NOT_FROM_THERE]) == ((), 1)


# Several members


def test_what_one_member_silences_and_another_tells_is_active() -> None:
    silenced, active = sighting("f1", State.SUPPRESSED), sighting("f1")

    assert united([silenced, active]) == united([active, silenced]) == (active,)


def test_of_two_starts_the_later_counts_for_all_receivers() -> None:
    one = sighting("f1", receiver="mail")
    other = sighting("f1", starts_at=NOW + MINUTE)
    both = frozenset({"mail", "tocsin"})

    assert united([one, other]) == united([other, one]) == (replace(other, receivers=both),)


# Any observations at all

FINGERPRINTS = st.sampled_from(["a", "b", "c", "d"])
MEMBERS = st.lists(
    st.builds(
        Member,
        st.sampled_from(["http://am-0", "http://am-1"]),
        st.sampled_from([None, MINUTE, SETTLED]),
        st.sampled_from(["", "", "down"]),
    ),
    min_size=1,
    max_size=3,
)
SIGHTINGS = st.lists(
    st.builds(
        sighting,
        FINGERPRINTS,
        st.sampled_from(State),
        st.sampled_from(["tocsin", "mail"]),
        starts_at=st.sampled_from([NOW, NOW + MINUTE]),
    ),
    max_size=6,
)
KNOWN = st.lists(
    st.tuples(FINGERPRINTS, st.sampled_from([ORIGIN, "http://am-0", None])),
    unique_by=lambda one: one[0],
).map(lambda pairs: [entry for name, by in pairs for entry in firing_here(name, origin=by)])
LOOKS = st.lists(st.tuples(KNOWN, MEMBERS, SIGHTINGS), min_size=1, max_size=5)
Look = tuple[list[KnownAlert], list[Member], list[Sighting]]


def decisions(looks: Sequence[Look], every: timedelta = GRACE) -> list[Decision]:
    memory, found = Memory(), []
    for number, (firing, members, sightings) in enumerate(looks):
        observation = Observation(tuple(members), united(sightings))
        found.append(decide(known(firing), observation, memory, NOW + number * every))
        memory = found[-1].memory
    return found


def names(decision: Decision) -> tuple[set[str], set[str]]:
    missed = {one.fingerprint for one in decision.missed}
    return missed, {one.fingerprint for one in decision.ended}


@given(LOOKS)
def test_nothing_ends_that_any_member_has_or_that_is_in_doubt(looks: list[Look]) -> None:
    for decision, (firing, members, sightings) in zip(decisions(looks), looks, strict=True):
        _, ended = names(decision)
        posted = {one.alert.fingerprint for one in firing if one.origin is None}
        assert not ended & {one.alert.fingerprint for one in sightings}
        assert not ended & posted
        assert not ended or all(member.settled(SETTLED) for member in members)
        assert sum(decision.verdicts.values()) >= len(firing)


@given(LOOKS)
def test_nothing_is_concluded_before_the_grace_is_over(looks: list[Look]) -> None:
    for decision in decisions(looks, every=timedelta(seconds=60)):
        assert names(decision) == (set(), set())


@given(LOOKS, st.randoms(use_true_random=False))
def test_the_order_of_alerts_and_members_does_not_matter(looks: list[Look], random: Random) -> None:
    def shuffled(items: list[object]) -> list[object]:
        return random.sample(items, len(items))

    mixed = [tuple(shuffled(list(part)) for part in look) for look in looks]

    one, other = decisions(looks), decisions(mixed)  # type: ignore[arg-type]
    assert [names(decision) for decision in one] == [names(decision) for decision in other]
    assert [decision.verdicts for decision in one] == [decision.verdicts for decision in other]


# Posted alerts


@pytest.mark.parametrize(
    ("ends_at", "over"),
    [(None, False), (NOW, True), (NOW - MINUTE, True), (NOW + MINUTE, False)],
)
def test_a_posted_alert_ends_when_its_time_is_over(ends_at: datetime | None, over: bool) -> None:
    posted = alert(starts_at=NOW - GRACE, ends_at=ends_at)

    found = expired([KnownAlert(posted, None, None)], NOW)

    assert found == ((replace(posted, status=AlertStatus.RESOLVED),) if over else ())


def test_what_has_ended_does_not_expire() -> None:
    over = alert(AlertStatus.RESOLVED, ends_at=NOW - MINUTE)

    assert expired([KnownAlert(over, None, None)], NOW) == ()


# Deliveries


@pytest.mark.parametrize("number", [0, 1, ALERTS_PER_DELIVERY, 2 * ALERTS_PER_DELIVERY + 1])
def test_deliveries_are_bounded_and_hold_everything(number: int) -> None:
    alerts = [alert(fingerprint=str(one)) for one in range(number)]

    made = list(deliveries(Finding.MISSED, alerts, ORIGIN))

    assert [one for delivery in made for one in delivery.alerts] == alerts
    assert all(1 <= len(delivery.alerts) <= ALERTS_PER_DELIVERY for delivery in made)
    assert {delivery.status for delivery in made} <= {AlertStatus.FIRING}
