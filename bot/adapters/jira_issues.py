"""Jira as the `Tickets`, Cloud and Data Center alike, by version 2 of its REST API.

States have other names in each project's workflow, but each belongs to one of three
categories: a ticket is closed by any transition to a state of the category "done", and
reopened by any out of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jira import JIRA, Issue, JIRAError

from bot.adapters.http_header import check_header
from bot.adapters.ticket_errors import Refusal, answers, sorted_refusal
from bot.adapters.ticket_text import NOTE, lines_of, title_of
from bot.domain.errors import PermanentError
from bot.domain.ticket import Ticket, TicketRef

LABEL = "tocsin"
"""The label that all tickets have, beside one of their own, their marker."""

DONE = "done"
"""The key of the category of states in which nothing is left to do; the others are ``new``
and ``indeterminate``."""

NEEDED = ("CREATE_ISSUES", "EDIT_ISSUES", "TRANSITION_ISSUES")
"""The permissions that a ticket needs, from its first day to its last."""

_FIXES = {
    400: "Jira does not take what Tocsin fills in: let whoever looks after the project check "
    "TOCSIN_JIRA_PROJECT, TOCSIN_JIRA_ISSUE_TYPE and which fields that type requires.",
    401: "TOCSIN_JIRA_TOKEN is wrong, expired or not TOCSIN_JIRA_EMAIL’s: set another one.",
    403: "The owner of TOCSIN_JIRA_TOKEN may not do it: whoever looks after the project must "
    f"grant {', '.join(NEEDED)}.",
    404: "It is gone, or the owner of TOCSIN_JIRA_TOKEN may not see it; check TOCSIN_JIRA_URL.",
}


@dataclass(frozen=True, slots=True)
class JiraProject:
    """Where tickets are entered: Jira's address, the project's key, the issues' type."""

    url: str
    key: str
    issue_type: str


class JiraIssues:
    """The issues of one project; may be shared between threads.

    With `email`, `token` is an API token of that user (Jira Cloud); without, it is a
    personal access token (Data Center). `timeout` is in seconds, for connecting and for
    each wait. Raises `PermanentError` for a token that can be none.
    """

    def __init__(
        self, project: JiraProject, token: str, email: str | None = None, timeout: float = 10.0
    ) -> None:
        check_header("TOCSIN_JIRA_TOKEN", token)
        self._project = project
        self._token = token
        self._email = email
        self._timeout = timeout

    @property
    def place(self) -> str:
        return f"{self._project.url.rstrip('/')}/browse/{self._project.key}"

    def find(self, ticket: Ticket) -> TicketRef | None:
        wanted = f'project = "{self._project.key}" AND labels = "{ticket.marker}"'
        with self._asked() as client:
            found = client.search_issues(wanted, maxResults=1, fields="summary", json_result=True)
            keys = [str(one["key"]) for one in found["issues"]]
        return self._ref(keys[0]) if keys else None

    def create(self, ticket: Ticket) -> TicketRef:
        fields = {
            "project": {"key": self._project.key},
            "issuetype": {"name": self._project.issue_type},
            "labels": [LABEL, ticket.marker],
            **_fields(ticket),
        }
        with self._asked() as client:
            return self._ref(client.create_issue(fields, prefetch=False).key)

    def update(self, ref: TicketRef, ticket: Ticket) -> None:
        with self._asked() as client:
            client.issue(ref.key, fields="status").update(fields=_fields(ticket))

    def close(self, ref: TicketRef, ticket: Ticket) -> None:
        self._move(ref, ticket, done=True)

    def reopen(self, ref: TicketRef, ticket: Ticket) -> None:
        self._move(ref, ticket, done=False)

    def verify(self) -> str:
        project = self._project
        with self._asked() as client:
            who = client.myself()["displayName"]
            found = client.project(project.key).raw
            granted = client.my_permissions(projectKey=project.key, permissions=",".join(NEEDED))[
                "permissions"
            ]
        missing = [one for one in NEEDED if not granted.get(one, {}).get("havePermission")]
        if missing:
            raise PermanentError(f"{who} lacks {', '.join(missing)} in the project {project.key}.")
        types = [str(one["name"]) for one in found.get("issueTypes", [])]
        if project.issue_type not in types:
            has = ", ".join(types) or "none"
            raise PermanentError(
                f"TOCSIN_JIRA_ISSUE_TYPE: {project.key} has no {project.issue_type}; it has {has}."
            )
        return f"issues of {found['name']} ({project.key}) in Jira, as {who}"

    def _move(self, ref: TicketRef, ticket: Ticket, *, done: bool) -> None:
        """Move it, unless it is there: an earlier try may have done it, or a person."""
        with self._asked() as client:
            issue = client.issue(ref.key, fields="status")
            if _is_done(issue.raw["fields"]["status"]) is done:
                issue.update(fields=_fields(ticket))
                return
            way = self._way(client, issue, done)
            if done:  # What is done can often not be edited: words first, and last if reopened.
                issue.update(fields=_fields(ticket))
            client.transition_issue(issue, way)
            if not done:
                issue.update(fields=_fields(ticket))

    def _way(self, client: JIRA, issue: Issue, done: bool) -> str:
        """The id of the first transition that leads there."""
        for transition in client.transitions(issue):
            if _is_done(transition["to"]) is done:
                return str(transition["id"])
        wanted = "into" if done else "out of"
        raise PermanentError(
            f"The workflow of {self._project.key} offers Tocsin no transition {wanted} a state of "
            "the category “done”: let whoever looks after the project add one."
        )

    def _ref(self, key: str) -> TicketRef:
        return TicketRef(self.place, key, key, f"{self._project.url.rstrip('/')}/browse/{key}")

    @cached_property
    def _client(self) -> JIRA:
        """Made when it is first needed: it asks Jira at once which Jira it is."""
        secret: dict[str, Any] = (
            {"basic_auth": (self._email, self._token)}
            if self._email
            else {"token_auth": self._token}
        )
        return JIRA(
            self._project.url, timeout=self._timeout, max_retries=0, logging=False, **secret
        )

    @contextmanager
    def _asked(self) -> Iterator[JIRA]:
        with answers("Jira"):
            try:
                yield self._client
            except JIRAError as error:
                # Its own text shows the request's headers.
                raise sorted_refusal(_refusal(error), _FIXES) from None


def _refusal(error: JIRAError) -> Refusal:
    headers = error.response.headers if error.response is not None else {}
    lower = {name.lower(): value for name, value in headers.items()}
    return Refusal("Jira", error.status_code or 500, error.text or "", lower)


def _is_done(status: Any) -> bool:
    return bool(status["statusCategory"]["key"] == DONE)


def _fields(ticket: Ticket) -> dict[str, Any]:
    return {"summary": title_of(ticket), "description": _description(ticket)}


_BREAKS_OUT = re.compile(r"\{(?=noformat)|\[(?=~)", re.IGNORECASE)
"""What would end the block, and what Jira may read as a mention even inside of it."""


def _description(ticket: Ticket) -> str:
    """Jira's wiki markup: the hostile text in a block that it can't end."""
    text = _BREAKS_OUT.sub("\\g<0>\N{ZERO WIDTH SPACE}", lines_of(ticket))
    link = ["", f"[The incident in Tocsin|{ticket.link}]"] if ticket.link else []
    return "\n".join([NOTE, "", "{noformat}", text, "{noformat}", *link])
