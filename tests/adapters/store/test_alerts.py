"""Alerts come back as they were saved, and are found."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.adapters.store import SqlStore
from bot.adapters.store.alerts import PAGE
from bot.domain.alert import AlertGroup, AlertStatus
from bot.domain.backtest import Occurrence
from bot.domain.classify import Severity
from bot.domain.dedup import KnownAlert
from tests.support.examples import NOW, alert
from tests.support.stores import HOSTILE, LATER, open_one


def test_alerts_come_back_the_latest_started_first(store: SqlStore) -> None:
    one, two = open_one(store), open_one(store, "h")
    old = KnownAlert(alert(labels={"a": HOSTILE}, annotations={HOSTILE: "x"}), one)
    exact = NOW.replace(microsecond=0)
    whole = KnownAlert(alert(fingerprint="f2", starts_at=exact), one)
    new = KnownAlert(alert(AlertStatus.RESOLVED, "f3", starts_at=LATER, ends_at=LATER), two)
    lost = KnownAlert(alert(AlertStatus.RESOLVED, "f4", starts_at=NOW - timedelta(days=1)), None)
    with store.transaction() as tx:
        tx.save_alerts([lost, whole, new, old])
    with store.read() as reader:
        assert list(reader.alerts()) == [new, old, whole, lost]
        assert list(reader.alerts(one)) == [old, whole]
        assert list(reader.alerts(limit=1)) == [new]
        assert reader.known_alerts([old.alert, lost.alert, alert(fingerprint="f9")]) == {
            "f1": old,
            "f4": lost,
        }
        assert (reader.count_firing(one), reader.count_firing(two)) == (2, 0)


def test_of_a_fingerprint_the_last_saved_counts(store: SqlStore) -> None:
    home = open_one(store)
    with store.transaction() as tx:
        tx.save_alerts([KnownAlert(alert(), None)])
        tx.save_alerts([KnownAlert(alert(AlertStatus.RESOLVED), home)])
        assert tx.count_firing(home) == 0
    with store.read() as reader:
        assert reader.known_alerts([alert()]) == {
            "f1": KnownAlert(alert(AlertStatus.RESOLVED), home)
        }


def test_more_fingerprints_than_a_statement_takes_can_be_asked_for(store: SqlStore) -> None:
    many = [KnownAlert(alert(fingerprint=f"f{number}"), None) for number in range(1_200)]
    with store.transaction() as tx:
        tx.save_alerts(many)
        assert len(tx.known_alerts([one.alert for one in many])) == 1_200


def test_what_fires_is_found_by_its_incident_or_altogether(store: SqlStore) -> None:
    one, two = open_one(store), open_one(store, "h")
    ours, theirs = KnownAlert(alert(), one), KnownAlert(alert(fingerprint="f2"), two, "http://am")
    over = KnownAlert(alert(AlertStatus.RESOLVED, "f3"), one)
    with store.transaction() as tx:
        tx.save_alerts([ours, theirs, over])
    with store.read() as reader:
        assert reader.firing_alerts(one) == [ours]
        assert {found.alert.fingerprint for found in reader.firing_alerts()} == {"f1", "f2"}


def occurrence(number: int, at: datetime) -> Occurrence:
    return Occurrence(at, {"n": str(number)}, {"summary": HOSTILE}, Severity.P2, number)


def test_what_fired_is_told_in_order_since_a_moment(store: SqlStore) -> None:
    told = [occurrence(number, NOW) for number in range(PAGE + 1)]
    before = occurrence(-1, NOW - timedelta(seconds=1))
    with store.transaction() as tx:
        tx.save_occurrences([before, *told])
        tx.save_occurrences([])
    with store.read() as reader:
        assert list(reader.occurrences(NOW)) == told
        assert next(iter(reader.occurrences(NOW - timedelta(days=1)))) == before
        assert list(reader.occurrences(LATER)) == []


def test_the_last_that_was_said_of_a_group_is_kept(store: SqlStore) -> None:
    group = AlertGroup("http://am", "tocsin", "{}", AlertStatus.FIRING, {"a": HOSTILE}, NOW, 3)
    other = replace(group, receiver="others")
    with store.transaction() as tx:
        assert tx.alert_group(group.key) is None
        tx.save_alert_groups([group, other])
        tx.save_alert_groups([replace(group, truncated_alerts=0, received_at=LATER)])
    with store.read() as reader:
        assert reader.alert_group(group.key) == replace(
            group, truncated_alerts=0, received_at=LATER
        )
        assert reader.alert_group(other.key) == other
        assert reader.receivers() == {"tocsin", "others"}
