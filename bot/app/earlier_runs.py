"""How long earlier runs took, by the record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.domain.estimate import lasted
from bot.domain.run import Run
from bot.domain.run_events import RunState
from bot.domain.runbook import Runbook
from bot.ports import Reader, Store

LOOKED_AT = 200
"""The newest runs that went well, of all runbooks, among which those of one are looked for."""

COUNTED = 9
"""Runs whose length counts: enough for a median, and what is long past tells little."""


class EarlierRuns:
    """What is known of runs that went well."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def lengths(self, runbook: Runbook) -> Sequence[timedelta]:
        """How long the newest runs of that very version took, besides their soak."""
        with self._store.read() as reader:
            ended = reader.runs((RunState.SUCCEEDED,), LOOKED_AT)
            same = [run for run in ended if run.runbook.digest == runbook.digest]
            return [_length(reader, run) for run in same[:COUNTED]]


def _length(reader: Reader, run: Run) -> timedelta:
    estimate = run.plan.estimate if run.plan else None
    soak = estimate.soak if estimate else timedelta(0)
    return max(lasted(reader.recorded(run_id=run.id)) - soak, timedelta(0))
