"""PagerDuty's REST API as the `PagerRecords`.

Which incident holds an event's ``dedup_key``: "Incidents with child alerts do not have an
incident key; querying by incident key will return incidents whose alerts have alert_key
matching" (https://developer.pagerduty.com/api-reference, "List incidents"). So one query is
right for services of both kinds; the other way, from an incident to its keys, asks for its
alerts, and for its own key where there are none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

from pydantic import BaseModel

from bot.adapters.pagerduty_account_documents import (
    EscalationPolicyDocument,
    OnCallDocument,
    ServiceDocument,
)
from bot.adapters.pagerduty_documents import (
    AlertDocument,
    IncidentDocument,
    LogEntryDocument,
    NoteDocument,
    ReferenceDocument,
)
from bot.adapters.pagerduty_http import PagerDutyHttp, Params
from bot.adapters.pagerduty_refusals import BadRequest, Forbidden
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.oncall import (
    EscalationPolicy,
    OnCall,
    PagerAccess,
    PagerAction,
    PagerIncident,
    PagerService,
    PagerStatus,
    Urgency,
)

_READ = ("/incidents", "/oncalls", "/services", "/escalation_policies", "/users")
"""What is read, each of which has a permission of its own."""

_READ_ONLY_ROLES = frozenset({"observer", "read_only_user", "read_only_limited_user"})


class PagerDutyRecords:
    """The records of one PagerDuty account; may be shared between threads.

    `sender` is the e-mail address of the PagerDuty user in whose name notes and urgencies
    are written; a token of the whole account needs it, a user's own does not. The rest as
    of `PagerDutyHttp`.
    """

    def __init__(
        self, token: str, url: str | None = None, sender: str | None = None, timeout: float = 10.0
    ) -> None:
        self._http = PagerDutyHttp(token, url, sender, timeout)
        self._sender = sender

    # What became of our pages.

    def incident_of(self, dedup_key: str) -> PagerIncident | None:
        if not dedup_key:
            # PagerDuty would take it for no condition, and give any incident.
            raise PermanentError("A page without a dedup_key can't be looked up in PagerDuty.")
        params: Params = {
            "incident_key": dedup_key,
            "date_range": "all",
            "sort_by": "created_at:desc",
            "include[]": ["acknowledgers", "assignees"],
        }
        newest, _ = self._http.page("/incidents", IncidentDocument, params)
        found = max(newest, key=_open_then_new, default=None)
        return found.value() if found else None

    def keys_of(self, incident_id: str) -> tuple[str, ...]:
        path = _incident(incident_id)
        alerts = self._http.items(f"{path}/alerts", AlertDocument, {})
        keys = tuple(dict.fromkeys(alert.alert_key for alert in alerts if alert.alert_key))
        if keys:
            return keys
        key = self._http.read(path, "incident", IncidentDocument).incident_key
        return (key,) if key else ()

    def log_entries(self, incident_id: str, since: datetime) -> tuple[PagerAction, ...]:
        actions = [*self._log(incident_id, since), *self._notes(incident_id, since)]
        return tuple(sorted(actions, key=lambda action: (action.at, action.id)))

    def _log(self, incident_id: str, since: datetime) -> Iterator[PagerAction]:
        # Without a zone PagerDuty takes the account's; it may round down, so look again.
        params = {"since": since.astimezone(UTC).isoformat(timespec="seconds"), "time_zone": "UTC"}
        path = f"{_incident(incident_id)}/log_entries"
        for entry in self._http.items(path, LogEntryDocument, params):
            action = entry.value(incident_id)
            if action and action.at >= since:
                yield action

    def _notes(self, incident_id: str, since: datetime) -> Iterator[PagerAction]:
        # The log has them too, but not under the id that webhooks give them.
        for note in self._all_notes(incident_id):
            action = note.value(incident_id)
            if action and action.at >= since:
                yield action

    def _all_notes(self, incident_id: str) -> list[NoteDocument]:
        return self._http.page(f"{_incident(incident_id)}/notes", NoteDocument, {})[0]

    # Who is on call.

    def on_call(self, escalation_policy_id: str) -> tuple[OnCall, ...]:
        params: Params = {"escalation_policy_ids[]": [escalation_policy_id], "include[]": ["users"]}
        found = self._http.items("/oncalls", OnCallDocument, params)
        values = (document.value() for document in found)
        return tuple(sorted(values, key=lambda one: (one.level, one.person.name)))

    def on_call_of_service(self, service_id: str) -> tuple[OnCall, ...]:
        path = f"/services/{quote(service_id, safe='')}"
        policy = self._http.read(path, "service", ServiceDocument).value().escalation_policy_id
        return self.on_call(policy) if policy else ()

    def services(self) -> tuple[PagerService, ...]:
        params = {"include[]": ["integrations"]}
        found = self._http.items("/services", ServiceDocument, params)
        return tuple(document.value() for document in found)

    def escalation_policies(self) -> tuple[EscalationPolicy, ...]:
        found = self._http.items("/escalation_policies", EscalationPolicyDocument, {})
        return tuple(document.value() for document in found)

    # What is written.

    def add_note(self, incident_id: str, text: str) -> str:
        # Half surrogate pairs, which JSON can bring, can't be sent on.
        content = text.encode("utf-8", "replace").decode().strip()
        for note in self._all_notes(incident_id):
            if note.content.strip() == content:  # an earlier try, whose answer was lost
                return note.id
        body = {"note": {"content": content}}
        answer = self._http.write("POST", f"{_incident(incident_id)}/notes", body)
        note_id = (answer.get("note") or {}).get("id")
        if not isinstance(note_id, str):
            raise TemporaryError("PagerDuty gave no answer that can be read: the note has no id.")
        return note_id

    def set_urgency(self, incident_id: str, high: bool) -> None:
        urgency = Urgency.HIGH if high else Urgency.LOW
        body = {"incident": {"type": "incident_reference", "urgency": urgency.value}}
        self._http.write("PUT", _incident(incident_id), body)

    # What the token is good for.

    def verify(self) -> PagerAccess:
        missing = [scope for path in _READ if (scope := self._missing(path))]
        user = self._token_user()
        if user and user.role in _READ_ONLY_ROLES:
            missing.append("incidents.write")
        may_see_users = "users.read" not in missing
        problem = self._sender_problem(user) if may_see_users else ""
        return PagerAccess(user.person() if user else None, tuple(missing), problem)

    def _missing(self, path: str) -> str | None:
        try:
            self._http.page(path, _Anything, {"limit": "1"})
        except Forbidden as refusal:
            return refusal.scope
        return None

    def _token_user(self) -> ReferenceDocument | None:
        """None for a token of the whole account, to which PagerDuty answers 400."""
        try:
            return self._http.read("/users/me", "user", ReferenceDocument)
        except (BadRequest, Forbidden):
            return None

    def _sender_problem(self, user: ReferenceDocument | None) -> str:
        if not self._sender:
            return "" if user else "PAGERDUTY_FROM_EMAIL is not set: this token needs it to write."
        users = self._http.items("/users", ReferenceDocument, {"query": self._sender})
        if any((one.email or "").casefold() == self._sender.casefold() for one in users):
            return ""
        return f"PAGERDUTY_FROM_EMAIL: PagerDuty has no user {self._sender}."


class _Anything(BaseModel):
    """An object of which nothing is asked."""


def _incident(incident_id: str) -> str:
    return f"/incidents/{quote(incident_id, safe='')}"


def _open_then_new(incident: IncidentDocument) -> tuple[bool, datetime]:
    return incident.status is not PagerStatus.RESOLVED, incident.created_at
