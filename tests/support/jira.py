"""The part of Jira's REST API v2 that tickets need, for one project.

After https://developer.atlassian.com/cloud/jira/platform/rest/v2 (Cloud) and
https://developer.atlassian.com/server/jira/platform/rest (Data Center, ``cloud=False``).
`index()` makes searches find what was created: Cloud's are late.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from tests.support.tracker import Answer, Request, Tracker

PROJECT = "OPS"
EMAIL = "tocsin@example.test"
TOKEN = "jira-token"
API = "/rest/api/2/"

STATES = {"To Do": "new", "In Progress": "indeterminate", "Done": "done"}
WORKFLOW = {
    "To Do": ("In Progress", "Done"),
    "In Progress": ("To Do", "Done"),
    "Done": ("To Do", "In Progress"),
}


class Jira(Tracker):
    """Refuses whatever it does not know."""

    def __init__(self, *, cloud: bool = True) -> None:
        super().__init__()
        self.cloud = cloud
        self.issues: dict[str, dict[str, Any]] = {}
        self.workflow = dict(WORKFLOW)
        self.searchable: set[str] = set()
        self.indexes_at_once = True
        self.lacks: set[str] = set()

    def index(self) -> None:
        """What was created is found from now on."""
        self.searchable = set(self.issues)

    def state(self, key: str) -> str:
        name: str = self.issues[key]["status"]
        return name

    def answer(self, request: Request) -> Answer:
        if request.path == f"{API}serverInfo":
            kind = "Cloud" if self.cloud else "Server"
            return Answer(200, {"versionNumbers": [9, 12, 0], "deploymentType": kind})
        if request.headers.get("authorization") != self._credentials():
            return Answer(401, {"errorMessages": ["You are not authenticated."]})
        path = request.path.removeprefix(API)
        issue = re.fullmatch("issue/([^/]+)(/transitions)?", path)
        if issue is not None:
            return self._issue(request, issue[1], transitions=bool(issue[2]))
        if request.method == "POST":
            return self._create(request.body["fields"]) if path == "issue" else _not_found()
        return self._look(request, path)

    def _credentials(self) -> str:
        if not self.cloud:
            return f"Bearer {TOKEN}"
        return "Basic " + base64.b64encode(f"{EMAIL}:{TOKEN}".encode()).decode()

    def _look(self, request: Request, path: str) -> Answer:
        if path == ("search/jql" if self.cloud else "search"):
            return self._search(request.query["jql"])
        if path == "myself":
            return Answer(200, {"displayName": "Tocsin"})
        if path == "field":
            return Answer(200, [{"id": "summary", "clauseNames": ["summary"]}])
        if path == f"project/{PROJECT}":
            types = [{"name": "Task"}, {"name": "Bug"}]
            return Answer(200, {"key": PROJECT, "name": "Operations", "issueTypes": types})
        if path == "mypermissions" and request.query["projectKey"] == PROJECT:
            asked = request.query["permissions"].split(",")
            granted = {one: {"havePermission": one not in self.lacks} for one in asked}
            return Answer(200, {"permissions": granted})
        return _not_found()

    def _search(self, jql: str) -> Answer:
        wanted = re.fullmatch(r'project = "([A-Z]+)" AND labels = "([\w-]+)"', jql)
        if wanted is None or wanted[1] != PROJECT:
            return Answer(400, {"errorMessages": ["The query is not understood."]})
        if self.indexes_at_once:
            self.index()
        found = [
            {"key": key, "fields": {"summary": one["summary"]}}
            for key, one in self.issues.items()
            if wanted[2] in one["labels"] and key in self.searchable
        ]
        return Answer(200, {"issues": found})

    def _create(self, fields: dict[str, Any]) -> Answer:
        if fields.pop("project") != {"key": PROJECT}:
            return Answer(400, {"errors": {"project": "valid project is required"}})
        if fields.pop("issuetype") not in ({"name": "Task"}, {"name": "Bug"}):
            return Answer(400, {"errors": {"issuetype": "The issue type selected is invalid."}})
        problem = _problem(fields)
        if problem is not None:
            return problem
        key = f"{PROJECT}-{len(self.issues) + 1}"
        self.issues[key] = {**fields, "status": "To Do"}
        return Answer(201, {"id": key, "key": key, "self": f"{self.url}{API}issue/{key}"})

    def _issue(self, request: Request, key: str, *, transitions: bool) -> Answer:
        if key not in self.issues:
            return _not_found()
        issue = self.issues[key]
        ways = {str(number): name for number, name in enumerate(self.workflow[issue["status"]], 11)}
        if transitions and request.method == "POST":
            issue["status"] = ways[str(request.body["transition"]["id"])]
            return Answer(204)
        if transitions:
            shown = [{"id": one, "name": to, "to": _status(to)} for one, to in ways.items()]
            return Answer(200, {"transitions": shown})
        if request.method == "PUT":
            problem = _problem(request.body["fields"])
            issue.update({} if problem else request.body["fields"])
            return problem or Answer(204)
        fields = {"summary": issue["summary"], "status": _status(issue["status"])}
        return Answer(200, {"key": key, "self": f"{self.url}{request.path}", "fields": fields})


def _status(name: str) -> dict[str, Any]:
    return {"name": name, "statusCategory": {"key": STATES[name]}}


def _problem(fields: dict[str, Any]) -> Answer | None:
    summary = fields["summary"]
    if len(summary) > 255 or "\n" in summary or len(fields["description"]) > 32_767:
        return Answer(400, {"errors": {"summary": "It is too long, or has lines."}})
    if set(fields) - {"summary", "description", "labels"}:
        return Answer(400, {"errorMessages": ["There is no such field."]})
    return None


def _not_found() -> Answer:
    return Answer(404, {"errorMessages": ["Issue does not exist or you can't see it."]})
