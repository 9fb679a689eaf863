"""Replicas and origins come back as they were written down, on both databases."""

from __future__ import annotations

from bot.adapters.store import SqlStore
from bot.domain.replicas import Replica
from tests.support.examples import NOW
from tests.support.stores import HOSTILE, LATER

NAME = HOSTILE.replace("\0", "").replace("\ud7ff", "")


def test_a_replica_beats_is_claimed_and_beats_again(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.replica_beats("b", NOW)
        tx.replica_beats(NAME, NOW)
        tx.replica_beats("b", LATER)
        tx.claim_replica("b", NAME)
        tx.claim_replica("unknown", NAME)
    with store.read() as reader:
        found = {one.name: one for one in reader.replicas()}
    assert found == {"b": Replica("b", 2, LATER, NAME), NAME: Replica(NAME, 1, NOW)}
    with store.transaction() as tx:
        tx.replica_beats("b", NOW)
        assert [one for one in tx.replicas() if one.name == "b"] == [Replica("b", 3, NOW)]


def test_origins_belong_to_the_addresses_among_which_they_were_found(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.save_asked_origins(["http://b", "http://a"], {"http://x", "http://y"})
        tx.save_asked_origins(["http://c"], {"http://y"})
    with store.read() as reader:
        assert reader.asked_origins(["http://a", "http://b"]) == {"http://x"}
        assert reader.asked_origins(["http://c"]) == {"http://y"}
        assert reader.asked_origins(["http://a"]) == frozenset()
