"""The JSON API (/api/v1): what there is, to be read by scripts; OpenAPI at /api/openapi.json."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import Field
from starlette.exceptions import HTTPException

from bot import __version__
from bot.app.attachments import Attachments
from bot.app.incidents import Incidents
from bot.app.runs import Runs
from bot.domain.errors import InvalidInput, NotFound, TemporaryError
from bot.entrypoints.api_documents import AlertOut, EntryOut, IncidentOut, RunOut
from bot.entrypoints.attachment import attachment_response
from bot.entrypoints.authentication import is_token
from bot.entrypoints.posting import Posting, add_posting

_BEARER = HTTPBearer(auto_error=False)

Id = Annotated[int, Field(ge=1, le=999_999_999)]
"""As many digits as a slash command takes; any database holds such a number."""

Limit = Annotated[int, Query(ge=1, le=500, description="At most so many, the newest first.")]


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
