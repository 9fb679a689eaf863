"""What a runbook is made of: its step kinds, and the library it is kept in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.domain.cluster import Marker
from bot.domain.plan import StepOutcome, StepPlan
from bot.domain.runbook import Runbook
from bot.ports.cluster import Cluster
from bot.ports.machine import Clock
from bot.ports.objects import Objects
from bot.ports.vendors import Graphs, HealthProbe, Metrics


def _never() -> bool:
    return False


def _to_nobody(_text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class StepOccasion:
    """What a step's context is made for: a step of a run, or of a plan that nobody asked to run."""

    marker: Marker
    decided: Mapping[str, str] = field(default_factory=dict)
    cluster: str = ""
    incident_id: int | None = None
    progress: Callable[[str], None] = _to_nobody
    stopped: Callable[[], bool] = _never


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a step works with.

    `decided` is what the step's own plan fixed; `progress` puts a line where people
    watch the run; `marker.at` is when the step began, so a deadline counted from it
    survives a restart.
    """

    cluster: Cluster
    probe: HealthProbe
    clock: Clock
    marker: Marker
    decided: Mapping[str, str]
    progress: Callable[[str], None]
    metrics: Metrics | None = None
    """None where no Prometheus is configured."""
    graphs: Graphs | None = None
    """As `metrics`."""
    objects: Objects = field(kw_only=True)
    """Any object of the cluster, custom resources included."""
    stopped: Callable[[], bool] = _never
    """Whether the run is being aborted: whoever waits for something then stops waiting."""
    incident_id: int | None = None
    """The incident that the run belongs to, if it belongs to one."""


class StepKind(Protocol):
    """A kind of step. Arguments arrive with their placeholders already replaced.

    `execute` must be safe to repeat with the same marker. An error that it raises ends
    the step: `TemporaryError` may be tried again, `PermanentError` is the step's failure.
    """

    name: str
    """Its name in a runbook, such as ``kubernetes.rollout_restart``."""

    arguments: type[Any]
    """The model of its arguments: their types, defaults and documentation. Its class
    method ``read(values)`` makes one from texts, or raises `InvalidInput` with all errors."""

    mutates: bool
    """Whether it changes anything; only such steps have something to observe or undo."""

    decides: frozenset[str]
    """The names of the values in `StepPlan.decided`, which later steps may use as
    ``${steps.<id>.<name>}``: they are fixed when the plan is made, so the approval covers them."""

    def plan(self, arguments: Any, context: StepContext) -> StepPlan:
        """What `execute` would do now. Reads only."""
        ...

    def execute(self, arguments: Any, context: StepContext) -> StepOutcome: ...

    def observe(self, arguments: Any, context: StepContext) -> StepOutcome | None:
        """The outcome, if an interrupted `execute` had already taken effect."""
        ...

    def stop(self, arguments: Any, context: StepContext) -> str:
        """End what an interrupted step left under way; returns why the step failed.

        Asked of a step of an aborted run, once `observe` has found no effect of it.
        """
        ...

    def undo(self, arguments: Any, outcome: StepOutcome, context: StepContext) -> StepOutcome:
        """Put back what `execute` changed; what can't be put back is a `PermanentError`."""
        ...


class RunbookLibrary(Protocol):
    """The released runbooks."""

    def names(self) -> Sequence[str]: ...

    def versions(self, name: str) -> Sequence[str]:
        """The released versions of a runbook, newest first."""
        ...

    def get(self, reference: str) -> Runbook:
        """By name (the newest version) or ``name@version``; `NotFound` names the nearest."""
        ...
