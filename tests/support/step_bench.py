"""Steps on the bench: one kind at a time, on a fake cluster and a fake clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.domain.cluster import Marker
from bot.domain.errors import TocsinError
from bot.domain.plan import StepOutcome, StepPlan
from bot.ports import StepContext, StepKind
from bot.steps.registry import step_kinds
from tests.support.clock import FakeClock
from tests.support.fake_cluster import FakeCluster


class FakeProbe:
    """Implements the `HealthProbe` port: what each address answers, or the error it gives."""

    def __init__(self) -> None:
        self.answers: dict[str, int | TocsinError] = {}
        self.asked: list[str] = []

    def status(self, url: str, timeout: float) -> int:
        assert timeout > 0
        self.asked.append(url)
        answer = self.answers[url]
        if isinstance(answer, TocsinError):
            raise answer
        return answer


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


@dataclass
class Bench:
    """Plans, executes, observes and undoes a step as the runner does."""

    cluster: FakeCluster = field(default_factory=FakeCluster)
    clock: FakeClock = field(default_factory=FakeClock)
    probe: FakeProbe = field(default_factory=FakeProbe)
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    has_metrics: bool = True
    progress: list[str] = field(default_factory=list)

    def step(self, kind: str, **arguments: str) -> Step:
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

    def undo(self, outcome: StepOutcome) -> StepOutcome:
        marker = self.context.marker
        undoing = replace(self.context, marker=replace(marker, step=f"{marker.step}.undo"))
        return self.kind.undo(self.arguments, outcome, undoing)

    def _decide(self, decided: Mapping[str, str]) -> None:
        self.context = replace(self.context, decided=decided)
