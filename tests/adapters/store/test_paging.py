"""The pager's unknown events and the tests of its way come back as they were saved."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.adapters.store import SqlStore
from bot.domain.page import UnknownPagerEvent
from bot.domain.page_test import PageTest, PageTestState
from tests.support.examples import NOW
from tests.support.stores import HOSTILE, LATER

EVENT = UnknownPagerEvent("E1", "incident.something.new", HOSTILE, NOW)
TEST = PageTest(0, "0 10 * * 1 UTC", NOW)


def test_unknown_events_come_back_the_newest_first_and_once_each(store: SqlStore) -> None:
    later = replace(EVENT, event_id="E2", received_at=LATER)
    with store.transaction() as tx:
        for one in (later, EVENT, EVENT):
            tx.keep_pager_event(one)
    with store.read() as reader:
        found = reader.unknown_pager_events()
        assert len(reader.unknown_pager_events(limit=1)) == 1
    assert [replace(one, body="") for one in found] == [
        replace(one, body="") for one in (later, EVENT)
    ]
    assert found[0].body == HOSTILE.replace("\0", "")


def test_unknown_events_are_forgotten_with_time(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.keep_pager_event(EVENT)
        tx.keep_pager_event(replace(EVENT, event_id="E2", received_at=LATER))
    store.forget(NOW + timedelta(minutes=1))
    with store.read() as reader:
        assert [one.event_id for one in reader.unknown_pager_events()] == ["E2"]


def test_page_tests_get_ids_and_change(store: SqlStore) -> None:
    with store.transaction() as tx:
        assert tx.page_tests() == []
        tx.save_page_test(TEST)
        tx.save_page_test(replace(TEST, due_at=LATER))
    changed = PageTest(
        2, TEST.plan, LATER, PageTestState.FAILED, LATER, LATER, 7, HOSTILE.replace("\0", "")
    )
    with store.transaction() as tx:
        tx.save_page_test(changed)
        assert [one.id for one in tx.page_tests(limit=1)] == [2]
    with store.read() as reader:
        assert reader.page_tests() == [changed, replace(TEST, id=1)]
