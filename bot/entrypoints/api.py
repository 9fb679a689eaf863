"""The JSON API (/api/v1): what there is, to be read by scripts; OpenAPI at /api/openapi.json."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from bot import __version__
from bot.app.attachments import Attachments
from bot.app.incidents import Incidents
from bot.app.runs import Runs
from bot.domain.dedup import KnownAlert
from bot.domain.errors import InvalidInput, NotFound, TemporaryError
from bot.domain.incident import Incident
from bot.domain.plan import StepOutcome
from bot.domain.run import Run
from bot.domain.ticket import TicketState
from bot.domain.timeline import Entry
from bot.entrypoints.attachment import attachment_response
from bot.entrypoints.authentication import is_token
from bot.entrypoints.posting import Posting, add_posting

_BEARER = HTTPBearer(auto_error=False)

Id = Annotated[int, Field(ge=1, le=999_999_999)]
"""As many digits as a slash command takes; any database holds such a number."""

Limit = Annotated[int, Query(ge=1, le=500, description="At most so many, the newest first.")]


class TicketOut(BaseModel):
    """A ticket in a tracker: `place` is the tracker and the project, `url` null where it has none.

    `refused` says why the tracker would not take what it was told last, and is else empty.
    """

    place: str | None
    key: str | None
    name: str | None
    url: str | None
    open: bool
    refused: str

    @classmethod
    def of(cls, ticket: TicketState) -> TicketOut:
        """From the domain's value."""
        ref = ticket.ref
        return cls(
            place=ref.place if ref else None,
            key=ref.key if ref else None,
            name=ref.name if ref else None,
            url=(ref.url or None) if ref else None,
            open=ref is not None and ticket.open,
            refused=ticket.refused,
        )


class IncidentOut(BaseModel):
    """An incident. Times are UTC; `page` is what the pager was told last.

    `ticket` is null while it is on Tocsin's own list only.
    """

    id: int
    reference: str
    title: str
    summary: str
    severity: str
    state: str
    rule: str
    reason: str
    policy_digest: str
    firing: int
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    ticket_due_at: datetime | None
    ticket: TicketOut | None
    dedup_key: str
    page: str | None

    @classmethod
    def of(cls, incident: Incident) -> IncidentOut:
        """From the domain's value."""
        by = incident.acknowledged_by
        return cls(
            id=incident.id,
            reference=incident.reference,
            title=incident.title,
            summary=incident.summary,
            severity=incident.severity.value,
            state=incident.state.value,
            rule=incident.classification.rule,
            reason=incident.classification.reason,
            policy_digest=incident.classification.policy_digest,
            firing=incident.firing,
            opened_at=incident.opened_at,
            acknowledged_at=incident.acknowledged_at,
            acknowledged_by=by.name if by else None,
            resolved_at=incident.resolved_at,
            ticket_due_at=incident.ticket_due_at,
            ticket=TicketOut.of(incident.ticket) if incident.ticket else None,
            dedup_key=incident.dedup_key,
            page=incident.page.action.value if incident.page else None,
        )


class EntryOut(BaseModel):
    """One line of a timeline."""

    at: datetime
    kind: str
    actor: str
    text: str
    run_id: int | None

    @classmethod
    def of(cls, entry: Entry) -> EntryOut:
        """From the domain's value."""
        return cls(
            at=entry.at, kind=entry.kind, actor=entry.actor, text=entry.text, run_id=entry.run_id
        )


class AlertOut(BaseModel):
    """The last that is known of an alert, and the incident it belongs to."""

    fingerprint: str
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime | None
    incident_id: int | None

    @classmethod
    def of(cls, known: KnownAlert) -> AlertOut:
        """From the domain's value."""
        alert = known.alert
        return cls(
            fingerprint=alert.fingerprint,
            status=alert.status.value,
            labels=dict(alert.labels),
            annotations=dict(alert.annotations),
            starts_at=alert.starts_at,
            ends_at=alert.ends_at,
            incident_id=known.incident_id,
        )


class StepOut(BaseModel):
    """One step of a run; `attachments` are the ids of pictures, at /api/v1/attachments/ID."""

    id: str
    state: str
    title: str
    text: str
    attachments: list[int]


class ApprovalOut(BaseModel):
    """Somebody's approval of a run, with the kinds that it may count for."""

    by: str
    kinds: list[str]
    at: datetime


class RunOut(BaseModel):
    """A run of a runbook; `needs` and `missing` are approvals by kind, `deadline` their end."""

    id: int
    runbook: str
    digest: str
    parameters: dict[str, str]
    state: str
    result: str
    requested_by: str
    requested_at: datetime
    planned_at: datetime | None
    rule: str | None
    needs: dict[str, int]
    missing: dict[str, int]
    approvals: list[ApprovalOut]
    approved_by: str | None
    overridden: str
    deadline: datetime | None
    finished_at: datetime | None
    incident_id: int | None
    plan_digest: str | None
    steps: list[StepOut]

    @classmethod
    def of(cls, run: Run) -> RunOut:
        """From the domain's value."""
        steps = [
            StepOut(
                id=record.id,
                state=record.state.value,
                title=run.runbook.step(record.id).title,
                text=record.reason or (record.outcome.summary if record.outcome else ""),
                attachments=_attached(record.outcome),
            )
            for record in run.steps
        ]
        return cls(
            id=run.id,
            runbook=run.runbook.reference,
            digest=run.runbook.digest,
            parameters=dict(run.parameters),
            state=run.state.value,
            result=run.result,
            requested_by=run.requested_by.name,
            requested_at=run.requested_at,
            planned_at=run.planned_at,
            rule=run.requirement.rule if run.requirement else None,
            needs=dict(run.requirement.needs) if run.requirement else {},
            missing=dict(run.missing),
            approvals=[
                ApprovalOut(by=one.by.name, kinds=list(one.kinds), at=one.at)
                for one in run.approvals
            ],
            approved_by=run.approved_by.name if run.approved_by else None,
            overridden=run.overridden,
            deadline=run.deadline,
            finished_at=run.finished_at,
            incident_id=run.incident_id,
            plan_digest=run.plan.digest if run.plan else None,
            steps=steps,
        )


def _attached(outcome: StepOutcome | None) -> list[int]:
    return [one.id for one in outcome.attachments if one.id is not None] if outcome else []


def api(
    incidents: Incidents,
    runs: Runs,
    token: str | None,
    posting: Posting | None = None,
    attachments: Attachments | None = None,
) -> FastAPI:
    """The API's application; `token` None leaves it open (the sandbox, on loopback)."""
    app = FastAPI(
        title="Tocsin",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    router = APIRouter(prefix="/api/v1", dependencies=[Depends(_authorized(token))])
    _add_incidents(router, incidents)
    _add_runs(router, runs)
    if posting is not None:
        add_posting(router, posting)
    if attachments is not None:
        _add_attachments(router, attachments)
    app.include_router(router)
    app.add_exception_handler(HTTPException, _refused_by_http)
    app.add_exception_handler(RequestValidationError, _wrong_parameter)
    app.add_exception_handler(InvalidInput, _refused)
    app.add_exception_handler(TemporaryError, _unavailable)
    return app


def _add_incidents(router: APIRouter, incidents: Incidents) -> None:
    @router.get("/incidents")
    def list_incidents(limit: Limit = 50, only_open: bool = False) -> list[IncidentOut]:
        """The newest incidents."""
        found = incidents.newest(only_open=only_open, limit=limit)
        return [IncidentOut.of(incident) for incident in found]

    @router.get("/incidents/{incident_id}")
    def show_incident(incident_id: Id) -> IncidentOut:
        """One incident."""
        return IncidentOut.of(incidents.get(incident_id))

    @router.get("/incidents/{incident_id}/timeline")
    def show_timeline(incident_id: Id) -> list[EntryOut]:
        """The incident's story, oldest first, the steps of its runs included."""
        _, story = incidents.timeline(incident_id)
        return [EntryOut.of(entry) for entry in story]

    @router.get("/alerts")
    def list_alerts(limit: Limit = 100, incident_id: Id | None = None) -> list[AlertOut]:
        """The alerts that started last, of one incident or of all."""
        return [AlertOut.of(known) for known in incidents.alerts(incident_id, limit)]


def _add_runs(router: APIRouter, runs: Runs) -> None:
    @router.get("/runs")
    def list_runs(limit: Limit = 50) -> list[RunOut]:
        """The newest runs."""
        return [RunOut.of(run) for run in runs.newest(limit)]

    @router.get("/runs/{run_id}")
    def show_run(run_id: Id) -> RunOut:
        """One run."""
        return RunOut.of(runs.get(run_id))


def _add_attachments(router: APIRouter, attachments: Attachments) -> None:
    @router.get("/attachments/{attachment_id}", response_class=Response)
    def show_attachment(attachment_id: Id) -> Response:
        """A picture or a text, such as a job's log, that a step of a run made."""
        return attachment_response(attachments.shown(attachment_id))


def _authorized(token: str | None) -> Callable[..., None]:
    def check(
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    ) -> None:
        given = credentials.credentials if credentials else ""
        if not is_token(given.encode(), token):
            raise HTTPException(
                401,
                "Send the header 'Authorization: Bearer TOKEN' with the token of TOCSIN_API_TOKEN.",
                {"WWW-Authenticate": "Bearer"},
            )

    return check


def _refused_by_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException), "registered for this class only"
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)


def _wrong_parameter(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError), "registered for this class only"
    said = (f"{problem['loc'][-1]}: {problem['msg']}" for problem in error.errors())
    return JSONResponse({"error": "; ".join(said)}, status_code=400)


def _refused(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse(
        {"error": str(error)}, status_code=404 if isinstance(error, NotFound) else 400
    )


def _unavailable(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"error": "The database can’t be reached; try again."}, status_code=503)
