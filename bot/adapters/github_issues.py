"""GitHub Issues as the `Tickets`.

The client library repeats requests and waits asleep; here one call is one request, since
retrying is decided elsewhere. Its connection must not be shared between threads, so each
call has its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import github
from pydantic import BaseModel, HttpUrl, TypeAdapter

from bot.adapters.http_header import check_header
from bot.adapters.ticket_errors import Refusal, answers, sorted_refusal
from bot.adapters.ticket_text import NOTE, lines_of, title_of
from bot.domain.errors import PermanentError
from bot.domain.ticket import Ticket, TicketRef

LABEL = "tocsin"
"""The label that all tickets have: listing by it is up to date at once, searching is not."""

PAGE_SIZE = 100
"""Issues of a page: the most that GitHub gives."""

CLOCKS_DIFFER = timedelta(hours=1)
"""By how much GitHub's clock may be behind ours."""

_CHECK_ACCESS = "give the owner of TOCSIN_GITHUB_TOKEN write access to its issues"


class _Issue(BaseModel):
    """The part of an issue that we read."""

    number: int
    html_url: HttpUrl
    body: str | None = None
    labels: list[dict[str, Any]] = []


class _Permissions(BaseModel):
    push: bool = False
    triage: bool = False


class _Repository(BaseModel):
    full_name: str
    archived: bool = False
    has_issues: bool = True
    permissions: _Permissions = _Permissions()


_ISSUES = TypeAdapter(list[_Issue])


class GitHubIssues:
    """The issues of one repository, given as ``owner/name``; may be shared between threads.

    `url` is the API's address where it is not GitHub's own (plain http included); `timeout`
    is in whole seconds, for connecting and for each wait. Raises `PermanentError` for a token
    that can be none.
    """

    def __init__(
        self, repository: str, token: str, url: str | None = None, timeout: int = 10
    ) -> None:
        check_header("TOCSIN_GITHUB_TOKEN", token)
        self._repository = repository
        self._token = token
        self._url = (url or github.Consts.DEFAULT_BASE_URL).rstrip("/")
        self._timeout = timeout
        self._fixes = _fixes(repository)

    @property
    def place(self) -> str:
        return f"{self._url}/repos/{self._repository}"

    def find(self, ticket: Ticket) -> TicketRef | None:
        marker = _marker(ticket)
        found = (one for one in self._labelled(ticket) if _last_line(one) == marker)
        return next(map(self._ref, found), None)

    def create(self, ticket: Ticket) -> TicketRef:
        fields = {"title": title_of(ticket), "body": _body(ticket), "labels": [LABEL]}
        return self._ref(self._write("POST", "/issues", fields))

    def update(self, ref: TicketRef, ticket: Ticket) -> None:
        self._edit(ref, ticket, {})

    def close(self, ref: TicketRef, ticket: Ticket) -> None:
        self._edit(ref, ticket, {"state": "closed", "state_reason": "completed"})

    def reopen(self, ref: TicketRef, ticket: Ticket) -> None:
        self._edit(ref, ticket, {"state": "open", "state_reason": "reopened"})

    def verify(self) -> str:
        with answers("GitHub"):
            found = _Repository.model_validate(self._ask("GET", ""))
        if found.archived or not found.has_issues:
            why = "is archived" if found.archived else "has its issues switched off"
            raise PermanentError(f"TOCSIN_GITHUB_REPOSITORY: {found.full_name} {why}.")
        if not (found.permissions.push or found.permissions.triage):
            # Without it GitHub drops the label in silence, and the ticket is not found again.
            raise PermanentError(f"{found.full_name}: {_CHECK_ACCESS}, it can’t set labels there.")
        return f"issues of {found.full_name} on GitHub"

    def _labelled(self, ticket: Ticket) -> Iterator[_Issue]:
        """What has our label and was changed since the ticket can exist, the newest first."""
        wanted = {
            "labels": LABEL,
            "state": "all",
            "sort": "created",
            "direction": "desc",
            "since": (ticket.since - CLOCKS_DIFFER).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "per_page": PAGE_SIZE,
        }
        for page in count(1):
            with answers("GitHub"):
                issues = _ISSUES.validate_python(
                    self._ask("GET", "/issues", parameters={**wanted, "page": page})
                )
            yield from issues
            if len(issues) < PAGE_SIZE:
                return

    def _edit(self, ref: TicketRef, ticket: Ticket, state: Mapping[str, str]) -> None:
        fields = {"title": title_of(ticket), "body": _body(ticket), **state}
        self._write("PATCH", f"/issues/{ref.key}", fields)

    def _write(self, method: str, path: str, fields: Mapping[str, Any]) -> _Issue:
        with answers("GitHub"):
            answer = self._ask(method, path, input=dict(fields))
            if "number" not in answer and "Moved" in str(answer.get("message")):
                raise PermanentError(
                    f"{self._repository} was renamed: set TOCSIN_GITHUB_REPOSITORY to its new name."
                )
            return _Issue.model_validate(answer)

    def _ask(self, method: str, path: str, **arguments: Any) -> Any:
        with self._client() as client:
            try:
                place = f"/repos/{self._repository}{path}"
                return client.requester.requestJsonAndCheck(method, place, **arguments)[1]
            except github.GithubException as error:
                raise sorted_refusal(_refusal(error), self._fixes) from None
            except RuntimeError as error:
                raise PermanentError(f"TOCSIN_GITHUB_URL can’t be asked: {error}") from error

    @contextmanager
    def _client(self) -> Iterator[github.Github]:
        client = github.Github(
            auth=github.Auth.Token(self._token),
            base_url=self._url,
            timeout=self._timeout,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )
        try:
            yield client
        finally:
            client.close()

    def _ref(self, issue: _Issue) -> TicketRef:
        key = str(issue.number)
        return TicketRef(self.place, key, f"{self._repository}#{key}", str(issue.html_url))


def _fixes(repository: str) -> Mapping[int, str]:
    """What a person has to do about a refusal, by its status."""
    return {
        401: "TOCSIN_GITHUB_TOKEN is wrong, expired or revoked: set another one.",
        403: f"For {repository}, {_CHECK_ACCESS}.",
        404: f"There is no issue or repository {repository} that TOCSIN_GITHUB_TOKEN may see: "
        "check TOCSIN_GITHUB_REPOSITORY and the token’s access.",
        410: f"The issue was deleted, or issues are switched off in {repository}.",
    }


def _refusal(error: github.GithubException) -> Refusal:
    data = error.data if isinstance(error.data, dict) else {}
    says = str(data.get("message") or data.get("data") or error.message or "")
    details = data.get("errors")
    headers = {str(name).lower(): str(value) for name, value in (error.headers or {}).items()}
    return Refusal("GitHub", error.status, f"{says} {details or ''}".strip(), headers)


def _marker(ticket: Ticket) -> str:
    """The last line, which people don't see."""
    return f"<!-- {ticket.marker} -->"


def _last_line(issue: _Issue) -> str:
    return (issue.body or "").rstrip().rpartition("\n")[2]


def _body(ticket: Ticket) -> str:
    """GitHub's Markdown: the hostile text fenced by more backticks than it has in a row."""
    text = lines_of(ticket)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    link = [f"[The incident in Tocsin]({ticket.link})", ""] if ticket.link else []
    return "\n".join([NOTE, "", f"{fence}text", text, fence, "", *link, _marker(ticket)])
