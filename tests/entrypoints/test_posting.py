"""POST /api/v1/alerts over real HTTP: what is kept, what is refused, and with which words."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from bot.adapters import database
from bot.adapters.clock import SystemClock
from bot.adapters.inbox import Inbox
from bot.adapters.posted_alerts import check_posted
from bot.adapters.runbooks import RunbookFolder
from bot.adapters.store import SqlStore
from bot.adapters.tocsin_client import post_alerts
from bot.app.incidents import Incidents
from bot.app.runs import Runs
from bot.domain.errors import PermanentError, TemporaryError
from bot.entrypoints.api import api
from bot.entrypoints.posting import Posting
from bot.entrypoints.webhooks import MAX_BODY
from bot.ports import Source
from bot.steps.registry import step_kinds
from tests.support.access import access
from tests.support.databases import sqlite_database
from tests.support.installation import REPOSITORY, TIMEOUT
from tests.support.serve import serve
from tests.support.waiting import eventually

TOKEN = "a token"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
ALERTS = json.dumps([{"labels": {"alertname": "DiskFull"}}]).encode()


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    opened = Inbox(sqlite_database(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def url(tmp_path: Path, inbox: Inbox) -> Iterator[str]:
    store = SqlStore(database.create(f"sqlite:///{tmp_path}/tocsin.db"), lambda *_: None)
    clock = SystemClock()
    runs = Runs(store, RunbookFolder(REPOSITORY / "runbooks", step_kinds()), access(clock), clock)
    app = api(Incidents(store, clock), runs, TOKEN, Posting(inbox, check_posted))
    with serve(app) as address:
        yield address


def post(url: str, body: bytes, **headers: str) -> requests.Response:
    return requests.post(
        f"{url}/api/v1/alerts", data=body, headers={**AUTHORIZED, **headers}, timeout=TIMEOUT
    )


def bodies(inbox: Inbox) -> list[bytes]:
    return [row.body for row in inbox.read(limit=10)]


def test_posted_alerts_are_in_the_inbox_when_they_are_answered(url: str, inbox: Inbox) -> None:
    answer = post(url, ALERTS)

    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    (row,) = inbox.read(limit=2)
    assert (row.source, row.body) == (Source.API, ALERTS)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer other", f"Basic {TOKEN}"])
def test_without_the_right_token_nothing_is_kept(
    url: str, inbox: Inbox, authorization: str
) -> None:
    answer = post(url, ALERTS, Authorization=authorization)

    assert answer.status_code == 401
    assert "TOCSIN_API_TOKEN" in answer.json()["error"]
    assert bodies(inbox) == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "The body is not JSON"),
        (b"{}", "The body must be a JSON list"),
        (b'[{"labels": {"a": "b"}}, {"labels": {"a": 3}}]', "[1].labels must be"),
    ],
)
def test_bad_input_is_refused_as_a_whole(url: str, inbox: Inbox, body: bytes, says: str) -> None:
    answer = post(url, body)

    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert answer.json()["error"].startswith(says)
    assert bodies(inbox) == []


def test_the_size_is_bounded(url: str, inbox: Inbox) -> None:
    fits = ALERTS.ljust(MAX_BODY)

    assert post(url, fits).status_code == 200
    assert post(url, fits + b" ").status_code == 413
    assert bodies(inbox) == [fits]


def test_a_body_of_no_stated_size_is_bounded_too(url: str, inbox: Inbox) -> None:
    pieces = (b" " * 1024 * 1024 for _ in range(MAX_BODY // 1024 // 1024 + 1))
    answer = requests.post(f"{url}/api/v1/alerts", data=pieces, headers=AUTHORIZED, timeout=TIMEOUT)

    assert answer.status_code == 413
    assert bodies(inbox) == []


def test_what_cannot_be_kept_is_a_503(url: str, inbox: Inbox, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "tocsin.inbox.db")
    other.execute("BEGIN IMMEDIATE")
    answer = post(url, ALERTS)
    other.close()

    assert answer.status_code == 503
    assert answer.json()["error"].startswith("The alerts were not kept; send them again")
    assert post(url, ALERTS).status_code == 200
    assert bodies(inbox) == [ALERTS]


def test_a_request_that_breaks_off_keeps_nothing(url: str, inbox: Inbox) -> None:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), TIMEOUT) as connection:
        head = f"POST /api/v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        connection.sendall(f"{head}Content-Length: {len(ALERTS)}\r\n\r\n".encode() + ALERTS[:-1])

    assert post(url, ALERTS).status_code == 200
    assert eventually(lambda: bodies(inbox)) == [ALERTS]


def test_the_api_describes_it(url: str) -> None:
    described: Any = requests.get(f"{url}/api/openapi.json", timeout=TIMEOUT).json()

    operation = described["paths"]["/api/v1/alerts"]
    assert set(operation) == {"get", "post"}
    schema = operation["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["items"]["required"] == ["labels"]


# The client that the command line uses


def test_the_client_posts(url: str, inbox: Inbox) -> None:
    post_alerts(f"{url}/", TOKEN, ALERTS)

    assert bodies(inbox) == [ALERTS]


def test_the_client_says_what_was_refused(url: str) -> None:
    with pytest.raises(PermanentError, match="answered 401: Send the header"):
        post_alerts(url, None, ALERTS)
    with pytest.raises(PermanentError, match="answered 400: The body must be a JSON list"):
        post_alerts(url, TOKEN, b"[]")
    with pytest.raises(PermanentError, match="answered 404"):
        post_alerts(f"{url}/elsewhere", TOKEN, ALERTS)


def test_the_client_says_that_nobody_answers() -> None:
    with pytest.raises(TemporaryError, match="does not answer"):
        post_alerts("http://127.0.0.1:9", TOKEN, ALERTS)
    with pytest.raises(PermanentError, match="can’t be asked"):
        post_alerts("nowhere", TOKEN, ALERTS)
