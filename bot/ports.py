"""What the use cases need from the outside, as Protocols; adapters implement them.

Every method raises `TemporaryError` when another try may succeed and
`PermanentError` when it will not (see `domain/errors.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from bot.domain.actor import Actor
from bot.domain.cluster import (
    BlastRadius,
    Deployment,
    Marker,
    ObjectRef,
    Pod,
    Revision,
    Service,
)
from bot.domain.dedup import KnownAlert
from bot.domain.effects import Effect
from bot.domain.incident import Incident, IncidentState
from bot.domain.incident_events import IncidentOpened
from bot.domain.message import Message, MessageRef, Subject
from bot.domain.page import Page
from bot.domain.plan import StepOutcome, StepPlan
from bot.domain.run import Run
from bot.domain.run_events import RunState
from bot.domain.runbook import Runbook
from bot.domain.timeline import Event, Recorded


class Cluster(Protocol):
    """A Kubernetes cluster, in the words of runbooks.

    Objects that don't exist raise `NotFound`; RBAC's refusals are `PermanentError`s
    that name the missing permission; a 409 is a `Conflict`. Each mutation writes
    `marker` as an annotation in the same request, and returns the object as the
    server answered it. With `dry_run=True` the server validates, nothing changes.
    """

    def deployment(self, ref: ObjectRef) -> Deployment: ...

    def deployments(self, namespace: str | None = None) -> Sequence[Deployment]:
        """All Deployments, of one namespace or of every one."""
        ...

    def revisions(self, ref: ObjectRef) -> Sequence[Revision]:
        """The history that is still there, newest first."""
        ...

    def restart(self, ref: ObjectRef, marker: Marker, *, dry_run: bool = False) -> Deployment:
        """Start a rolling restart, as `kubectl rollout restart` does.

        Sets ``kubectl.kubernetes.io/restartedAt`` on the pod template to `marker.at`. A
        paused Deployment is a `PermanentError`.
        """
        ...

    def roll_back(
        self, ref: ObjectRef, revision: int, marker: Marker, *, dry_run: bool = False
    ) -> Deployment:
        """Re-apply the pod template of `revision`, as `kubectl rollout undo` does.

        A Deployment that has this `marker` already was rolled back, and is left as it is
        (its revisions have other numbers since). A paused one is a `PermanentError`.
        """
        ...

    def service(self, ref: ObjectRef) -> Service: ...

    def switch_service(
        self,
        ref: ObjectRef,
        selector: Mapping[str, str],
        marker: Marker,
        *,
        dry_run: bool = False,
    ) -> Service:
        """Replace the Service's selector by exactly `selector`."""
        ...

    def pods(self, namespace: str, selector: Mapping[str, str]) -> Sequence[Pod]:
        """The pods that all of `selector`'s labels match, by name; an empty one matches none.

        Pods that have ended or are being deleted do not count, as in Kubernetes' controllers.
        """
        ...

    def blast_radius(self, namespace: str, selector: Mapping[str, str]) -> BlastRadius:
        """Pods, budgets, autoscalers and Services that a change to these pods touches.

        What the cluster refuses to show or does not serve is in `unknown`.
        """
        ...


class Pager(Protocol):
    """Who wakes people. All three calls are idempotent at the receiver by `dedup_key`."""

    def trigger(self, page: Page) -> None:
        """Open the page, or repeat it with a new summary or severity."""
        ...

    def acknowledge(self, dedup_key: str) -> None: ...

    def resolve(self, dedup_key: str) -> None: ...


class Chat(Protocol):
    """Where people work the incident. A channel may be given by name (`#incidents`) or id."""

    def post(self, channel: str, message: Message) -> MessageRef: ...

    def update(self, ref: MessageRef, message: Message) -> None:
        """Replace the message that stands at `ref`."""
        ...

    def find(self, channel: str, subject: Subject, since: datetime) -> MessageRef | None:
        """The message about `subject` that was posted at or after `since`, if it is there.

        Asked before a post is repeated, because the first try may have arrived.
        """
        ...

    def answer(self, response_url: str, message: Message) -> None:
        """Answer a slash command late, to the one who gave it (for 30 minutes)."""
        ...


class Metrics(Protocol):
    """Queries on what Prometheus has recorded."""

    def query(self, expression: str, timeout: float) -> Sequence[tuple[Mapping[str, str], float]]:
        """An instant query's vector: labels and value of each sample; `timeout` in seconds."""
        ...


class Clock(Protocol):
    """The time; tests move theirs."""

    def now(self) -> datetime:
        """The present moment, in UTC with its zone."""
        ...

    def sleep(self, seconds: float) -> None: ...


class HealthProbe(Protocol):
    """A look at a service from the outside."""

    def status(self, url: str, timeout: float) -> int:
        """The HTTP status that a GET of `url` answers; redirects are not followed."""
        ...


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

    def plan(self, arguments: Any, context: StepContext) -> StepPlan:
        """What `execute` would do now. Reads only."""
        ...

    def execute(self, arguments: Any, context: StepContext) -> StepOutcome: ...

    def observe(self, arguments: Any, context: StepContext) -> StepOutcome | None:
        """The outcome, if an interrupted `execute` had already taken effect."""
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


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """Where the one message about a subject stands, and the digest of what it says.

    `ref` is None from the intent to post it until the chat has said where it is.
    """

    ref: MessageRef | None
    digest: str


class Reader(Protocol):
    """What is committed, as one consistent snapshot."""

    def incident(self, incident_id: int) -> Incident:
        """Raises `NotFound`."""
        ...

    def incidents(
        self, states: Sequence[IncidentState] | None = None, limit: int = 50
    ) -> Sequence[Incident]:
        """The newest first; `states` None means all."""
        ...

    def latest_incident(self, group_key: str) -> Incident | None:
        """The newest incident of a group."""
        ...

    def incident_of_page(self, dedup_key: str) -> Incident | None: ...

    def known_alerts(self, fingerprints: Sequence[str]) -> Mapping[str, KnownAlert]: ...

    def alerts(self, incident_id: int | None = None, limit: int = 500) -> Sequence[KnownAlert]:
        """Of one incident or of all; the latest started first."""
        ...

    def count_firing(self, incident_id: int) -> int: ...

    def run(self, run_id: int) -> Run:
        """Raises `NotFound`."""
        ...

    def runs(self, states: Sequence[RunState] | None = None, limit: int = 50) -> Sequence[Run]:
        """The newest first; `states` None means all."""
        ...

    def recorded(
        self, incident_id: int | None = None, run_id: int | None = None
    ) -> Sequence[Recorded]:
        """The events of an incident (with its runs') or of a run, oldest first."""
        ...

    def message(self, subject: Subject) -> PostedMessage | None: ...


class Transaction(Reader, Protocol):
    """Reads and writes that are committed together, or not at all.

    Writers are serialised: what was read in a transaction is still so when it commits.
    """

    def new_incident(self, opened: IncidentOpened, at: datetime) -> Incident:
        """Allots the id."""
        ...

    def save_incident(self, incident: Incident) -> None: ...

    def save_alerts(self, alerts: Sequence[KnownAlert]) -> None: ...

    def new_run(self, draft: Run) -> Run:
        """Saves the draft under an id of its own; the draft's id is not looked at."""
        ...

    def save_run(self, run: Run) -> None: ...

    def append(
        self,
        event: Event,
        actor: Actor,
        at: datetime,
        *,
        incident_id: int | None = None,
        run_id: int | None = None,
    ) -> None:
        """Write an event down, after all that were written before."""
        ...

    def save_message(self, subject: Subject, message: PostedMessage) -> None: ...

    def first_time(self, key: str, at: datetime) -> bool:
        """Whether `key` was never asked about before; from now on it was."""
        ...

    def enqueue(self, effect: Effect, delay: float = 0.0) -> None:
        """Have the effect done once this is committed, `delay` seconds later.

        Asked for again while it still waits, it is done once (`effects.waiting_place`).
        """
        ...

    def begin(self, effect: Effect) -> None:
        """Say that the effect is being done: what is asked for from now on is another."""
        ...


class Store(Protocol):
    """The database. A transaction that ends in an exception changes nothing."""

    def read(self) -> AbstractContextManager[Reader]: ...

    def transaction(self) -> AbstractContextManager[Transaction]: ...


class Source(StrEnum):
    """Who posted what lies in the inbox."""

    ALERTMANAGER = "alertmanager"
    PAGERDUTY = "pagerduty"


class InboxRow(Protocol):
    """A delivery as it was received; `received_at` is in epoch seconds."""

    @property
    def id(self) -> int: ...
    @property
    def source(self) -> str: ...
    @property
    def received_at(self) -> float: ...
    @property
    def body(self) -> bytes: ...


class Inbox(Protocol):
    """What was accepted and is not yet worked in."""

    def read(self, limit: int) -> Sequence[InboxRow]:
        """The oldest rows, in order."""
        ...

    def remove(self, ids: Sequence[int]) -> None: ...


class Counters(Protocol):
    """What Tocsin counts about itself."""

    def count(self, name: str, number: int = 1, **labels: str) -> None:
        """Add `number` to the counter of that name with these labels."""
        ...
