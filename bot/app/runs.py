"""What people do to runs: ask for one, approve its plan, call it off, look at it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.app.access import Access, Forbidden
from bot.app.incidents import OPEN
from bot.app.record import open_run, record_run
from bot.domain.access import RunAction
from bot.domain.actor import TOCSIN, Actor, ActorKind
from bot.domain.approval import Wanted
from bot.domain.classify import Severity
from bot.domain.effects import ExpireRun
from bot.domain.errors import IllegalTransition, InvalidInput
from bot.domain.grouping import group_is_about
from bot.domain.run import NEEDS_UNKNOWN, Run, blank_records
from bot.domain.run_events import (
    RunAborted,
    RunApproved,
    RunCancelled,
    RunEvent,
    RunExpired,
    RunOverridden,
    RunPaused,
    RunResumed,
    RunSettled,
    RunState,
    StepAnswered,
    StepApproved,
)
from bot.domain.run_words import apart
from bot.domain.runbook import Runbook, bind
from bot.domain.timeline import Entry, Recorded, entries
from bot.ports import Clock, Reader, RunbookLibrary, Store, Transaction

NOT_BEGUN = (RunState.PLANNING, RunState.AWAITING_APPROVAL, RunState.READY)


class Runs:
    """The use cases about runs. Nothing here speaks to the cluster: the runner does."""

    def __init__(self, store: Store, library: RunbookLibrary, access: Access, clock: Clock) -> None:
        self._store = store
        self._library = library
        self._access = access
        self._clock = clock

    def request(
        self, reference: str, words: Sequence[str], actor: Actor, *, start_when_planned: bool
    ) -> Run:
        """Ask for a run; raises `InvalidInput` when the words don't fit the runbook.

        The word ``incident=INC-3`` says on which incident's timeline it belongs;
        otherwise it is the newest open one about the same workload, or the only open one.
        """
        with self._store.transaction() as tx:
            return self.ask(tx, reference, words, actor, start_when_planned=start_when_planned)

    def ask(
        self,
        tx: Transaction,
        reference: str,
        words: Sequence[str],
        actor: Actor,
        *,
        start_when_planned: bool,
    ) -> Run:
        """As `request`, within the caller's transaction.

        What the policy asks for belongs to an incident only if its words say so.
        """
        self._access.check(tx, actor, RunAction.ASK)
        runbook = self._library.get(reference)
        others, incident_id = apart(words)
        parameters, now = bind(runbook, others), self._clock.now()
        if incident_id is not None:
            tx.incident(incident_id)
        elif actor.kind is not ActorKind.POLICY:
            incident_id = _related(tx, list(parameters.values()))
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

    def check_plan(self, reference: str, words: Sequence[str], actor: Actor) -> Runbook:
        """As `check`, for somebody who wants to see a plan; `Forbidden` when they may not."""
        with self._store.read() as reader:
            self._access.check(reader, actor, RunAction.PLAN)
        return self.check(reference, words)

    def check(self, reference: str, words: Sequence[str]) -> Runbook:
        """The runbook, when these words fit it; otherwise `InvalidInput`."""
        runbook = self._library.get(reference)
        others, incident_id = apart(words)
        bind(runbook, others)
        if incident_id is not None:
            with self._store.read() as reader:
                reader.incident(incident_id)
        return runbook

    def approve(self, run_id: int, actor: Actor, plan_digest: str | None = None) -> Run:
        """Approve a run, or start one that needs no approval.

        With `plan_digest` another plan than the one that was shown is refused.
        """
        with self._store.transaction() as tx:
            run = self._planned(tx, run_id)
            if run.plan is None or plan_digest not in (None, run.plan.digest):
                raise IllegalTransition(
                    f"Run {run_id} has another plan than the one you saw; look at it again."
                )
            event = RunApproved(run.plan.digest, self._kinds(tx, run, actor))
            return self._record(tx, run, event, actor)

    def _kinds(self, tx: Transaction, run: Run, actor: Actor) -> tuple[str, ...]:
        """The kinds of somebody's approval; none where being a responder is enough."""
        if run.requirement is None or not run.missing:
            self._access.check(tx, actor, RunAction.START)
            return ()
        wanted = Wanted(run.requirement.needs, run.approvals, run.requested_by)
        return self._access.approval(tx, actor, wanted).kinds

    def override(self, run_id: int, reason: str, actor: Actor) -> Run:
        """Break the glass: let a run go without the approvals that it lacks, in a P0 only."""
        if not reason.strip():
            raise InvalidInput("Say why: override RUN REASON. It stands on the timeline.")
        with self._store.transaction() as tx:
            run = self._planned(tx, run_id)
            self._access.check(tx, actor, RunAction.OVERRIDE)
            if not _in_open_p0(tx, run):
                raise Forbidden("Only a run that belongs to an open P0 can do without approvals.")
            return self._record(tx, run, RunOverridden(reason.strip(), run.missing), actor)

    def cancel(self, run_id: int, actor: Actor) -> Run:
        """Call a run off that has not begun."""
        return self._act(run_id, RunAction.CALL_OFF, RunCancelled(), actor)

    def pause(self, run_id: int, actor: Actor) -> Run:
        """Let the step under way finish, and begin no other."""
        return self._act(run_id, RunAction.PAUSE, RunPaused(), actor)

    def resume(self, run_id: int, actor: Actor) -> Run:
        """Go on after a pause."""
        return self._act(run_id, RunAction.RESUME, RunResumed(), actor)

    def abort(self, run_id: int, actor: Actor, reason: str = "", *, undo: bool = True) -> Run:
        """Stop a run at the next safe point, and put back what it changed or leave it.

        One that has not begun is called off.
        """
        with self._store.transaction() as tx:
            self._access.check(tx, actor, RunAction.ABORT)
            run = tx.run(run_id)
            begun = run.state not in NOT_BEGUN
            said = ": ".join(filter(None, (f"by {actor.name}", reason.strip())))
            event = RunAborted(said, undo) if begun else RunCancelled()
            return self._record(tx, run, event, actor)

    def answer(
        self, run_id: int, actor: Actor, words: str = "", *, done: bool = True, step: str = ""
    ) -> Run:
        """Say that the step that waits for people is done, or could not be; or approve it.

        Of a run that ended uncertain it says how it really ended, and then words are needed.
        With `step` the answer to another question than the one that was shown is refused.
        """
        with self._store.transaction() as tx:
            if tx.run(run_id).state is RunState.UNCERTAIN:
                return self._settle(tx, run_id, actor, RunSettled(done, words.strip()))
            run = self._waiting(tx, run_id)
            record = run.asked
            if record is None or step not in ("", record.id):
                raise IllegalTransition(f"Run {run_id} waits for no such answer.")
            needs = run.question(record.id).needs
            if not (needs and done):
                self._access.check(tx, actor, RunAction.ANSWER)
                return self._record(tx, run, StepAnswered(record.id, done, words), actor)
            wanted = Wanted(needs, record.approvals, run.requested_by)
            approval = self._access.approval(tx, actor, wanted)
            return self._record(tx, run, StepApproved(record.id, approval.kinds), actor)

    def _settle(self, tx: Transaction, run_id: int, actor: Actor, event: RunSettled) -> Run:
        self._access.check(tx, actor, RunAction.ANSWER)
        if not event.words:
            raise InvalidInput("Say how you know: done RUN WORDS, or failed RUN WORDS.")
        return self._record(tx, tx.run(run_id), event, actor)

    def expire(self, run_id: int) -> None:
        """End a run, or fail its step, for whose approval or answer it was waited in vain."""
        with self._store.transaction() as tx:
            run = tx.run(run_id)
            if run.deadline is None:
                return
            left = (run.deadline - self._clock.now()).total_seconds()
            if left > 0:
                # An answer came and another wait began, or the clock was set back.
                tx.enqueue(ExpireRun(run_id), left)
                return
            event: RunEvent = RunExpired()
            if run.asked is not None:
                event = StepAnswered(run.asked.id, done=False, words="nobody answered in time.")
            self._record(tx, run, event, TOCSIN)

    def _planned(self, tx: Transaction, run_id: int) -> Run:
        """The run that waits to be let go; not one of which nobody knows what that takes."""
        run = self._waiting(tx, run_id)
        if run.state is RunState.AWAITING_APPROVAL and run.requirement is None:
            raise IllegalTransition(f"Run {run_id} can’t be let go. {NEEDS_UNKNOWN}")
        return run

    def _waiting(self, tx: Transaction, run_id: int) -> Run:
        """The run; too late is too late, even while nobody has written that down yet."""
        run = tx.run(run_id)
        if run.deadline is not None and run.deadline <= self._clock.now():
            raise IllegalTransition(f"Run {run_id} was waited for too long; ask for a new one.")
        return run

    def _act(self, run_id: int, action: RunAction, event: RunEvent, actor: Actor) -> Run:
        with self._store.transaction() as tx:
            self._access.check(tx, actor, action)
            return self._record(tx, tx.run(run_id), event, actor)

    def _record(self, tx: Transaction, run: Run, event: RunEvent, actor: Actor) -> Run:
        return record_run(tx, run, (event,), actor, self._clock.now())

    def get(self, run_id: int) -> Run:
        """Raises `NotFound`."""
        with self._store.read() as reader:
            return reader.run(run_id)

    def newest(self, limit: int = 20, states: Sequence[RunState] | None = None) -> Sequence[Run]:
        """The newest runs first; of any state, or of one of these."""
        with self._store.read() as reader:
            return reader.runs(states, limit)

    def recorded(self, run_id: int) -> tuple[Run, Sequence[Recorded]]:
        """The run and its events, oldest first. Raises `NotFound`."""
        with self._store.read() as reader:
            return reader.run(run_id), reader.recorded(run_id=run_id)

    def timeline(self, run_id: int) -> tuple[Run, Sequence[Entry]]:
        """The run and its story. Raises `NotFound`."""
        run, recorded = self.recorded(run_id)
        return run, entries(recorded)

    def runbooks(self) -> Sequence[Runbook]:
        """The newest version of every runbook."""
        return [self._library.get(name) for name in self._library.names()]

    def runbook(self, reference: str) -> tuple[Runbook, Sequence[str]]:
        """A runbook, and the versions of it that there are."""
        runbook = self._library.get(reference)
        return runbook, self._library.versions(runbook.name)


def _in_open_p0(reader: Reader, run: Run) -> bool:
    """Whether the run belongs to a P0 that nobody has ended."""
    incident = reader.incident(run.incident_id) if run.incident_id else None
    return bool(incident and incident.severity is Severity.P0 and incident.state in OPEN)


def _related(reader: Reader, values: Sequence[str]) -> int | None:
    """The open incident that a run with these parameters belongs to, if that is clear."""
    open_incidents = reader.incidents(OPEN)
    for value in values:
        namespace, _, name = value.partition("/")
        for incident in open_incidents:
            if name and group_is_about(incident.group_key, namespace, name):
                return incident.id
    return open_incidents[0].id if len(open_incidents) == 1 else None
