"""`wait`: some time passes, counted from when the step first began."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.steps.polling import NotReached
from tests.support.clock import START
from tests.support.step_bench import Bench


def test_it_waits_as_long_as_it_says(bench: Bench) -> None:
    outcome = bench.step("wait", duration="90s").execute()
    assert outcome.summary == "Waited for 90s."
    assert (bench.clock.now() - START).total_seconds() == 90
    assert bench.progress == [f"waiting until {bench.clock.now():%H:%M:%S} UTC"]


def test_a_restart_adds_nothing(bench: Bench) -> None:
    step = bench.step("wait", duration="90s")
    bench.clock.advance(80)
    step.execute()
    assert (bench.clock.now() - START).total_seconds() == 90


def test_an_abort_ends_it(bench: Bench) -> None:
    step = bench.step("wait", duration="1h")
    step.context = replace(step.context, stopped=lambda: True)
    with pytest.raises(NotReached, match="being aborted"):
        step.execute()
    assert bench.clock.now() == START
