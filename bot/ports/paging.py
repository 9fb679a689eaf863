"""The pager's own records: what became of our pages there, and who is on call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.oncall import (
    EscalationPolicy,
    OnCall,
    PagerAccess,
    PagerAction,
    PagerIncident,
    PagerService,
)


class PagerRecords(Protocol):
    """Reads and amends what the pager holds.

    Every method raises `TemporaryError` or `PermanentError`; the latter names the token's
    missing permission, or says that what an id names is not there.
    """

    def incident_of(self, dedup_key: str) -> PagerIncident | None:
        """The pager's incident that holds the page with this key: the open one, else the newest.

        None right after a page was accepted says nothing yet: the records follow some
        seconds later.
        """
        ...

    def keys_of(self, incident_id: str) -> Sequence[str]:
        """The keys of the pages that the pager's incident holds; several when it grouped them."""
        ...

    def log_entries(self, incident_id: str, since: datetime) -> Sequence[PagerAction]:
        """What was done to the incident at or after `since`, oldest first.

        What an integration such as ours did is left out, but not what a person did for us:
        the notes of `add_note` are there, under the id that it returned.
        """
        ...

    def on_call(self, escalation_policy_id: str) -> Sequence[OnCall]:
        """Who is on call now, by level and name; one person may be there several times."""
        ...

    def on_call_of_service(self, service_id: str) -> Sequence[OnCall]:
        """As `on_call`, for the service's escalation policy; empty when it has none."""
        ...

    def services(self) -> Sequence[PagerService]: ...

    def escalation_policies(self) -> Sequence[EscalationPolicy]: ...

    def add_note(self, incident_id: str, text: str) -> str:
        """Write a note on the pager's incident, unless the same text is there; its id."""
        ...

    def set_urgency(self, incident_id: str, high: bool) -> None:
        """Set how insistently the pager notifies for the incident.

        A repeated page with a higher severity raises the urgency by itself where the service
        takes urgency from severity; nothing but this lowers it, or raises it elsewhere.
        """
        ...

    def verify(self) -> PagerAccess:
        """Whose token it is, and what it may not do; `PermanentError` when it is refused."""
        ...
