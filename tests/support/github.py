"""The part of GitHub's REST API v3 that tickets need, for one repository.

After https://docs.github.com/en/rest/issues/issues and
https://docs.github.com/en/rest/repos/repos.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from tests.support.tracker import Answer, Request, Tracker

TOKEN = "github_pat_0123456789"
REPOSITORY = "octo/shop"
WRITABLE = {"title", "body", "labels", "state", "state_reason"}


class GitHub(Tracker):
    """Refuses whatever it does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.issues: list[dict[str, Any]] = []
        self.repository: dict[str, Any] = {
            "full_name": REPOSITORY,
            "archived": False,
            "has_issues": True,
            "permissions": {"pull": True, "triage": True, "push": True},
        }

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") not in (f"token {TOKEN}", f"Bearer {TOKEN}"):
            return Answer(401, {"message": "Bad credentials"})
        place, _, rest = request.path.removeprefix("/repos/").partition("/issues")
        if place != REPOSITORY:
            return Answer(404, {"message": "Not Found"})
        if request.path == f"/repos/{REPOSITORY}":
            return Answer(200, self.repository)
        if not rest:
            return self._create(request) if request.method == "POST" else self._list(request)
        number = re.fullmatch("/([0-9]+)", rest)
        if request.method != "PATCH" or not number or int(number[1]) > len(self.issues):
            return Answer(404, {"message": "Not Found"})
        return self._edit(self.issues[int(number[1]) - 1], request.body)

    def _list(self, request: Request) -> Answer:
        query = request.query
        assert query["state"] == "all"
        assert query["direction"] == "desc"
        since = datetime.fromisoformat(query["since"])
        found = [
            one
            for one in reversed(self.issues)
            if datetime.fromisoformat(one["updated_at"]) >= since
            and query["labels"] in [label["name"] for label in one["labels"]]
        ]
        size = int(query["per_page"])
        begin = size * (int(query["page"]) - 1)
        return Answer(200, found[begin : begin + size])

    def _create(self, request: Request) -> Answer:
        number = len(self.issues) + 1
        may_label = self.repository["permissions"]["triage"]
        labels = [{"name": name} for name in request.body.get("labels", []) if may_label]
        issue: dict[str, Any] = {
            "number": number,
            "html_url": f"https://github.com/{REPOSITORY}/issues/{number}",
            "state": "open",
            "updated_at": datetime.now(UTC).isoformat(),
        }
        self.issues.append(issue)
        answer = self._edit(issue, {**request.body, "labels": labels})
        return Answer(201, answer.body) if answer.status == 200 else answer

    def _edit(self, issue: dict[str, Any], fields: dict[str, Any]) -> Answer:
        if set(fields) - WRITABLE or not 0 < len(fields["title"]) <= 256:
            return Answer(422, {"message": "Validation Failed"})
        issue.update(fields)
        return Answer(200, issue)
