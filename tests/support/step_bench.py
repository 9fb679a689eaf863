"""Steps on the bench: one kind at a time, on a fake cluster and a fake clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.domain.cluster import Marker
from bot.domain.errors import InvalidInput, TocsinError
from bot.domain.graph import Graph, Picture
from bot.domain.plan import StepOutcome, StepPlan
from bot.ports import HealthAnswer, StepContext, StepKind
from bot.steps.registry import step_kinds
from tests.support.clock import FakeClock
from tests.support.fake_cluster import FakeCluster
from tests.support.fake_objects import FakeObjects


class FakeProbe:
    """Implements the `HealthProbe` port: what each address answers, or the error it gives."""

    def __init__(self) -> None:
        self.answers: dict[str, int | str | TocsinError] = {}
        """By address; a text is a 200 with that body."""
        self.forbidden: set[str] = set()
        self.asked: list[str] = []

    def check(self, url: str) -> None:
        if url in self.forbidden:
            raise InvalidInput(f"{url} is not allowed")

    def get(self, url: str, timeout: float) -> HealthAnswer:
        self.check(url)
        assert timeout > 0
        self.asked.append(url)
        answer = self.answers[url]
        if isinstance(answer, TocsinError):
            raise answer
        return HealthAnswer(200, answer) if isinstance(answer, str) else HealthAnswer(answer)


class FakeMetrics:
    """Implements the `Metrics` port: the samples of each query, or the error it gives."""

    def __init__(self) -> None:
        self.answers: dict[str, Sequence[tuple[Mapping[str, str], float]] | TocsinError] = {}
        self.asked: list[str] = []

    def query(self, expression: str, timeout: float) -> Sequence[tuple[Mapping[str, str], float]]:
        assert timeout > 0
        self.asked.append(expression)
        answer = self.answers[expression]
        if isinstance(answer, TocsinError):
            raise answer
        return answer


class FakeGraphs:
    """Implements the `Graphs` port: every graph has this many lines, or gives the error."""

    def __init__(self) -> None:
        self.lines = 1
        self.error: TocsinError | None = None
        self.drawn: list[Graph] = []

    def draw(self, graph: Graph, timeout: float) -> Picture:
        assert timeout > 0
        self.drawn.append(graph)
        if self.error is not None:
            raise self.error
        return Picture(b"a picture", self.lines)


@dataclass
class Bench:
    """Plans, executes, observes and undoes a step as the runner does."""

    cluster: FakeCluster = field(default_factory=FakeCluster)
    objects: FakeObjects = field(init=False)
    clock: FakeClock = field(default_factory=FakeClock)
    probe: FakeProbe = field(default_factory=FakeProbe)
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    graphs: FakeGraphs = field(default_factory=FakeGraphs)
    has_metrics: bool = True
    incident_id: int | None = None
    progress: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.objects = FakeObjects(self.cluster)

    def step(self, kind: str, /, **arguments: Any) -> Step:
        """The step, as it begins now."""
        found = step_kinds()[kind]
        marker = Marker(7, "it", self.clock.now())
        context = StepContext(
            cluster=self.cluster,
            probe=self.probe,
            clock=self.clock,
            marker=marker,
            decided={},
            progress=self.progress.append,
            metrics=self.metrics if self.has_metrics else None,
            graphs=self.graphs if self.has_metrics else None,
            objects=self.objects,
            incident_id=self.incident_id,
        )
        return Step(found, found.arguments.read(arguments), context)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        self.clock.after(seconds, call)


@dataclass
class Step:
    """One step of a run; what its plan decides is handed to its execution."""

    kind: StepKind
    arguments: Any
    context: StepContext

    def plan(self) -> StepPlan:
        plan = self.kind.plan(self.arguments, self.context)
        self._decide(plan.decided)
        return plan

    def execute(self) -> StepOutcome:
        return self.kind.execute(self.arguments, self.context)

    def observe(self) -> StepOutcome | None:
        return self.kind.observe(self.arguments, self.context)

    def stop(self) -> str:
        return self.kind.stop(self.arguments, self.context)

    def undo(self, outcome: StepOutcome) -> StepOutcome:
        marker = self.context.marker
        undoing = replace(self.context, marker=replace(marker, step=f"{marker.step}.undo"))
        return self.kind.undo(self.arguments, outcome, undoing)

    def _decide(self, decided: Mapping[str, str]) -> None:
        self.context = replace(self.context, decided=decided)
