"""What people do to runs: ask for one, approve its plan, call it off, look at it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.app.incidents import OPEN
from bot.app.record import open_run, record_run
from bot.domain.actor import Actor
from bot.domain.errors import IllegalTransition
from bot.domain.grouping import group_is_about
from bot.domain.run import Run, blank_records
from bot.domain.run_events import RunApproved, RunCancelled
from bot.domain.runbook import Runbook, bind
from bot.domain.timeline import Entry, entries
from bot.ports import Clock, Reader, RunbookLibrary, Store

_INCIDENT = re.compile(r"incident=(?:INC-|#)?([0-9]{1,9})", re.IGNORECASE)


class Runs:
    """The use cases about runs. Nothing here speaks to the cluster: the runner does."""

    def __init__(self, store: Store, library: RunbookLibrary, clock: Clock) -> None:
        self._store = store
        self._library = library
        self._clock = clock

    def request(
        self, reference: str, words: Sequence[str], actor: Actor, *, start_when_planned: bool
    ) -> Run:
        """Ask for a run; raises `InvalidInput` when the words don't fit the runbook.

        The word ``incident=INC-3`` says on which incident's timeline it belongs;
        otherwise it is the newest open one about the same workload, or the only open one.
        """
        runbook = self._library.get(reference)
        others = [word for word in words if not _INCIDENT.fullmatch(word)]
        named = [match for word in words if (match := _INCIDENT.fullmatch(word))]
        parameters = bind(runbook, others)
        now = self._clock.now()
        with self._store.transaction() as tx:
            incident_id = int(named[0][1]) if named else _related(tx, list(parameters.values()))
            if incident_id is not None:
                tx.incident(incident_id)
            draft = Run(
                id=0,
                runbook=runbook,
                parameters=parameters,
                requested_by=actor,
                requested_at=now,
                incident_id=incident_id,
                start_when_planned=start_when_planned,
                steps=blank_records(runbook),
            )
            return open_run(tx, draft, actor, now)

    def check(self, reference: str, words: Sequence[str]) -> Runbook:
        """The runbook, when these words fit it; otherwise `InvalidInput`."""
        runbook = self._library.get(reference)
        bind(runbook, words)
        return runbook

    def approve(self, run_id: int, plan_digest: str, actor: Actor) -> Run:
        """Let the plan with that digest run; another plan than the one shown is refused."""
        with self._store.transaction() as tx:
            run = tx.run(run_id)
            if run.plan is None or run.plan.digest != plan_digest:
                raise IllegalTransition(
                    f"Run {run_id} has another plan than the one you saw; look at it again."
                )
            return record_run(tx, run, (RunApproved(plan_digest),), actor, self._clock.now())

    def cancel(self, run_id: int, actor: Actor) -> Run:
        """Call a run off that has not begun."""
        with self._store.transaction() as tx:
            return record_run(tx, tx.run(run_id), (RunCancelled(),), actor, self._clock.now())

    def get(self, run_id: int) -> Run:
        """Raises `NotFound`."""
        with self._store.read() as reader:
            return reader.run(run_id)

    def newest(self, limit: int = 20) -> Sequence[Run]:
        """The newest runs first."""
        with self._store.read() as reader:
            return reader.runs(limit=limit)

    def timeline(self, run_id: int) -> tuple[Run, Sequence[Entry]]:
        """The run and its story."""
        with self._store.read() as reader:
            return reader.run(run_id), entries(reader.recorded(run_id=run_id))

    def runbooks(self) -> Sequence[Runbook]:
        """The newest version of every runbook."""
        return [self._library.get(name) for name in self._library.names()]

    def runbook(self, reference: str) -> tuple[Runbook, Sequence[str]]:
        """A runbook, and the versions of it that there are."""
        runbook = self._library.get(reference)
        return runbook, self._library.versions(runbook.name)


def _related(reader: Reader, values: Sequence[str]) -> int | None:
    """The open incident that a run with these parameters belongs to, if that is clear."""
    open_incidents = reader.incidents(OPEN)
    for value in values:
        namespace, _, name = value.partition("/")
        for incident in open_incidents:
            if name and group_is_about(incident.group_key, namespace, name):
                return incident.id
    return open_incidents[0].id if len(open_incidents) == 1 else None
