"""`manual` and `approval`: what they ask, and that nothing is ever executed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.errors import InvalidInput, PermanentError
from bot.domain.plan import Question
from tests.support.step_bench import Bench


def test_what_is_done_by_hand_is_a_question(bench: Bench) -> None:
    plan = bench.step("manual", instruction="Call them.", timeout="30m").plan()
    assert plan.summary == "By hand: Call them."
    assert plan.asks == Question("Call them.", {}, timedelta(minutes=30))


def test_an_approval_needs_an_approver_unless_it_says_otherwise(bench: Bench) -> None:
    plain = bench.step("approval", question="Go?").plan()
    assert plain.asks == Question("Go?", {"approver": 1}, timedelta(hours=4))
    two = bench.step("approval", question="Go?", needs={"security": 2}).plan()
    assert two.asks is not None
    assert two.asks.needs == {"security": 2}


@pytest.mark.parametrize("needs", [{}, {"security": 0}, {"security": 11}, {"Not A Kind": 1}])
def test_an_approval_that_nobody_has_to_give_is_refused(
    bench: Bench, needs: dict[str, int]
) -> None:
    with pytest.raises(InvalidInput):
        bench.step("approval", question="Go?", needs=needs)


@pytest.mark.parametrize(("kind", "name"), [("manual", "instruction"), ("approval", "question")])
def test_neither_is_ever_executed(bench: Bench, kind: str, name: str) -> None:
    with pytest.raises(PermanentError, match="people"):
        bench.step(kind, **{name: "Go?"}).execute()
