"""What the stand-in knows: its incidents, the requests it got, the faults to come."""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from bot.domain.errors import InvalidInput, NotFound
from bot.sandbox.pagerduty.documents import (
    ON_CALL,
    Acknowledgement,
    Document,
    Incident,
    LogEntry,
    Status,
    incident_url,
    integration_reference,
    timestamp,
    user_reference,
    webhook_document,
)
from bot.sandbox.pagerduty.events import Event, payload_of
from bot.sandbox.pagerduty.faults import Failure, Faults
from bot.sandbox.pagerduty.webhooks import WebhookSender

LEDGER_LENGTH = 100_000
"""Requests that are remembered: enough for a load test, and bounded."""


@dataclass(slots=True)
class Received:
    """One request. `at` is seconds since 1970, `monotonic` the machine's steady clock.

    `status` and `answer` stay None while it is being answered, and for good when the
    answer was lost.
    """

    at: float
    monotonic: float
    method: str
    path: str
    body: Any
    status: int | None = None
    answer: Document | None = None


class SandboxPagerDuty:
    """One PagerDuty account; may be shared between threads.

    Webhooks go to `webhook_url` (nowhere when None), signed with `webhook_secret`.
    `routing_keys` None accepts every key of 32 letters and digits. Without
    `incident_keys` the service is one that creates alerts besides incidents, PagerDuty's
    default: then only alerts bear the deduplication key. `now` gives the time, with a zone.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        webhook_url: str | None = None,
        webhook_secret: str = "",
        routing_keys: Collection[str] | None = None,
        incident_keys: bool = True,
    ) -> None:
        self.routing_keys = routing_keys
        self.incident_keys = incident_keys
        self.ledger: deque[Received] = deque(maxlen=LEDGER_LENGTH)
        self.faults = Faults()
        self.now = now
        self._webhooks = WebhookSender(webhook_url, webhook_secret) if webhook_url else None
        self._incidents: list[Incident] = []
        self._lock = threading.RLock()

    def close(self) -> None:
        """Stop sending webhooks."""
        if self._webhooks:
            self._webhooks.close()

    # What comes in.

    def receive(self, method: str, path: str, body: Any) -> Received:
        """Write a request that has just arrived into the ledger."""
        received = Received(time.time(), time.monotonic(), method, path, body)
        self.ledger.append(received)
        return received

    def apply(self, event: Event) -> str:
        """Apply a valid alert event; its deduplication key, made up where it has none."""
        dedup_key: str = event.get("dedup_key") or uuid.uuid4().hex
        with self._lock:
            incident = self._open_incident(event["routing_key"], dedup_key)
            if event["event_action"] == "trigger":
                self._trigger(incident, event, dedup_key)
            elif incident is not None:  # else PagerDuty drops it
                self._apply_to(incident, event["event_action"])
        return dedup_key

    def _open_incident(self, routing_key: str, dedup_key: str) -> Incident | None:
        for incident in reversed(self._incidents):
            if (incident.routing_key, incident.dedup_key) == (routing_key, dedup_key):
                return None if incident.status is Status.RESOLVED else incident
        return None

    def _trigger(self, incident: Incident | None, event: Event, dedup_key: str) -> None:
        payload = payload_of(event)
        if incident is None:
            incident = self._new_incident(event, dedup_key)
            self._incidents.append(incident)
            self._change(incident, Status.TRIGGERED, integration_reference())
            return
        incident.alert_summary = payload["summary"]
        incident.severity = payload["severity"]
        self._log(incident, f"triggered again: {payload['summary']}")

    def _new_incident(self, event: Event, dedup_key: str) -> Incident:
        payload, number = payload_of(event), len(self._incidents) + 1
        return Incident(
            id=f"Q{number:06}",
            number=number,
            routing_key=event["routing_key"],
            dedup_key=dedup_key,
            title=payload["summary"],
            alert_summary=payload["summary"],
            severity=payload["severity"],
            client=event.get("client"),
            client_url=event.get("client_url"),
            details=payload.get("custom_details") or {},
            triggered_at=self.now(),
            changed_at=self.now(),
        )

    def _apply_to(self, incident: Incident, action: str) -> None:
        if action == "resolve":
            self._change(incident, Status.RESOLVED, integration_reference())
        elif incident.status is Status.TRIGGERED:
            self._change(incident, Status.ACKNOWLEDGED, integration_reference())

    # What people do.

    def acknowledge(self, incident_id: str, user: str = ON_CALL) -> None:
        """Acknowledge as `user`. Raises `NotFound`, or `InvalidInput` when it is resolved."""
        self._act(incident_id, Status.ACKNOWLEDGED, user)

    def resolve(self, incident_id: str, user: str = ON_CALL) -> None:
        """Resolve as `user`. Raises `NotFound`, or `InvalidInput` when it is resolved."""
        self._act(incident_id, Status.RESOLVED, user)

    def _act(self, incident_id: str, status: Status, user: str) -> None:
        with self._lock:
            incident = self.incident(incident_id)
            if incident.status is Status.RESOLVED:
                raise InvalidInput(f"PagerDuty's incident {incident_id} is already resolved.")
            if status is Status.ACKNOWLEDGED:
                incident.acknowledgements.append(Acknowledgement(at=self.now(), by=user))
            self._change(incident, status, user_reference(user))

    def _change(self, incident: Incident, status: Status, agent: Document) -> None:
        incident.status = status
        incident.changed_at = self.now()
        if status is not Status.ACKNOWLEDGED:
            incident.acknowledgements = []
        self._log(incident, f"{status} by {agent['summary']}")
        if self._webhooks:
            document = webhook_document(incident, agent, incident.changed_at, self.incident_keys)
            self._webhooks.send(document, lambda outcome: self._log(incident, outcome))

    def _log(self, incident: Incident, text: str) -> None:
        with self._lock:
            incident.log.append(LogEntry(at=self.now(), text=text))

    # What can be seen.

    def incident(self, incident_id: str) -> Incident:
        """The incident of this id, or `NotFound`."""
        with self._lock:
            for incident in self._incidents:
                if incident.id == incident_id:
                    return incident
        raise NotFound(f"PagerDuty has no incident {incident_id}.")

    def incidents(self) -> list[Incident]:
        """All incidents, oldest first."""
        with self._lock:
            return list(self._incidents)

    def overview(self) -> Document:
        """The pager for the workspace page: JSON, newest incident first."""
        with self._lock:
            incidents = [_overview(incident) for incident in reversed(self._incidents)]
        return {"sandbox": True, "on_call": ON_CALL, "incidents": incidents}

    def dump(self) -> Document:
        """The incidents as JSON, for `load`."""
        with self._lock:
            return {"incidents": _INCIDENTS.dump_python(self._incidents, mode="json")}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over what `dump` gave, in place of what is there."""
        with self._lock:
            self._incidents = _INCIDENTS.validate_python(state["incidents"])

    # What goes wrong.

    def fail_next(self, status: int, times: int = 1, retry_after: int | None = None) -> None:
        """Answer the next `times` requests with `status` and do nothing."""
        self.faults.fail(Failure(status, retry_after), times)

    def lose_response_next(self, count: int = 1) -> None:
        """Do what the next `count` requests ask, then break the connection."""
        self.faults.lose_answers(count)

    def delay_next(self, seconds: float) -> None:
        """Let the next request wait before anything is done."""
        self.faults.delay(seconds)


_INCIDENTS = TypeAdapter(list[Incident])


def _overview(incident: Incident) -> Document:
    return {
        "id": incident.id,
        "number": incident.number,
        "status": incident.status.value,
        "severity": incident.severity,
        "title": incident.title,
        "dedup_key": incident.dedup_key,
        "triggered_at": timestamp(incident.triggered_at),
        "html_url": incident_url(incident),
        "acknowledged_by": [entry.by for entry in incident.acknowledgements],
        "log": [{"at": timestamp(entry.at), "text": entry.text} for entry in incident.log],
    }
