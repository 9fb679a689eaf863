"""The stand-in's REST API: what people and programs may read and write with a token."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.routing import Route

from bot.domain.errors import InvalidInput, NotFound
from bot.sandbox.pagerduty.account import (
    PEOPLE,
    SERVICE,
    integration_document,
    integration_reference,
    on_call_documents,
    policy_documents,
    service_document,
    user_document,
)
from bot.sandbox.pagerduty.documents import (
    alert_document,
    incident_document,
    log_entry_document,
    note_document,
    page_document,
)
from bot.sandbox.pagerduty.faults import Failure
from bot.sandbox.pagerduty.http import Answer, Api, Call, Handler
from bot.sandbox.pagerduty.records import Document, Incident
from bot.sandbox.pagerduty.state import SandboxPagerDuty


def rest_routes(pager: SandboxPagerDuty) -> list[Route]:
    """The REST API's addresses."""
    api = Api(pager, _failed)

    def read(path: str, scope: str, handler: Handler) -> Route:
        return api.route("GET", path, _with_token(scope, handler))

    return [
        read("/incidents", "incidents.read", _list_incidents),
        read("/incidents/{id}", "incidents.read", _show_incident),
        read("/incidents/{id}/alerts", "incidents.read", _list_alerts),
        read("/incidents/{id}/log_entries", "incidents.read", _list_log_entries),
        read("/incidents/{id}/notes", "incidents.read", _list_notes),
        api.route("PUT", "/incidents/{id}", _with_token("incidents.write", _update_incident)),
        api.route("POST", "/incidents/{id}/notes", _with_token("incidents.write", _add_note)),
        read("/oncalls", "oncalls.read", _list_on_calls),
        read("/services", "services.read", _list_services),
        read("/services/{id}", "services.read", _show_service),
        read("/escalation_policies", "escalation_policies.read", _list_policies),
        read("/users", "users.read", _list_users),
        read("/users/me", "users.read", _show_me),
        read("/abilities", "abilities.read", _list_abilities),
    ]


_FAILURES = {429: (2020, "Rate Limit Exceeded"), 500: (2000, "Internal Server Error")}


def _failed(failure: Failure) -> Answer:
    code, message = _FAILURES.get(failure.status, (2000, "Injected failure"))
    wait = failure.retry_after
    headers = {} if wait is None else {"ratelimit-reset": str(wait)}
    return _error(failure.status, code, message, headers)


def _error(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}}, headers or {})


def _with_token(scope: str, handler: Handler) -> Handler:
    """As `handler`, for those who send an API token; any token will do."""

    def checked(call: Call) -> Answer:
        scheme, _, token = call.request.headers.get("authorization", "").partition("token=")
        if scheme.strip().lower() != "token" or not token.strip():
            return _error(401, 2006, "Authentication failed")
        if call.pager.scopes is not None and scope not in call.pager.scopes:
            return _error(403, 2010, "Access Denied")
        try:
            return handler(call)
        except NotFound:
            return _error(404, 2100, "Not Found")
        except (InvalidInput, ValueError):
            return _error(400, 2001, "Invalid Input Provided")

    return checked


# Incidents


def _list_incidents(call: Call) -> Answer:
    incidents = [one for one in call.pager.incidents() if _asked_for(one, call.request)]
    if call.request.query_params.get("sort_by") == "created_at:desc":
        incidents.reverse()
    return _page(call, "incidents", [_incident(call, one) for one in incidents])


def _asked_for(incident: Incident, request: Request) -> bool:
    statuses = request.query_params.getlist("statuses[]")
    key = request.query_params.get("incident_key")
    return (not statuses or incident.status in statuses) and key in (None, "", incident.dedup_key)


def _incident(call: Call, incident: Incident) -> Document:
    return incident_document(incident, call.pager.incident_keys, _included(call))


def _included(call: Call) -> list[str]:
    return call.request.query_params.getlist("include[]")


def _named(call: Call) -> Incident:
    return call.pager.incident(call.request.path_params["id"])


def _show_incident(call: Call) -> Answer:
    return Answer(200, {"incident": _incident(call, _named(call))})


def _list_alerts(call: Call) -> Answer:
    incident = _named(call)
    return _page(call, "alerts", [] if call.pager.incident_keys else [alert_document(incident)])


def _list_log_entries(call: Call) -> Answer:
    incident = _named(call)
    since = call.request.query_params.get("since")
    earliest = datetime.fromisoformat(since) if since else incident.triggered_at
    entries = [entry for entry in reversed(incident.entries) if entry.at >= earliest]
    documents = [log_entry_document(incident, entry) for entry in entries]
    return _page(call, "log_entries", documents)


def _list_notes(call: Call) -> Answer:
    return Answer(200, {"notes": [note_document(note) for note in _named(call).notes]})


def _update_incident(call: Call) -> Answer:
    incident = _named(call)
    urgency = _field(_field(call.body, "incident"), "urgency")
    if urgency not in ("high", "low"):
        raise InvalidInput("Of an incident only the urgency can be changed here.")
    call.pager.set_urgency(incident.id, urgency, _writer(call))
    return _show_incident(call)


def _add_note(call: Call) -> Answer:
    content = _field(_field(call.body, "note"), "content")
    if not isinstance(content, str) or not content.strip():
        raise InvalidInput("A note needs content.")
    note = call.pager.annotate(_named(call).id, content, _writer(call))
    return Answer(200, {"note": note_document(note)})


def _field(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _writer(call: Call) -> str:
    """In whose name is written: the header's, else the token's owner."""
    sender = call.request.headers.get("from")
    if sender is None and call.pager.token_owner:
        return call.pager.token_owner
    for name in PEOPLE:
        if user_document(name)["email"] == sender:
            return name
    raise InvalidInput("The header From names nobody.")


# The account


def _list_on_calls(call: Call) -> Answer:
    policies = call.request.query_params.getlist("escalation_policy_ids[]")
    found = [
        one
        for one in on_call_documents(call.pager.now(), "users" in _included(call))
        if not policies or one["escalation_policy"]["id"] in policies
    ]
    return _page(call, "oncalls", found)


def _list_services(call: Call) -> Answer:
    return _page(call, "services", [_service(call)])


def _show_service(call: Call) -> Answer:
    if call.request.path_params["id"] != SERVICE:
        raise NotFound("PagerDuty has one service.")
    return Answer(200, {"service": _service(call)})


def _service(call: Call) -> Document:
    keys = call.pager.routing_keys
    whole = "integrations" in _included(call)
    integration = integration_document(min(keys)) if keys and whole else integration_reference()
    return service_document(call.pager.incident_keys, integration)


def _list_policies(call: Call) -> Answer:
    return _page(call, "escalation_policies", policy_documents())


def _list_users(call: Call) -> Answer:
    query = call.request.query_params.get("query", "").lower()
    users = [user_document(name) for name in PEOPLE]
    found = [one for one in users if query in one["name"].lower() or query in one["email"]]
    return _page(call, "users", found)


def _show_me(call: Call) -> Answer:
    if call.pager.token_owner is None:
        return Answer(400, {"error": "This can't be done with an account-level access token"})
    return Answer(200, {"user": user_document(call.pager.token_owner)})


def _list_abilities(_call: Call) -> Answer:
    return Answer(200, {"abilities": ["urgencies", "service_support_hours"]})


def _page(call: Call, name: str, items: list[Document]) -> Answer:
    limit = int(call.request.query_params.get("limit", "25"))
    offset = int(call.request.query_params.get("offset", "0"))
    if not (1 <= limit <= 100 and offset >= 0):
        raise InvalidInput("limit is 1 to 100, offset not below 0.")
    return Answer(200, page_document(name, items, limit, offset))
