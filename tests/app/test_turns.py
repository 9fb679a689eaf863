"""Of one thing, one at a time; different things don't wait for each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from bot.app.turns import Turns


def test_of_one_key_one_at_a_time() -> None:
    turns, together, inside = Turns(), Barrier(8), []

    def take(_: int) -> int:
        together.wait()
        with turns.of(7):
            inside.append(1)
            most = len(inside)
            inside.pop()
        return most

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(take, range(8))) == [1] * 8


def test_keys_do_not_wait_for_each_other() -> None:
    turns, held = Turns(), Event()

    def other() -> None:
        with turns.of(2):
            held.set()

    with ThreadPoolExecutor(1) as threads, turns.of(1):
        threads.submit(other)
        assert held.wait(10)


def test_a_turn_that_ends_in_an_error_is_over() -> None:
    turns, entered = Turns(), Event()
    with pytest.raises(KeyError), turns.of(1):
        raise KeyError

    def next_one() -> None:
        with turns.of(1):
            entered.set()

    with ThreadPoolExecutor(1) as threads:
        threads.submit(next_one)
        assert entered.wait(10)
