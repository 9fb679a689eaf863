"""How long a run will take: by the limits of its steps, and by how long earlier runs took."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from itertools import pairwise
from statistics import median_low

from bot.domain.plan import Estimate, StepPlan
from bot.domain.run_events import RunResumed, RunSettled, RunStarted, StepAnswered, StepApproved
from bot.domain.timeline import Recorded

_BY_PEOPLE = (RunResumed, RunSettled, StepAnswered, StepApproved)
"""What ends a wait for people: the time before it is theirs."""


def estimate(steps: Collection[StepPlan], earlier: Sequence[timedelta]) -> Estimate:
    """The estimate of these steps; `earlier` is how long runs of them took besides their soak."""
    soak = _sum(step.limit.soak for step in steps)
    usual = median_low(earlier) + soak if earlier else None
    return Estimate(
        _sum(step.limit.most for step in steps),
        soak,
        _sum(step.asks.patience for step in steps if step.asks),
        usual,
        len(earlier),
    )


def lasted(recorded: Sequence[Recorded]) -> timedelta:
    """How long a run took from its start to its end, without its waits for people."""
    start = next(n for n, one in enumerate(recorded) if isinstance(one.event, RunStarted))
    return _sum(
        later.at - sooner.at
        for sooner, later in pairwise(recorded[start:])
        if not isinstance(later.event, _BY_PEOPLE)
    )


def _sum(lengths: Iterable[timedelta]) -> timedelta:
    return sum(lengths, timedelta(0))
