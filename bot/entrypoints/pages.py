"""The pages, for whoever responds at night and whoever reviews in the morning.

They only read, and need no script. Outside the sandbox they ask for the API's token, which
a browser sends as the password of HTTP Basic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot import __version__
from bot.app.policy_history import PolicyHistory
from bot.domain.errors import InvalidInput, NotFound, TemporaryError
from bot.domain.incident import Incident, IncidentState
from bot.domain.maintenance import Window
from bot.entrypoints.attachment import attachment_response
from bot.entrypoints.authentication import shows_token
from bot.entrypoints.incident_view import UseCases, incident_view
from bot.entrypoints.rendering import WEB, templates
from bot.entrypoints.run_view import RunbookView, run_view, runbook_views, runs_view

SHOWN_OPEN, SHOWN_OVER, SHOWN_PAST = 500, 100, 50
"""Incidents that are open and that are over, and past windows: the newest, on one page."""

REFRESH, REFRESH_RUN = 60, 10
"""Seconds after which the page of an open incident, and of a run that has not ended, is loaded
anew, unless it is told not to."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

Answer = Callable[[Request], Response]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pages are shown.

    `token` opens them (None: nobody is asked for it), `stood_in_for` are the vendors that
    the sandbox stands in for.
    """

    token: str | None = None
    stood_in_for: tuple[str, ...] = ()


class Pages:
    """The pages' routes; `routes` are to be served with the application's others."""

    def __init__(self, ask: UseCases, policies: PolicyHistory, place: Place) -> None:
        self._ask = ask
        self._policies = policies
        self._token = place.token
        self._templates: Environment = templates()
        self._templates.globals.update(release=__version__, stood_in_for=place.stood_in_for)

    def routes(self) -> list[BaseRoute]:
        """All of them, and the files that they need."""
        return [
            self._page("/incidents", self._incidents),
            self._page("/incidents/{incident_id}", self._incident),
            self._page("/tickets", self._tickets),
            self._page("/runs", self._runs),
            self._page("/runs/{run_id}", self._run),
            self._page("/runbooks", self._runbooks),
            self._page("/runbooks/{reference}", self._runbook),
            self._page("/attachments/{attachment_id}", self._attachment),
            self._page("/maintenance", self._maintenance),
            self._page("/policy", self._policy),
            self._page("/policy/{digest}", self._policy),
            self._page("/policy/{digest}/text", self._policy_text),
            Mount("/static", StaticFiles(directory=str(WEB / "static"))),
        ]

    def _page(self, path: str, answer: Answer) -> Route:
        def endpoint(request: Request) -> Response:
            response = self._answered(request, answer)
            response.headers.update({**HEADERS, **response.headers})
            return response

        return Route(path, endpoint)

    def _answered(self, request: Request, answer: Answer) -> Response:
        if not shows_token(request.headers.get("authorization", ""), self._token):
            return self._locked()
        try:
            return answer(request)
        except InvalidInput as error:
            status = 404 if isinstance(error, NotFound) else 400
            return self._problem(status, "There is no such page", str(error))
        except TemporaryError:
            return self._problem(503, "The database can’t be reached", "Try again in a moment.")

    def _locked(self) -> Response:
        said = "The password is the token of TOCSIN_API_TOKEN; the name can be any."
        response = self._problem(401, "These pages need a password", said)
        response.headers["WWW-Authenticate"] = 'Basic realm="Tocsin", charset="UTF-8"'
        return response

    def _problem(self, status: int, title: str, text: str) -> Response:
        return self._rendered("problem.html", status, title=title, text=text)

    def _rendered(self, template: str, status: int = 200, **values: Any) -> Response:
        page = self._templates.get_template(template)
        return HTMLResponse(page.render(now=self._ask.clock.now(), **values), status)

    def _incidents(self, request: Request) -> Response:
        only_open = request.query_params.get("show") == "open"
        open_ones = self._ask.incidents.newest(only_open=True, limit=SHOWN_OPEN)
        newest = [] if only_open else self._ask.incidents.newest(limit=SHOWN_OVER)
        return self._rendered(
            "incidents.html",
            only_open=only_open,
            open=sorted(open_ones, key=_urgency),
            over=[one for one in newest if one.state.over],
        )

    def _incident(self, request: Request) -> Response:
        view = incident_view(self._ask, _number(request.path_params["incident_id"]))
        moves = _is_live(request) and not view.incident.state.over
        return self._rendered("incident.html", view=view, refresh=REFRESH if moves else 0)

    def _tickets(self, _request: Request) -> Response:
        return self._rendered("tickets.html", tasks=self._ask.follow_ups.tickets())

    def _runs(self, request: Request) -> Response:
        view = runs_view(self._ask.runs, request.query_params.get("show", ""))
        return self._rendered("runs.html", view=view)

    def _run(self, request: Request) -> Response:
        view = run_view(self._ask.runs, _number(request.path_params["run_id"]))
        moves = _is_live(request) and not view.run.state.final
        return self._rendered("run.html", view=view, refresh=REFRESH_RUN if moves else 0)

    def _runbooks(self, _request: Request) -> Response:
        return self._rendered("runbooks.html", library=runbook_views(self._ask.runs))

    def _runbook(self, request: Request) -> Response:
        view = RunbookView(*self._ask.runs.runbook(request.path_params["reference"]))
        return self._rendered("runbook.html", view=view)

    def _attachment(self, request: Request) -> Response:
        number = _number(request.path_params["attachment_id"])
        return attachment_response(self._ask.attachments.shown(number))

    def _maintenance(self, _request: Request) -> Response:
        now = self._ask.clock.now()
        windows = self._ask.maintenance.newest(everything=True)
        past = [one for one in windows if one.ends_at <= now]
        return self._rendered(
            "maintenance.html",
            active=[self._with_hidden(one) for one in windows if one.active(now)],
            planned=[self._with_hidden(one) for one in windows if one.starts_at > now],
            past=[self._with_hidden(one) for one in past[:SHOWN_PAST]],
        )

    def _with_hidden(self, window: Window) -> Any:
        return self._ask.maintenance.show(window.id)

    def _policy(self, request: Request) -> Response:
        versions = self._policies.newest()
        in_force = versions[0].digest if versions else ""
        digest = request.path_params.get("digest", in_force)
        return self._rendered(
            "policy.html",
            read=self._policies.read(digest) if digest else None,
            version=next((one for one in versions if one.digest == digest), None),
            versions=versions,
            is_in_force=digest == in_force,
            file_differs=not self._policies.file_holds(in_force),
        )

    def _policy_text(self, request: Request) -> Response:
        return PlainTextResponse(self._policies.read(request.path_params["digest"]).text)


def _urgency(incident: Incident) -> tuple[str, bool, int]:
    """The worst first, of these what nobody has taken, of these the newest."""
    taken = incident.state is not IncidentState.TRIGGERED
    return incident.severity.value, taken, -incident.id


def _is_live(request: Request) -> bool:
    """Whether a page of something that moves may be loaded anew by itself."""
    return request.query_params.get("refresh") != "off"


def _number(text: str) -> int:
    """A number, as it stands at the end of an address; an incident's with or without INC-."""
    digits = text.upper().removeprefix("INC-")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 9:
        raise NotFound("The address ends with a number, such as 7; an incident’s also with INC-7.")
    return int(digits)
