"""What is to be done after an incident: numbered, done, and done again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.errors import InvalidInput, NotFound
from bot.domain.follow_up import (
    LONGEST,
    MOST,
    SHOWN,
    FollowUp,
    add,
    finish,
    follow_ups_left,
    reopen,
)
from bot.domain.ticket import TicketState
from bot.domain.ticket_events import FollowUpAdded, FollowUpDone, FollowUpReopened
from tests.support.examples import NOW, TICKET


def known(*done: bool) -> tuple[FollowUp, ...]:
    """Some of them, done or not."""
    return tuple(
        FollowUp(number, f"Do thing {number}.", "ana", NOW, is_done)
        for number, is_done in enumerate(done, 1)
    )


def test_they_are_numbered_in_their_order_and_kept_in_one_line() -> None:
    assert add((), " Add an index\n on orders. ") == FollowUpAdded(1, "Add an index on orders.")
    assert add(known(True, False), "x" * LONGEST).number == 3


@pytest.mark.parametrize(
    ("has", "text", "says"),
    [
        (0, "  ", "The follow-up is empty"),
        (0, "x" * (LONGEST + 1), "longer than 1000 characters"),
        (MOST, "One more.", "It has 50 follow-ups"),
    ],
)
def test_what_can_not_be_one_is_refused_with_the_reason(has: int, text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        add(known(*[False] * has), text)


@pytest.mark.parametrize("done", [True, False])
def test_marking_says_what_changed_and_nothing_else(done: bool) -> None:
    assert finish(known(done), 1) == (() if done else (FollowUpDone(1),))
    assert reopen(known(done), 1) == ((FollowUpReopened(1),) if done else ())


@pytest.mark.parametrize("decide", [finish, reopen])
@pytest.mark.parametrize("number", [0, 3])
def test_a_number_that_it_has_not_is_refused(decide: object, number: int) -> None:
    assert callable(decide)
    with pytest.raises(NotFound, match=f"no follow-up {number}: its follow-ups are 1 to 2"):
        decide(known(True, False), number)
    with pytest.raises(NotFound, match="it has none"):
        decide((), number)


def test_what_is_left_is_said_first_and_what_is_done_is_counted() -> None:
    assert follow_ups_left(known(True, False, True, False)) == (
        "2: Do thing 2.; 4: Do thing 4.; 2 done"
    )
    assert follow_ups_left(known(True)) == "1 done"
    entered = replace(known(False)[0], ticket=TicketState("", TICKET))
    assert follow_ups_left([entered]) == "1: Do thing 1. https://memory.example/1"
    many = follow_ups_left(known(*[False] * (SHOWN + 2)))
    assert many.endswith("5: Do thing 5.; and 2 more")
