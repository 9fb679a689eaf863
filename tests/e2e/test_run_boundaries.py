"""A runner that is killed, or sleeps, at every commit and every change between plan and end.

On a real API server, whose audit log then shows each change once. The boundaries are those
that an undisturbed run reaches: before and after each record and each request that changes
something.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from kubernetes.client import AppsV1Api, CoreV1Api

from bot.adapters import database
from bot.adapters.kubernetes import connect
from bot.adapters.schema import migrate
from bot.adapters.store import SqlStore
from bot.domain.cluster import ObjectRef
from bot.domain.run_events import RunState
from tests.support.audit import ApiUser, Audit, audit_log
from tests.support.boundaries import Boundary, Moment
from tests.support.databases import postgres_database, sqlite_database
from tests.support.installation import state_of
from tests.support.kubernetes import Namespace
from tests.support.nightly import NIGHTLY
from tests.support.place import kubeconfig
from tests.support.run_story import BOOKS, Stage, asked_for, run_of, store_at, tell
from tests.support.waiting import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(600)]

TOGETHER = 4
"""Stories told at once: a process that runs a runbook does little but wait."""
ENDS_WITHIN = 60.0
"""Seconds from the start of another process until the run has ended (issue 5, "Must hold")."""

STORIES = tuple(BOOKS) if NIGHTLY else ("restart", "job, undone")
"""All of them take minutes; the nightly profile has time for that."""

CHANGES = {
    "restart": ("patch deployments {name}",),
    "rollback, undone": ("patch deployments {name}",) * 2,
    "scale, undone": ("patch deployments {name}",) * 2,
    "job, undone": ("create jobs tocsin-run-{run}-job", "create jobs tocsin-run-{run}-job-undo"),
    "objects": (
        "patch deployments {name}",
        "patch configmaps {name}",
        "patch services {name}",
    ),
}
"""What each story changes, in order, as the audit log has it."""

GENERATIONS = {
    "restart": 2,
    "rollback, undone": 4,
    "scale, undone": 3,
    "job, undone": 1,
    "objects": 2,
}
"""How many specs the Deployment has had in the end; Kubernetes counts those that differ."""

ENDS = {"restart": RunState.SUCCEEDED, "objects": RunState.SUCCEEDED}
"""How each story ends; all others are put back."""


@dataclass
class Theatre:
    """A namespace, a database, and who may do everything there; stories are told side by side."""

    namespace: Namespace
    user: ApiUser
    audit: Audit
    url: str
    folder: Path
    store: SqlStore
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _context: multiprocessing.context.ForkServerContext = field(
        default_factory=lambda: multiprocessing.get_context("forkserver")
    )

    def set_stage(self, story: str) -> tuple[Stage, ObjectRef]:
        """A new Deployment and what belongs to it, and a run on it that somebody asked for."""
        name = f"shop-{next(self._numbers)}"
        ref = self.namespace.create_deployment(name, replicas=1)
        self.namespace.release(ref, *(("1.1",) if story.startswith("rollback") else ()))
        self.namespace.create_service(name, {"app": "old"})
        config_map = {"metadata": {"name": name}, "data": {"host": "a"}}
        create: Callable[..., object] = CoreV1Api(
            self.namespace.client
        ).create_namespaced_config_map
        create(self.namespace.name, config_map)
        run = asked_for(self.store, BOOKS[story], self.namespace.name, name)
        log = self.folder / f"run-{run.id}"
        return Stage(self.url, str(self.user.kubeconfig), run.id, log), ref

    def start(
        self, stage: Stage, at: Boundary | None = None, how: signal.Signals = signal.SIGKILL
    ) -> BaseProcess:
        """A process that tells the story, and is killed or sleeps at a boundary."""
        process = self._context.Process(target=tell, args=(stage, at, how))
        process.start()
        return process

    def check(self, story: str, stage: Stage, ref: ObjectRef) -> None:
        """The run has ended as it should, and each change was made once."""
        run = run_of(self.store, stage.run_id)
        assert run.state is ENDS.get(story, RunState.COMPENSATED), (run.state, run.result)
        wanted = [one.format(name=ref.name, run=run.id) for one in CHANGES[story]]
        ours = (*wanted, f" {ref.name}")
        made = [one for one in self.audit.mutations() if one.endswith(ours)]
        assert made == wanted
        self.check_generation(story, ref)

    def check_generation(self, story: str, ref: ObjectRef) -> None:
        live = AppsV1Api(self.namespace.client).read_namespaced_deployment(ref.name, ref.namespace)
        assert live.metadata is not None
        assert live.metadata.generation == GENERATIONS[story]


@pytest.fixture(scope="module", autouse=True)
def _forks() -> None:
    """Processes begin with all that they need already imported."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(["tests.support.run_story"])


@pytest.fixture(scope="module")
def on_sqlite() -> Iterator[Theatre]:
    with TemporaryDirectory() as name, theatre(sqlite_database(Path(name)), Path(name)) as opened:
        yield opened


@pytest.fixture(scope="module")
def on_postgresql() -> Iterator[Theatre]:
    with TemporaryDirectory() as name, postgres_database() as url:
        engine = database.create(url)
        migrate(engine)
        engine.dispose()
        with theatre(url, Path(name)) as opened:
            yield opened


@contextmanager
def theatre(url: str, folder: Path) -> Iterator[Theatre]:
    with ExitStack() as stack:
        namespace = Namespace.create(connect(kubeconfig(), None))
        stack.callback(namespace.delete)
        user = ApiUser.create(namespace, folder)
        # The API server makes the log with its first entry, which is about this user at the latest.
        log = audit_log(kubeconfig())
        store = store_at(url)
        yield Theatre(namespace, user, Audit.of(user, log), url, folder, store)


def names(stage: Stage) -> list[str]:
    """The names of the boundaries that were reached, without those that come by chance."""
    lines = stage.log.read_text().splitlines()
    found = dict.fromkeys(line.partition(" ")[2] for line in lines)
    return [name for name in found if "StepProgressed" not in name]


def undisturbed(theatre: Theatre, story: str) -> list[str]:
    """Tell the story to its end; the boundaries on its way."""
    stage, ref = theatre.set_stage(story)
    process = theatre.start(stage)
    process.join(ENDS_WITHIN)
    assert process.exitcode == 0
    theatre.check(story, stage, ref)
    return names(stage)


@pytest.mark.parametrize("story", STORIES)
def test_killed_at_every_boundary(on_sqlite: Theatre, story: str) -> None:
    found = undisturbed(on_sqlite, story)
    assert sum("request: P" in name for name in found) == len(CHANGES[story])
    moments = (Moment.BEFORE, Moment.AFTER)
    boundaries = [Boundary(moment, name) for name in found for moment in moments]
    with ThreadPoolExecutor(TOGETHER) as pool:
        problems = pool.map(lambda at: killed(on_sqlite, story, at), boundaries)
        assert [problem for problem in problems if problem] == []


def killed(theatre: Theatre, story: str, at: Boundary) -> str:
    """Kill a process there and start another; what is wrong then, or empty."""
    stage, ref = theatre.set_stage(story)
    try:
        first = theatre.start(stage, at)
        first.join(ENDS_WITHIN)
        assert first.exitcode == -signal.SIGKILL, "it was not killed"
        second = theatre.start(stage)
        second.join(ENDS_WITHIN)
        assert second.exitcode == 0, "the run did not end in time"
        theatre.check(story, stage, ref)
    except AssertionError as problem:
        return f"killed {at}: {problem}"
    return ""


@pytest.mark.parametrize("story", STORIES)
def test_asleep_while_another_replica_takes_over(on_postgresql: Theatre, story: str) -> None:
    found = undisturbed(on_postgresql, story)
    # Asleep before a commit it would hold its locks, and nobody could take over.
    boundaries = [Boundary(Moment.AFTER, name) for name in found]
    boundaries += [Boundary(Moment.BEFORE, name) for name in found if "request: " in name]
    with ThreadPoolExecutor(TOGETHER) as pool:
        problems = pool.map(lambda at: asleep(on_postgresql, story, at), boundaries)
        assert [problem for problem in problems if problem] == []


def asleep(theatre: Theatre, story: str, at: Boundary) -> str:
    """Let a process sleep there until another has ended the run; what is wrong then, or empty."""
    stage, ref = theatre.set_stage(story)
    sleeper = theatre.start(stage, at, signal.SIGSTOP)
    pid = sleeper.pid or 0
    try:
        eventually(lambda: state_of(pid), lambda state: state == "T")
        other = theatre.start(stage)
        other.join(ENDS_WITHIN)
        assert other.exitcode == 0, "the run did not end in time"
        theatre.check(story, stage, ref)
        os.kill(pid, signal.SIGCONT)
        sleeper.join(ENDS_WITHIN)
        assert sleeper.exitcode == 0, "it did not see that the run is over"
        theatre.check_generation(story, ref)
    except AssertionError as problem:
        return f"asleep {at}: {problem}"
    finally:
        sleeper.kill()
    return ""
