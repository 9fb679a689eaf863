"""A runner on a fake cluster, with steps that do what a script says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.app.access import Access
from bot.app.planning import Planner
from bot.app.record import open_run
from bot.app.run_log import RunLog
from bot.app.runner import Runner
from bot.app.runs import Runs
from bot.app.step_work import StepWork
from bot.domain.access_policy import AccessPolicy
from bot.domain.actor import Actor
from bot.domain.effects import Effect
from bot.domain.plan import Question, StepOutcome, StepPlan, Target
from bot.domain.run import Run
from bot.domain.runbook import Runbook
from bot.ports import StepContext, StepKind, StepOccasion
from tests.support.access import OPEN_TO_ALL
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_database
from tests.support.examples import ANA, run, runbook
from tests.support.fake_cluster import FakeCluster
from tests.support.fake_objects import FakeObjects
from tests.support.step_bench import FakeProbe


class Died(BaseException):
    """SIGKILL, as far as a test can have it."""


@dataclass(frozen=True)
class Arguments:
    workload: str

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Arguments:
        return cls(**values)


Trouble = dict[str, list[BaseException]]


@dataclass
class Script:
    """What goes wrong, by call (``execute change``); without a word about it, all goes well."""

    before: Trouble = field(default_factory=lambda: defaultdict(list))
    """Raised by the next calls, one each, in place of what they should do."""
    after: Trouble = field(default_factory=lambda: defaultdict(list))
    """Raised by the next calls, one each, once they have done it."""
    meanwhile: dict[str, Callable[[], object]] = field(default_factory=dict)
    """What others do while the next such call is under way, before it takes effect."""
    question: Question = field(default_factory=lambda: Question("Go?", {}, timedelta(hours=4)))
    """What the steps that are people's ask."""
    calls: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    """The markers of the changes that were really made."""

    _server: Lock = field(default_factory=Lock)

    def change(self, marker: str) -> None:
        """As at the API server: of two that change at once, one is first, and the marker stays."""
        with self._server:
            if marker not in self.changes:
                self.changes.append(marker)

    @contextmanager
    def call(self, name: str) -> Iterator[None]:
        self.calls.append(name)
        if self.before[name]:
            raise self.before[name].pop(0)
        self.meanwhile.pop(name, lambda: None)()
        yield
        if self.after[name]:
            raise self.after[name].pop(0)


class ScriptedKind:
    """Implements the `StepKind` port after a script."""

    arguments = Arguments

    def __init__(self, name: str, mutates: bool, script: Script, cluster: FakeCluster) -> None:
        self.name = name
        self.mutates = mutates
        self._script = script
        self.decides: frozenset[str] = frozenset()
        self._cluster = cluster

    def plan(self, arguments: Any, context: StepContext) -> StepPlan:
        with self._script.call(f"plan {context.marker.step}"):
            if self.name == "test.ask":
                return StepPlan("Asks.", asks=self._script.question)
            if not self.mutates:
                return StepPlan("Looks.")
            (deployment,) = self._cluster.deployments()
            target = Target(deployment.ref, deployment.uid, deployment.spec_digest)
            return StepPlan("Changes.", targets=(target,), reversible=True)

    def execute(self, arguments: Any, context: StepContext) -> StepOutcome:
        with self._script.call(f"execute {context.marker.step}"):
            context.progress("at it")
            if self.mutates:
                self._script.change(str(context.marker))
        return StepOutcome(f"Did {arguments.workload}.")

    def observe(self, arguments: Any, context: StepContext) -> StepOutcome | None:
        with self._script.call(f"observe {context.marker.step}"):
            done = str(context.marker) in self._script.changes
        return StepOutcome("It was done.") if done else None

    def stop(self, arguments: Any, context: StepContext) -> str:
        with self._script.call(f"stop {context.marker.step}"):
            return "It was stopped."

    def undo(self, arguments: Any, outcome: StepOutcome, context: StepContext) -> StepOutcome:
        with self._script.call(f"undo {context.marker.step}"):
            return StepOutcome(f"Undid: {outcome.summary}")


def book(*, asks: bool = False) -> Runbook:
    """look, change, verify; or look, ask, change, verify."""
    plain = runbook(("look", "ask", "change") if asks else ("look", "change"), ("verify",))
    kinds = {"ask": "test.ask", "change": "test.change"}
    steps = (replace(one, kind=kinds.get(one.id, one.kind)) for one in plain.steps)
    return replace(plain, steps=tuple(steps))


class Place:
    """A cluster with one Deployment, and a runner in it; `policy` may be another at any time."""

    def __init__(self, folder: Path) -> None:
        self.engine = database.create(sqlite_database(folder))
        self.enqueued: list[tuple[Effect, float]] = []
        self.store = SqlStore(
            self.engine, lambda _, effect, delay: self.enqueued.append((effect, delay))
        )
        self.clock, self.cluster, self.script = FakeClock(), FakeCluster(), Script()
        self.objects = FakeObjects(self.cluster)
        self.target = self.cluster.add_deployment("payments/checkout", ["a:1", "a:2"])
        self.policy: AccessPolicy = OPEN_TO_ALL
        self.access = Access(lambda: self.policy, self.clock)
        self.runner = self.another_runner()
        self.runs = Runs(self.store, _NoLibrary(), self.access, self.clock)

    def another_runner(self) -> Runner:
        """A runner as in another process."""
        kinds: dict[str, StepKind] = {
            name: ScriptedKind(name, name == "test.change", self.script, self.cluster)
            for name in ("test.step", "test.change", "test.ask")
        }
        return Runner(
            self.store,
            self.objects,
            Planner(kinds, self._context),
            StepWork(RunLog(self.store, self.clock), kinds, self._context, self.clock),
            self.access.requirement_of,
            self.clock,
        )

    def _context(self, occasion: StepOccasion) -> StepContext:
        return StepContext(
            self.cluster,
            FakeProbe(),
            self.clock,
            occasion.marker,
            occasion.decided,
            occasion.progress,
            objects=self.objects,
            stopped=occasion.stopped,
        )

    def ask(self, *, approved: bool = True, by: Actor = ANA, **changes: Any) -> Run:
        """Somebody asks for a run of `book`, and approves its plan in advance or not."""
        given = {"runbook": book(), "incident_id": None, **changes}
        draft = run(start_when_planned=approved, requested_by=by, **given)
        with self.store.transaction() as tx:
            return open_run(tx, draft, by, self.clock.now())

    def go(self, run_id: int = 1) -> Run:
        """As far as it goes without a person."""
        while self.runner.advance(run_id):
            pass
        return self.runs.get(run_id)

    def story(self, run_id: int = 1) -> str:
        return "\n".join(entry.text for entry in self.runs.timeline(run_id)[1])

    def events(self, run_id: int = 1) -> int:
        """How much is on record about a run."""
        with self.store.read() as reader:
            return len(reader.recorded(run_id=run_id))

    def calls(self, step: str) -> list[str]:
        """What was done about that step, in order."""
        return [call.split()[0] for call in self.script.calls if call.split()[1].startswith(step)]


class _NoLibrary:
    """These runs have their runbooks already."""

    def names(self) -> list[str]:
        return []

    def versions(self, name: str) -> list[str]:
        raise AssertionError(name)

    def get(self, reference: str) -> Runbook:
        raise AssertionError(reference)
