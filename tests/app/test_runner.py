"""The runner, when its process dies and when the cluster gives trouble."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.app.planning import Planner
from bot.app.record import open_run
from bot.app.run_log import RETRY_DELAYS, RunLog
from bot.app.runner import Runner
from bot.app.runs import Runs
from bot.app.step_work import StepWork
from bot.domain.cluster import DEPLOYMENT
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.plan import StepOutcome, StepPlan, Target
from bot.domain.run import Run
from bot.domain.run_events import RunState
from bot.domain.runbook import Runbook
from bot.ports import StepContext, StepKind, StepOccasion
from tests.support.access import access
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
    calls: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    """The markers of the changes that were really made."""

    @contextmanager
    def call(self, name: str) -> Iterator[None]:
        self.calls.append(name)
        if self.before[name]:
            raise self.before[name].pop(0)
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
            if not self.mutates:
                return StepPlan("Looks.")
            (deployment,) = self._cluster.deployments()
            target = Target(deployment.ref, deployment.uid, deployment.spec_digest)
            return StepPlan("Changes.", targets=(target,), reversible=True)

    def execute(self, arguments: Any, context: StepContext) -> StepOutcome:
        with self._script.call(f"execute {context.marker.step}"):
            context.progress("at it")
            if self.mutates and str(context.marker) not in self._script.changes:
                self._script.changes.append(str(context.marker))
        return StepOutcome(f"Did {arguments.workload}.")

    def observe(self, arguments: Any, context: StepContext) -> StepOutcome | None:
        with self._script.call(f"observe {context.marker.step}"):
            done = str(context.marker) in self._script.changes
        return StepOutcome("It was done.") if done else None

    def undo(self, arguments: Any, outcome: StepOutcome, context: StepContext) -> StepOutcome:
        with self._script.call(f"undo {context.marker.step}"):
            return StepOutcome(f"Undid: {outcome.summary}")


def book() -> Runbook:
    plain = runbook(("look", "change"), ("verify",))
    look, change = plain.steps
    return replace(plain, steps=(look, replace(change, kind="test.change")))


class Place:
    """A cluster with one Deployment, and a runner in it."""

    def __init__(self, folder: Path) -> None:
        self.engine = database.create(sqlite_database(folder))
        self.store = SqlStore(self.engine, lambda *_: None)
        self.clock, self.cluster, self.script = FakeClock(), FakeCluster(), Script()
        self.objects = FakeObjects(self.cluster)
        self.target = self.cluster.add_deployment("payments/checkout", ["a:1", "a:2"])
        kinds: dict[str, StepKind] = {
            name: ScriptedKind(name, name == "test.change", self.script, self.cluster)
            for name in ("test.step", "test.change")
        }
        rules = access(self.clock)
        self.runner = Runner(
            self.store,
            self.objects,
            Planner(kinds, self._context),
            StepWork(RunLog(self.store, self.clock), kinds, self._context, self.clock),
            rules.requirement_of,
            self.clock,
        )
        self.runs = Runs(self.store, _NoLibrary(), rules, self.clock)

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

    def ask(self, *, approved: bool = True) -> Run:
        draft = run(runbook=book(), start_when_planned=approved, incident_id=None)
        with self.store.transaction() as tx:
            return open_run(tx, draft, ANA, self.clock.now())

    def go(self, run_id: int = 1) -> Run:
        """As far as it goes without a person."""
        while self.runner.advance(run_id):
            pass
        return self.runs.get(run_id)

    def story(self, run_id: int = 1) -> str:
        return "\n".join(entry.text for entry in self.runs.timeline(run_id)[1])

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


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.engine.dispose()


def test_a_run_does_each_step_once(place: Place) -> None:
    place.ask()
    assert place.go().state is RunState.SUCCEEDED
    assert place.calls("change") == ["plan", "execute"]
    assert "Step change: at it" in place.story()
    assert "Step change done: Did payments/checkout." in place.story()


def test_a_run_that_nobody_approved_stops_at_its_plan(place: Place) -> None:
    place.ask(approved=False)
    waiting = place.go()
    assert waiting.state is RunState.AWAITING_APPROVAL
    assert waiting.plan is not None
    place.runs.approve(1, ANA, waiting.plan.digest)
    assert place.go().state is RunState.SUCCEEDED


# The process dies


def test_a_change_that_took_effect_before_the_death_is_found_and_not_done_again(
    place: Place,
) -> None:
    place.ask()
    place.script.after["execute change"] = [Died()]
    with pytest.raises(Died):
        place.go()
    assert place.go().state is RunState.SUCCEEDED
    assert place.calls("change") == ["plan", "execute", "observe"]
    assert "Step change done (found done after an interruption): It was done." in place.story()


def test_a_change_that_did_not_take_effect_is_done(place: Place) -> None:
    place.ask()
    place.script.before["execute change"] = [Died()]
    with pytest.raises(Died):
        place.go()
    place.clock.advance(60)
    assert place.go().state is RunState.SUCCEEDED
    assert place.calls("change") == ["plan", "execute", "observe", "execute"]
    began = place.runs.get(1).record("change").started_at
    assert began is not None
    assert began < place.clock.now()


def test_a_step_that_only_reads_is_done_again(place: Place) -> None:
    place.ask()
    place.script.after["execute look"] = [Died()]
    with pytest.raises(Died):
        place.go()
    assert place.go().state is RunState.SUCCEEDED
    assert place.calls("look") == ["plan", "execute", "execute"]


def test_an_undo_that_was_interrupted_is_done_again(place: Place) -> None:
    place.ask()
    place.script.before["execute verify"] = [PermanentError("Not ready.")]
    place.script.before["undo change.undo"] = [Died()]
    with pytest.raises(Died):
        place.go()
    assert place.go().state is RunState.COMPENSATED
    assert place.calls("change")[-2:] == ["undo", "undo"]


# The cluster gives trouble


def test_trouble_that_passes_is_waited_out(place: Place) -> None:
    place.ask()
    began = place.clock.now()
    place.script.before["execute change"] = [TemporaryError("API server away")] * 3
    assert place.go().state is RunState.SUCCEEDED
    assert place.calls("change") == ["plan", *["execute"] * 4]
    assert (place.clock.now() - began).total_seconds() == sum(RETRY_DELAYS[:3])


def test_a_try_that_arrived_although_its_answer_did_not_is_not_repeated(place: Place) -> None:
    place.ask()
    place.script.after["execute change"] = [TemporaryError("answer lost")]
    assert place.go().state is RunState.SUCCEEDED
    assert place.calls("change") == ["plan", "execute", "execute"]
    assert place.script.changes == ["run-1/change"]


def test_a_change_of_which_nobody_knows_is_left_to_a_person(place: Place) -> None:
    place.ask()
    tries = len(RETRY_DELAYS) + 1
    place.script.before["execute change"] = [TemporaryError("API server away")] * tries
    ended = place.go()
    assert ended.state is RunState.UNCERTAIN
    assert ended.result == "Step change may have taken effect: API server away"


def test_a_read_that_never_succeeds_fails_the_run(place: Place) -> None:
    place.ask()
    tries = len(RETRY_DELAYS) + 1
    place.script.before["execute look"] = [TemporaryError("API server away")] * tries
    ended = place.go()
    assert (ended.state, ended.result) == (RunState.FAILED, "Do look failed: API server away")


def test_a_failed_verification_puts_the_change_back(place: Place) -> None:
    place.ask()
    place.script.before["execute verify"] = [PermanentError("Not ready.")]
    ended = place.go()
    assert ended.state is RunState.COMPENSATED
    assert ended.result == "Do verify failed: Not ready. What was changed has been put back."
    assert "Step change undone: Undid: Did payments/checkout." in place.story()


def test_a_change_that_cannot_be_put_back_is_left_to_a_person(place: Place) -> None:
    place.ask()
    place.script.before["execute verify"] = [PermanentError("Not ready.")]
    place.script.before["undo change.undo"] = [PermanentError("It was changed since.")]
    ended = place.go()
    assert ended.state is RunState.UNCERTAIN
    assert "Putting it back failed too: It was changed since." in ended.result


def test_what_cannot_be_planned_is_refused(place: Place) -> None:
    place.ask()
    tries = len(RETRY_DELAYS) + 1
    place.script.before["plan look"] = [TemporaryError("API server away")] * tries
    ended = place.go()
    assert (ended.state, ended.result) == (
        RunState.REFUSED,
        "It could not be planned: API server away",
    )
    assert place.calls("change") == []


# Between the plan and the run


def test_a_target_that_was_made_anew_is_refused(place: Place) -> None:
    place.ask(approved=False)
    waiting = place.go()
    assert waiting.plan is not None
    assert [target.ref.kind for target in waiting.plan.targets] == [DEPLOYMENT]
    place.cluster.add_deployment("payments/checkout", ["a:3"])
    place.runs.approve(1, ANA, waiting.plan.digest)
    ended = place.go()
    assert ended.state is RunState.REFUSED
    assert "since it was planned" in ended.result
    assert place.calls("change") == ["plan"]


def test_a_target_that_cannot_be_read_any_more_is_refused(place: Place) -> None:
    place.ask(approved=False)
    waiting = place.go()
    assert waiting.plan is not None
    place.cluster.failure = PermanentError("RBAC says no")
    place.runs.approve(1, ANA, waiting.plan.digest)
    assert "can’t be read any more: RBAC says no" in place.go().result


def test_a_run_that_is_abandoned_is_uncertain_and_one_that_is_over_stays_so(place: Place) -> None:
    place.ask()
    place.runner.abandon(1, "KeyError('x')")
    assert place.runs.get(1).result == "The runner failed: KeyError('x')"
    place.ask()
    done = place.go(2)
    place.runner.abandon(2, "KeyError('x')")
    assert place.runs.get(2) == done
