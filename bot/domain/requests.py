"""What people can ask for, as values. What comes of it is `app/answers.py`'s."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.classify import Severity
from bot.domain.declaration import Declaration
from bot.domain.incident import Command
from bot.domain.matcher import Matcher
from bot.domain.run import RunCommand


@dataclass(frozen=True, slots=True)
class Help:
    """What there is; `command` is the slash command it was asked of."""

    command: str


@dataclass(frozen=True, slots=True)
class ListIncidents:
    """The open incidents, or all of them."""

    everything: bool = False


@dataclass(frozen=True, slots=True)
class ShowIncident:
    """One incident, with its alerts and why it has its level."""

    incident_id: int


@dataclass(frozen=True, slots=True)
class ExplainIncident:
    """Why it has its level, and why somebody or nobody was paged."""

    incident_id: int


@dataclass(frozen=True, slots=True)
class ShowTimeline:
    """The story of an incident."""

    incident_id: int


@dataclass(frozen=True, slots=True)
class ActOnIncident:
    """Acknowledge, resolve and the like."""

    incident_id: int
    command: Command


@dataclass(frozen=True, slots=True)
class AddNote:
    """Write something on the timeline."""

    incident_id: int
    text: str


@dataclass(frozen=True, slots=True)
class AddFollowUp:
    """Write down what is to be done after an incident."""

    incident_id: int
    text: str


@dataclass(frozen=True, slots=True)
class MarkFollowUp:
    """Say that a follow-up is done, or that it is not."""

    incident_id: int
    number: int
    done: bool


@dataclass(frozen=True, slots=True)
class ListTickets:
    """What is left to do: open tickets and follow-ups."""


TicketRequest = AddFollowUp | MarkFollowUp | ListTickets


@dataclass(frozen=True, slots=True)
class OverrideSeverity:
    """Set the level by hand."""

    incident_id: int
    level: Severity
    reason: str


@dataclass(frozen=True, slots=True)
class DeclareIncident:
    """Open an incident by hand."""

    declaration: Declaration


@dataclass(frozen=True, slots=True)
class SilenceIncident:
    """Wake nobody for its alerts for a while; an empty reason stands for none given."""

    incident_id: int
    lasts: timedelta
    reason: str


IncidentRequest = (
    ListIncidents
    | ShowIncident
    | ExplainIncident
    | ShowTimeline
    | ActOnIncident
    | AddNote
    | OverrideSeverity
    | DeclareIncident
)


@dataclass(frozen=True, slots=True)
class PlanWindow:
    """A maintenance window that begins at a moment, after a while, or now (None)."""

    matchers: tuple[Matcher, ...]
    lasts: timedelta
    start: datetime | timedelta | None
    reason: str

    def starts_at(self, now: datetime) -> datetime | None:
        """When it begins; None where that is now."""
        return now + self.start if isinstance(self.start, timedelta) else self.start


@dataclass(frozen=True, slots=True)
class ListWindows:
    """The windows that are active or planned, or all of them."""

    everything: bool = False


@dataclass(frozen=True, slots=True)
class ShowWindow:
    """One window, and what it hid."""

    window_id: int


@dataclass(frozen=True, slots=True)
class EndWindow:
    """End a window early, or call it off."""

    window_id: int


WindowRequest = SilenceIncident | PlanWindow | ListWindows | ShowWindow | EndWindow


@dataclass(frozen=True, slots=True)
class ListRunbooks:
    """The runbooks."""


@dataclass(frozen=True, slots=True)
class ShowRunbook:
    """One runbook: versions, parameters, steps."""

    reference: str


@dataclass(frozen=True, slots=True)
class PlanRunbook:
    """What it would do, changing nothing."""

    reference: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StartRun:
    """Plan, then run: at once (`now`), or when somebody has approved the plan."""

    reference: str
    words: tuple[str, ...]
    now: bool


@dataclass(frozen=True, slots=True)
class ShowRuns:
    """One run, or the newest ones."""

    run_id: int | None


@dataclass(frozen=True, slots=True)
class ActOnRun:
    """Approve it, stop it, answer it and the like; `words` are a reason or an answer."""

    run_id: int
    command: RunCommand
    words: str = ""


RunbookRequest = ListRunbooks | ShowRunbook | PlanRunbook | StartRun | ShowRuns | ActOnRun


@dataclass(frozen=True, slots=True)
class ShowOnCall:
    """Who is on call for a service of the pager; an empty name: for the one that we page."""

    service: str


Request = Help | IncidentRequest | TicketRequest | WindowRequest | RunbookRequest | ShowOnCall
