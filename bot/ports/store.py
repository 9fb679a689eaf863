"""The database: what is committed, and how it is changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.actor import Actor
from bot.domain.alert import Alert, AlertGroup
from bot.domain.backtest import Occurrence
from bot.domain.classify import Severity
from bot.domain.dedup import KnownAlert
from bot.domain.effects import Effect
from bot.domain.heartbeat import Beat
from bot.domain.incident import Incident, IncidentState
from bot.domain.incident_events import IncidentOpened
from bot.domain.maintenance import Window
from bot.domain.message import MessageRef, Subject
from bot.domain.page import UnknownPagerEvent
from bot.domain.page_test import PageTest
from bot.domain.plan import Attachment
from bot.domain.replicas import Replica
from bot.domain.run import Run
from bot.domain.run_events import RunState
from bot.domain.schedule import DueTime
from bot.domain.timeline import Event, Recorded


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """Where the one message about a subject stands, and the digest of what it says.

    `ref` is None from the intent to post it until the chat has said where it is.
    """

    ref: MessageRef | None
    digest: str


class Role(StrEnum):
    """Which part an incident may play in a correlation."""

    PARENT = "parent"
    CHILD = "child"


@dataclass(frozen=True, slots=True)
class Relation:
    """An incident with an alert that a correlation is about; `key` joins parent and child."""

    key: str
    role: Role
    incident_id: int
    at: datetime


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

    def with_open_tickets(self, limit: int) -> Sequence[Incident]:
        """Those of which something is left to do, by their own ticket or a follow-up's."""
        ...

    def openings(self, besides: str, limit: int) -> Sequence[tuple[datetime, Severity]]:
        """When the newest incidents opened, and their levels; without the group `besides`."""
        ...

    def latest_incident(self, group_key: str) -> Incident | None:
        """The newest incident of a group."""
        ...

    def incident_of_page(self, dedup_key: str) -> Incident | None: ...

    def incidents_at_pager(self, pager_id: str) -> Sequence[Incident]:
        """The incidents whose pages the pager's incident is known to hold."""
        ...

    def decided_at_pager(self, incident_id: int) -> datetime | None:
        """When the newest decision was taken at the pager that is known here."""
        ...

    def known_alerts(self, alerts: Sequence[Alert]) -> Mapping[str, KnownAlert]:
        """What is known of these, by fingerprint; found by fingerprint and labels."""
        ...

    def alerts(self, incident_id: int | None = None, limit: int = 500) -> Sequence[KnownAlert]:
        """Of one incident or of all; the latest started first."""
        ...

    def firing_alerts(self, incident_id: int | None = None) -> Sequence[KnownAlert]:
        """All that fire, of one incident or of all."""
        ...

    def count_firing(self, incident_id: int) -> int: ...

    def run(self, run_id: int) -> Run:
        """Raises `NotFound`."""
        ...

    def attachment(self, attachment_id: int) -> Attachment:
        """A file that a step made, with its content. Raises `NotFound`."""
        ...

    def groups_of(self, user_id: str) -> frozenset[str]:
        """The chat's user groups (``@sre``) that somebody was in when they were last read."""
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

    def occurrences(self, since: datetime) -> Iterator[Occurrence]:
        """The alerts that fired at or after that moment, in the order in which they came."""
        ...

    def alert_group(self, key: str) -> AlertGroup | None:
        """The last that an Alertmanager said of one of its groups."""
        ...

    def receivers(self) -> frozenset[str]:
        """The receivers in whose name any Alertmanager has ever delivered."""
        ...

    def related(self, keys: Sequence[str], role: Role) -> Mapping[str, Sequence[Relation]]:
        """The incidents with that role, by key; of each key the newest first."""
        ...

    def window(self, window_id: int) -> Window:
        """Raises `NotFound`."""
        ...

    def windows(self, ending_after: datetime | None = None, limit: int = 200) -> Sequence[Window]:
        """The newest first; all of them, or those that end after that moment."""
        ...

    def hidden_by(self, window_id: int) -> Sequence[int]:
        """The ids of the incidents that the window covered at some time."""
        ...

    def beats(self) -> Sequence[Beat]:
        """The last beat of each dead man's switch."""
        ...

    def unknown_pager_events(self, limit: int = 50) -> Sequence[UnknownPagerEvent]:
        """The pager's events that were kept because nobody knows their type, the newest first."""
        ...

    def page_tests(self, limit: int = 50) -> Sequence[PageTest]:
        """The tests of the way of a page, the newest first; it may still wait for its time."""
        ...

    def due_times(self) -> Sequence[DueTime]:
        """When each schedule is due next that was ever looked at, by its id."""
        ...

    def replicas(self) -> Sequence[Replica]:
        """All that work on this database or did so lately, by name."""
        ...

    def asked_origins(self, members: Collection[str]) -> frozenset[str]:
        """The Alertmanagers (`KnownAlert.origin`) found among these addresses, all asked at once.

        What was found among others is not: they need not be asked any more.
        """
        ...

    def policy_text(self, digest: str) -> str | None:
        """The text of a policy that was once in use."""
        ...

    def last_policy(self, name: str) -> str | None:
        """The text of the policy file of that name that was in use last."""
        ...


class Transaction(Reader, Protocol):
    """Reads and writes that are committed together, or not at all.

    Writers are serialised: what was read in a transaction is still so when it commits.
    """

    def new_incident(self, opened: IncidentOpened, at: datetime) -> Incident:
        """Allots the id."""
        ...

    def save_incident(self, incident: Incident) -> None: ...

    def match_pager(
        self, pager_id: str, incident_id: int, decided_at: datetime | None = None
    ) -> None:
        """Write down that the pager's incident holds the page, and a decision taken there."""
        ...

    def save_alerts(self, alerts: Sequence[KnownAlert]) -> None: ...

    def save_occurrences(self, occurrences: Sequence[Occurrence]) -> None: ...

    def save_alert_groups(self, groups: Sequence[AlertGroup]) -> None: ...

    def relate(self, relations: Sequence[Relation]) -> None: ...

    def new_window(self, draft: Window) -> Window:
        """Saves the draft under an id of its own; the draft's id is not looked at."""
        ...

    def save_window(self, window: Window) -> None: ...

    def hide(self, window_id: int, incident_id: int) -> None:
        """Write down that the window covers the incident."""
        ...

    def save_beat(self, beat: Beat) -> None: ...

    def keep_pager_event(self, event: UnknownPagerEvent) -> None:
        """Keep it for as long as what was seen is kept; one that comes again is kept once."""
        ...

    def save_page_test(self, test: PageTest) -> None:
        """Save it; the id 0 is replaced with one of its own."""
        ...

    def save_due_time(self, due: DueTime) -> None: ...

    def forget_due_time(self, schedule: str) -> None: ...

    def replica_beats(self, name: str, at: datetime) -> None:
        """Raise the replica's counter; whoever took over its jobs has them no longer."""
        ...

    def claim_replica(self, name: str, by: str) -> None:
        """Write down that `by` takes over the jobs of the replica."""
        ...

    def save_asked_origins(self, members: Collection[str], origins: Collection[str]) -> None:
        """Write down that these Alertmanagers were found among these addresses."""
        ...

    def keep_policy(self, digest: str, name: str, text: str, at: datetime) -> None:
        """Keep the text of a policy that is in use from now on."""
        ...

    def new_run(self, draft: Run) -> Run:
        """Saves the draft under an id of its own; the draft's id is not looked at."""
        ...

    def save_run(self, run: Run) -> None: ...

    def keep_attachment(self, attachment: Attachment, run_id: int, at: datetime) -> int:
        """Keep the file; returns the id that it is found under."""
        ...

    def save_groups(self, members: Mapping[str, frozenset[str]]) -> None:
        """Replace what is known of the chat's user groups: the ids of each one's members."""
        ...

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
