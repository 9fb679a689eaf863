"""Wires one rehearsal: the real runner and client, on the sandbox's cluster and clock."""

from __future__ import annotations

from dataclasses import dataclass
from tempfile import TemporaryDirectory

from sqlmodel import SQLModel

from bot.adapters import database
from bot.adapters.kubernetes import KubernetesCluster, connect
from bot.adapters.kubernetes_objects import KubernetesObjects
from bot.adapters.store import SqlStore
from bot.app.access import Access
from bot.app.planning import ContextFor, Planner
from bot.app.rehearsing import ASKER, Rehearsing, rehearsal_policy
from bot.app.run_log import RunLog
from bot.app.runner import Runner
from bot.app.runs import Runs
from bot.app.step_work import StepWork
from bot.bootstrap.running import CLUSTER_TIMEOUT, Site
from bot.domain.rehearsal import Rehearsal, shortfalls
from bot.domain.run import Run
from bot.domain.runbook import Runbook
from bot.ports import RunbookLibrary, StepContext, StepOccasion
from bot.sandbox.rehearsal import Rehearsed, Stage, VirtualClock
from bot.sandbox.serving import serve
from bot.steps.people import Approval
from bot.steps.registry import step_kinds


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a rehearsal: the run, and where it fell short; `seconds` are the cluster's."""

    run: Run
    problems: tuple[str, ...]
    seconds: float


def rehearse(runbook: str, rehearsal: Rehearsal, library: RunbookLibrary) -> Played:
    """Play a rehearsal of a runbook. Raises what the library and the cluster raise."""
    clock = VirtualClock()
    stage = Stage(rehearsal, clock)
    begun = clock.now()
    reference = f"{runbook}@{rehearsal.version}" if rehearsal.version else runbook
    with serve(stage.app()) as url, TemporaryDirectory() as folder:
        rehearsing = _rehearsing(library, reference, rehearsal, _Theatre(stage, clock, url, folder))
        run = rehearsing.play(reference, rehearsal.parameters)
    took = (clock.now() - begun).total_seconds()
    return Played(run, tuple(shortfalls(rehearsal.expect, run, stage.find)), took)


@dataclass(frozen=True, slots=True)
class _Theatre:
    """Where a rehearsal is played: the stage, its clock, its API's address, a folder."""

    stage: Stage
    clock: VirtualClock
    url: str
    folder: str

    def store(self) -> SqlStore:
        """A store in which nothing is ever asked for: the rehearsal does its steps itself."""
        engine = database.create(f"sqlite:///{self.folder}/rehearsal.db")
        SQLModel.metadata.create_all(engine)
        return SqlStore(engine, lambda _connection, _effect, _delay: None)

    def site(self) -> Site:
        client = connect(None, self.url)
        return Site(
            KubernetesCluster(client, CLUSTER_TIMEOUT), KubernetesObjects(client, CLUSTER_TIMEOUT)
        )


def _rehearsing(
    library: RunbookLibrary, reference: str, rehearsal: Rehearsal, theatre: _Theatre
) -> Rehearsing:
    store, stage, clock = theatre.store(), theatre.stage, theatre.clock
    access = Access(lambda: rehearsal_policy(_kinds_of_approval(library.get(reference))), clock)
    runs = Runs(store, library, access, clock)

    def abort() -> None:
        runs.abort(runs.newest(1)[0].id, ASKER)

    def reach(moment: str) -> None:
        stage.reach(moment, abort)

    there = theatre.site()
    kinds = {name: Rehearsed(kind, reach) for name, kind in step_kinds().items()}
    context_for = _contexts(there, stage, clock)
    planner, work = (
        Planner(kinds, context_for),
        StepWork(RunLog(store, clock), kinds, context_for, clock),
    )
    runner = Runner(store, there.objects, planner, work, access.requirement_of, clock)
    return Rehearsing(runs, runner, reach, rehearsal.answers)


def _contexts(there: Site, stage: Stage, clock: VirtualClock) -> ContextFor:
    def context_for(occasion: StepOccasion) -> StepContext:
        return StepContext(
            there.cluster,
            stage,
            clock,
            occasion.marker,
            occasion.decided,
            occasion.progress,
            stage,
            stage,
            objects=there.objects,
            stopped=occasion.stopped,
            incident_id=occasion.incident_id,
        )

    return context_for


def _kinds_of_approval(runbook: Runbook) -> frozenset[str]:
    """The kinds of approval that its steps ask for."""
    steps = (step for step in runbook.steps if step.kind == Approval.name)
    return frozenset(kind for step in steps for kind in step.arguments.get("needs", ()))
