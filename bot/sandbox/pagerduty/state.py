"""What the stand-in knows: its incidents, the requests it got, the faults to come."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from bot.domain.errors import InvalidInput, NotFound
from bot.sandbox.pagerduty import acts
from bot.sandbox.pagerduty.account import ON_CALL, POLICY, TOKEN_OWNER
from bot.sandbox.pagerduty.acts import Act, Agent
from bot.sandbox.pagerduty.documents import (
    client_document,
    incident_data,
    note_data,
    overview_document,
    webhook_document,
)
from bot.sandbox.pagerduty.events import Event, payload_of
from bot.sandbox.pagerduty.faults import Failure, Faults
from bot.sandbox.pagerduty.ledger import LEDGER_LENGTH, Received
from bot.sandbox.pagerduty.records import (
    Document,
    Incident,
    LogEntry,
    LogLine,
    Note,
    Status,
    urgency_of,
)
from bot.sandbox.pagerduty.webhooks import WebhookSender


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
        self.token_owner: str | None = TOKEN_OWNER
        """Whose every API token is; None makes them tokens of the whole account."""
        self.scopes: Collection[str] | None = None
        """What API tokens may do, such as ``incidents.read``; None is everything."""
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
        received = Received.now(method, path, body)
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
            self._act(incident, acts.triggered())
            return
        incident.repeat(payload["summary"], payload["severity"])
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
            urgency=urgency_of(payload["severity"]),
            assignee=ON_CALL,
            policy=POLICY,
        )

    def _apply_to(self, incident: Incident, action: str) -> None:
        if action == "resolve":
            self._act(incident, acts.resolved(acts.integration()))
        elif incident.status is Status.TRIGGERED:
            self._act(incident, acts.acknowledged(acts.integration(), None))

    # What people do. All raise `NotFound`, and `InvalidInput` when it can't be done to an
    # incident that is resolved (or, for `reopen`, that is not). A `user` None is no person,
    # but a time that ran out.

    def acknowledge(self, incident_id: str, user: str = ON_CALL) -> None:
        self._do(incident_id, acts.acknowledged(acts.person(user), user))

    def unacknowledge(self, incident_id: str, user: str | None = None) -> None:
        self._do(incident_id, acts.unacknowledged(acts.person_or_timer(user)))

    def resolve(self, incident_id: str, user: str = ON_CALL) -> None:
        self._do(incident_id, acts.resolved(acts.person(user)))

    def reopen(self, incident_id: str, user: str = ON_CALL) -> None:
        self._do(incident_id, acts.reopened(acts.person(user)))

    def reassign(self, incident_id: str, to: str, user: str = ON_CALL) -> None:
        self._do(incident_id, acts.reassigned(acts.person(user), to))

    def escalate(self, incident_id: str, user: str | None = None) -> None:
        """To the second level."""
        self._do(incident_id, acts.escalated(acts.person_or_timer(user)))

    def delegate(self, incident_id: str, user: str = ON_CALL) -> None:
        """To the other escalation policy."""
        self._do(incident_id, acts.delegated(acts.person(user)))

    def prioritize(self, incident_id: str, priority: str, user: str = ON_CALL) -> None:
        """Give it a priority, such as P1."""
        self._do(incident_id, acts.prioritized(acts.person(user), priority))

    def set_urgency(self, incident_id: str, urgency: str, user: str = ON_CALL) -> None:
        """Make it ``high`` or ``low``."""
        self._do(incident_id, acts.made_urgent(acts.person(user), urgency))

    def annotate(self, incident_id: str, text: str, user: str = ON_CALL) -> Note:
        """Write a note, in whatever state the incident is."""
        with self._lock:
            incident = self.incident(incident_id)
            number = len(incident.notes) + 1
            id = f"P{incident.number:04}N{number}"
            note = Note(id=id, at=self.now(), by=user, text=text)
            incident.notes.append(note)
            agent = acts.person(user, "note")
            self._record(incident, "annotated", "annotate_log_entry", agent)
            self._send(incident, "incident.annotated", agent, note_data(incident, note))
        return note

    def _do(self, incident_id: str, act: Act) -> None:
        with self._lock:
            incident = self.incident(incident_id)
            if (incident.status is Status.RESOLVED) is not act.for_resolved:
                state = "not" if act.for_resolved else "already"
                raise InvalidInput(f"PagerDuty's incident {incident_id} is {state} resolved.")
            self._act(incident, act)

    def _act(self, incident: Incident, act: Act) -> None:
        act.change(incident, self.now())
        assignees = [incident.assignee] if act.reassigns else []
        self._record(incident, act.verb, act.entry, act.agent, assignees)
        if act.webhook:
            data = incident_data(incident, self.incident_keys)
            self._send(incident, f"incident.{act.verb}", act.agent, data)

    def _record(
        self,
        incident: Incident,
        verb: str,
        entry: str,
        agent: Agent,
        assignees: Collection[str] = (),
    ) -> None:
        summary = f"{verb} by {agent.name}"
        self._log(incident, summary)
        incident.entries.append(
            LogEntry(
                id=f"R{incident.number:05}E{len(incident.entries) + 1}",
                type=entry,
                at=self.now(),
                summary=summary[:1].upper() + summary[1:],
                agent=agent.in_log,
                channel=agent.channel,
                assignees=[*assignees],
            )
        )

    def _send(self, incident: Incident, event_type: str, agent: Agent, data: Document) -> None:
        if self._webhooks is None:
            return
        document = webhook_document(event_type, agent.in_webhook, self.now(), data)
        if event_type == "incident.triggered":
            document["event"]["client"] = client_document(incident)
        self._webhooks.send(document, lambda outcome: self._log(incident, outcome))

    def _log(self, incident: Incident, text: str) -> None:
        with self._lock:
            incident.log.append(LogLine(at=self.now(), text=text))

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
            incidents = [overview_document(incident) for incident in reversed(self._incidents)]
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
