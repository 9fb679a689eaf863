"""Windows, heartbeats and policies come back as they were saved."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.store import SqlStore
from bot.domain.errors import NotFound
from bot.domain.heartbeat import Beat
from bot.domain.maintenance import Silence, Window
from bot.domain.matcher_text import parse_quick_matcher
from tests.support.examples import ANA, NOW
from tests.support.stores import HOSTILE, LATER, open_one

MATCHERS = ('namespace="payments"', 'pod!~"a.*|b"', 'job=""', 'note="a \\"b\\" \\\\ c"')


def window(**changes: object) -> Window:
    plain = Window(
        id=99,
        matchers=tuple(map(parse_quick_matcher, MATCHERS)),
        starts_at=NOW,
        ends_at=LATER,
        reason=HOSTILE,
        created_by=ANA,
        created_at=NOW - timedelta(days=1),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("silence", [None, Silence(), Silence("a-b", HOSTILE, expired=True)])
def test_a_window_comes_back_as_it_was_saved(store: SqlStore, silence: Silence | None) -> None:
    with store.transaction() as tx:
        made = tx.new_window(window(silence=silence, incident_id=7))
        assert made == window(id=1, silence=silence, incident_id=7)
    ended = replace(made, ends_at=NOW + timedelta(minutes=1))
    with store.transaction() as tx:
        assert tx.window(1) == made
        tx.save_window(ended)
    with store.read() as reader:
        assert reader.window(1) == ended


def test_windows_are_listed_the_newest_first_and_without_what_is_over(store: SqlStore) -> None:
    with store.transaction() as tx:
        for minutes in (10, 30, 20):
            tx.new_window(window(ends_at=NOW + timedelta(minutes=minutes)))
    with store.read() as reader:
        assert [one.id for one in reader.windows()] == [3, 2, 1]
        assert [one.id for one in reader.windows(limit=1)] == [3]
        assert [one.id for one in reader.windows(NOW + timedelta(minutes=10))] == [3, 2]


def test_a_window_that_is_not_there_is_named(store: SqlStore) -> None:
    with store.read() as reader, pytest.raises(NotFound, match=r"MW-5\.$"):
        reader.window(5)
    with store.transaction() as tx:
        tx.new_window(window())
        with pytest.raises(NotFound, match=r"The newest is MW-1\."):
            tx.window(5)


def test_a_window_knows_what_it_hid_once_each(store: SqlStore) -> None:
    one, two = open_one(store), open_one(store, "h")
    with store.transaction() as tx:
        for incident in (two, one, two):
            tx.hide(3, incident)
        tx.hide(4, two)
    with store.read() as reader:
        assert list(reader.hidden_by(3)) == [one, two]
        assert list(reader.hidden_by(4)) == [two]
        assert list(reader.hidden_by(5)) == []


def test_of_each_heartbeat_the_last_beat_is_kept(store: SqlStore) -> None:
    first = Beat("watchdog:cluster=c1", "watchdog", NOW, timedelta(minutes=10), {"cluster": "c1"})
    other = replace(first, key="watchdog:cluster=c2", labels={"cluster": HOSTILE})
    with store.transaction() as tx:
        tx.save_beat(other)
        tx.save_beat(first)
        tx.save_beat(replace(first, last_at=LATER, missing=True))
    with store.read() as reader:
        assert reader.beats() == [replace(first, last_at=LATER, missing=True), other]


def test_policies_are_kept_by_their_digest_and_the_last_used_is_known(store: SqlStore) -> None:
    with store.transaction() as tx:
        assert tx.last_policy("severity.yaml") is None
        tx.keep_policy("d1", "severity.yaml", "one", NOW)
        tx.keep_policy("d2", "severity.yaml", "two", NOW + timedelta(minutes=1))
        tx.keep_policy("d3", "routing.yaml", "three", LATER)
    with store.read() as reader:
        assert reader.last_policy("severity.yaml") == "two"
        texts = [reader.policy_text(digest) for digest in ("d1", "d3", "d9")]
        assert texts == ["one", "three", None]
    with store.transaction() as tx:
        tx.keep_policy("d1", "severity.yaml", "one", LATER)
        assert tx.last_policy("severity.yaml") == "one"
