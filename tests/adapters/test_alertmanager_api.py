"""Alertmanager's API: real Alertmanagers, and servers that answer wrongly."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from bot.adapters import alertmanager_member
from bot.adapters.alertmanager import parse_delivery
from bot.adapters.alertmanager_api import AlertmanagerApi
from bot.domain.alert import fingerprint_of
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.matcher import Matcher, Operator, Place
from bot.domain.observation import State
from tests.support.alertmanager import Alertmanager, alertmanager
from tests.support.installation import TIMEOUT
from tests.support.waiting import eventually

NOWHERE = "http://127.0.0.1:9"
LABELS = {"alertname": "DiskFull", "namespace": "payments", "instance": "db-1"}
OTHERS = {**LABELS, "instance": "db-2"}


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Alertmanager]:
    with alertmanager(tmp_path, NOWHERE) as running:
        yield running


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Alertmanager, Alertmanager]]:
    """Two that know nothing of each other."""
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    with alertmanager(folders[0], NOWHERE) as a, alertmanager(folders[1], NOWHERE) as b:
        yield a, b


def states(api: AlertmanagerApi) -> Mapping[str, State]:
    return {sighting.alert.fingerprint: sighting.state for sighting in api.alerts().alerts}


def label(name: str, operator: Operator, value: str) -> Matcher:
    pattern = re.compile(value) if operator in (Operator.MATCHES, Operator.NOT_MATCHES) else None
    return Matcher(Place.LABEL, name, operator, value, pattern)


DB_1 = (
    label("alertname", Operator.EQUAL, "DiskFull"),
    label("instance", Operator.MATCHES, "db-(1|3)"),
    label("namespace", Operator.NOT_EQUAL, "search"),
    label("team", Operator.NOT_MATCHES, "x.*"),
)


def silence(api: AlertmanagerApi, ends_at: datetime, *matchers: Matcher) -> str:
    return api.silence(matchers or DB_1, datetime.now(UTC), ends_at, "ana via Tocsin", "MW-1: disk")


def in_an_hour() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


def silences(url: str) -> list[Any]:
    found: list[Any] = requests.get(f"{url}/api/v2/silences", timeout=TIMEOUT).json()
    return [one for one in found if one["status"]["state"] != "expired"]


# Alerts


def test_what_fires_is_seen_as_it_is(one: Alertmanager) -> None:
    one.fire(LABELS, "disk full")

    observation = eventually(AlertmanagerApi([one.url]).alerts, lambda seen: seen.alerts)

    (sighting,) = observation.alerts
    assert (sighting.state, sighting.receivers) == (State.ACTIVE, frozenset({"tocsin"}))
    assert sighting.alert.fingerprint == fingerprint_of(LABELS)
    assert (sighting.alert.labels, sighting.alert.summary) == (LABELS, "disk full")
    assert sighting.alert.ends_at is None
    # The API has milliseconds where the webhook has all digits.
    assert timedelta(0) <= one.began - sighting.alert.starts_at < timedelta(milliseconds=1)
    (member,) = observation.members
    assert (member.url, member.problem) == (one.url, "")
    assert member.up_for is not None
    assert timedelta(seconds=-1) <= member.up_for < timedelta(minutes=2)


def test_webhook_and_api_give_an_alert_the_same_fingerprint(tmp_path: Path) -> None:
    with (
        _server(lambda *_: (200, b"{}")) as (receiver, bodies),
        alertmanager(tmp_path, receiver) as real,
    ):
        real.fire(LABELS, "disk full")
        body = eventually(lambda: bodies[:1])[0]
        (seen,) = AlertmanagerApi([real.url]).alerts().alerts

    (delivered,) = parse_delivery(body).alerts
    assert delivered.fingerprint == seen.alert.fingerprint
    assert delivered.labels == seen.alert.labels


def test_what_is_resolved_is_gone(one: Alertmanager) -> None:
    api = AlertmanagerApi([one.url])
    one.fire(LABELS, "disk full")
    eventually(lambda: states(api))

    one.resolve(LABELS, "disk full")

    eventually(lambda: states(api), lambda seen: not seen)


def test_of_several_members_what_any_has_is_seen(two: tuple[Alertmanager, Alertmanager]) -> None:
    a, b = two
    a.fire(LABELS, "disk full")
    b.fire(OTHERS, "disk full")
    api = AlertmanagerApi([a.url, b.url])

    seen = eventually(lambda: states(api), lambda found: len(found) == 2)

    assert set(seen) == {fingerprint_of(LABELS), fingerprint_of(OTHERS)}


def test_a_member_that_does_not_answer_is_named_and_hides_nothing(one: Alertmanager) -> None:
    one.fire(LABELS, "disk full")
    api = AlertmanagerApi([NOWHERE, one.url])
    eventually(lambda: states(api))

    dead, alive = api.alerts().members

    assert dead.problem.startswith(f"{NOWHERE} does not answer")
    assert (dead.up_for, alive.problem) == (None, "")


# Silences


def test_a_silence_covers_what_all_its_matchers_match(one: Alertmanager) -> None:
    api = AlertmanagerApi([one.url])
    one.fire(LABELS, "disk full")
    one.fire(OTHERS, "disk full")
    eventually(lambda: states(api), lambda seen: len(seen) == 2)

    silence_id = silence(api, in_an_hour())

    wanted = {fingerprint_of(LABELS): State.SUPPRESSED, fingerprint_of(OTHERS): State.ACTIVE}
    eventually(lambda: states(api), lambda seen: seen == wanted)
    (made,) = silences(one.url)
    assert (made["id"], made["createdBy"]) == (silence_id, "ana via Tocsin")
    assert made["comment"] == "MW-1: disk"

    api.expire_silence(silence_id)
    eventually(lambda: states(api), lambda seen: set(seen.values()) == {State.ACTIVE})
    assert silences(one.url) == []


def test_a_silence_asked_for_twice_is_made_once(one: Alertmanager) -> None:
    api = AlertmanagerApi([one.url])
    until = in_an_hour()

    assert silence(api, until) == silence(api, until, *reversed(DB_1))
    assert silence(api, until + timedelta(hours=1)) != silence(api, until)

    assert len(silences(one.url)) == 2


def test_a_silence_that_was_ended_is_made_anew(one: Alertmanager) -> None:
    api = AlertmanagerApi([one.url])
    until = in_an_hour()
    first = silence(api, until)
    api.expire_silence(first)

    assert silence(api, until) != first
    assert len(silences(one.url)) == 1


def test_members_that_know_nothing_of_each_other_are_all_silenced(
    two: tuple[Alertmanager, Alertmanager],
) -> None:
    api = AlertmanagerApi([one.url for one in two])

    silence_id = silence(api, in_an_hour())

    assert [len(silences(one.url)) for one in two] == [1, 1]
    api.expire_silence(silence_id)
    assert [silences(one.url) for one in two] == [[], []]


def test_ending_a_silence_twice_or_one_that_is_not_there_is_no_error(one: Alertmanager) -> None:
    api = AlertmanagerApi([one.url])
    silence_id = silence(api, in_an_hour())

    for gone in (silence_id, silence_id, "11111111-1111-1111-1111-111111111111"):
        api.expire_silence(gone)


def test_a_silence_that_alertmanager_refuses_says_why(one: Alertmanager) -> None:
    wrong = Matcher(Place.LABEL, "a", Operator.MATCHES, "[")

    with pytest.raises(PermanentError, match=r"answered 400: .*regular expression"):
        silence(AlertmanagerApi([one.url]), in_an_hour(), wrong)


# Servers that answer wrongly


Reply = Callable[[str, str, Mapping[str, str]], tuple[int, bytes]]


@contextmanager
def _server(reply: Reply) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers as told; yields its URL and the bodies that it gets."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            status, body = reply(self.command, self.path, dict(self.headers))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815  (the library's names)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "error", "says"),
    [
        (500, b'"out of memory"', TemporaryError, "answered 500: out of memory"),
        (503, b"", TemporaryError, "answered 503: Service Unavailable"),
        (429, b"slow down", TemporaryError, "answered 429: slow down"),
        (401, b"{}", PermanentError, "answered 401: Unauthorized"),
        (400, b'{"code": 1, "message": "bad"}', PermanentError, "answered 400: bad"),
        (302, b"", PermanentError, "answered 302"),
        (404, b"", PermanentError, "answered 404: Not Found"),
        (200, b"", PermanentError, "not Alertmanager's API"),
        (200, b"<html>", PermanentError, "not Alertmanager's API"),
        (200, b"{}", PermanentError, "not Alertmanager's API"),
        (200, b"\xff", PermanentError, "not Alertmanager's API"),
        (200, b'[{"labels":' + b"[" * 100_000, PermanentError, "not Alertmanager's API"),
        (200, b'[{"fingerprint": 3}]', PermanentError, "not Alertmanager's API"),
    ],
)
def test_a_wrong_answer_is_an_error_of_its_kind(
    status: int, body: bytes, error: type[Exception], says: str
) -> None:
    with _server(lambda *_: (status, body)) as (url, _), pytest.raises(error, match=says):
        AlertmanagerApi([url]).alerts()


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alertmanager_member, "MAX_ANSWER", 100_000)

    with (
        _server(lambda *_: (200, b"[" + b" " * 200_000 + b"]")) as (url, _),
        pytest.raises(PermanentError, match="more than 100,000 bytes"),
    ):
        AlertmanagerApi([url]).alerts()


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    hanging = threading.Event()

    def reply(*_: object) -> tuple[int, bytes]:
        hanging.wait(20)
        return 200, b"[]"

    with _server(reply) as (url, _):
        with pytest.raises(TemporaryError, match="does not answer"):
            AlertmanagerApi([url], timeout=0.2).alerts()
        hanging.set()


@pytest.mark.parametrize("url", ["", "am:9093", "http://", "http://[::1", "ftp://am", "http://a b"])
def test_what_is_no_address_says_so(url: str) -> None:
    with pytest.raises(PermanentError):
        AlertmanagerApi([url]).alerts()


def test_an_error_worth_repeating_wins_over_one_that_is_not() -> None:
    with _server(lambda *_: (401, b"")) as (url, _), pytest.raises(TemporaryError):
        AlertmanagerApi([url, NOWHERE]).alerts()


def test_user_and_password_are_sent_and_never_shown() -> None:
    seen: list[Mapping[str, str]] = []

    def reply(_method: str, _path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        seen.append(headers)
        return 403, b""

    with _server(reply) as (url, _):
        api = AlertmanagerApi([url.replace("//", "//ana:s%40cret@") + "/prefix/"])
        with pytest.raises(PermanentError) as refused:
            api.alerts()

    assert seen[0]["Authorization"] == "Basic YW5hOnNAY3JldA=="
    assert "cret" not in str(refused.value)
    dead = AlertmanagerApi(["http://ana:secret@127.0.0.1:9"])
    with pytest.raises(TemporaryError) as silent:
        dead.alerts()
    assert "secret" not in str(silent.value)


def test_a_pairs_members_are_silenced_once() -> None:
    peers = [{"name": "A"}, {"name": "B"}]
    posts: list[str] = []

    def member(name: str) -> Reply:
        def reply(method: str, path: str, _headers: Mapping[str, str]) -> tuple[int, bytes]:
            if method == "POST":
                posts.append(name)
                return 200, b'{"silenceID": "7"}'
            if path.endswith("/status"):
                cluster = {"name": name, "status": "ready", "peers": peers}
                status = {"cluster": cluster, "uptime": "2026-01-01T00:00:00Z"}
                return 200, msgspec.json.encode(status)
            return 200, b"[]"

        return reply

    with _server(member("A")) as (a, _), _server(member("B")) as (b, _):
        assert silence(AlertmanagerApi([a, b]), in_an_hour()) == "7"

    assert posts == ["A"]
