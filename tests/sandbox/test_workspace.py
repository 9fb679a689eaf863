"""The workspace page over real HTTP: what it shows, does, and refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bot.adapters.slack import SlackChat
from bot.domain.message import Button, Message, MessageRef
from bot.sandbox.addresses import SandboxAddresses
from bot.sandbox.assembly import SandboxParts
from bot.sandbox.slack.state import seeded
from tests.support.tocsin import SECRET, Workspace, workspace

COMMAND = {"user": "ana", "channel": "incidents", "text": "/incident  list all"}
ALERT = {"sample": "service-down", "status": "firing"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with workspace(tmp_path_factory.mktemp("workspace") / "sandbox.json") as running:
        yield running


@pytest.fixture
def served(running: Workspace) -> Workspace:
    """The workspace, as nothing had happened in it yet."""
    running.sandbox.stand_ins.alertmanager.load({})
    assert running.sandbox.stand_ins.slack is not None
    running.sandbox.stand_ins.slack.load(seeded().model_dump())
    running.receiver.forget()
    return running


def post(served: Workspace, action: str, body: Any, **headers: str) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx2.post(
        f"{served.page}workspace/{action}",
        content=content,
        headers={"Content-Type": "application/json"} | headers,
    )


def incidents(served: Workspace) -> list[dict[str, Any]]:
    shown = httpx2.get(f"{served.page}workspace/state").json()
    messages: list[dict[str, Any]] = shown["slack"]["channels"][0]["messages"]
    return messages


def announced(served: Workspace) -> MessageRef:
    where = SandboxAddresses(served.url, SECRET)
    buttons = (Button("ack", "7", "Acknowledge"), Button("resolve", "7", "Resolve"))
    chat = SlackChat(where.slack_token, where.slack_api_url)
    return chat.post("#incidents", Message("It is down", buttons=buttons))


# What is shown


@pytest.mark.parametrize("path", ["", "static/workspace.js", "static/base.css", "workspace/state"])
def test_every_part_of_the_page_comes_with_the_security_headers(
    served: Workspace, path: str
) -> None:
    answer = httpx2.get(served.page + path)

    assert answer.status_code == 200
    policy = [rule.strip() for rule in answer.headers["content-security-policy"].split(";")]
    assert policy[0] == "default-src 'self'"
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_the_page_has_nothing_inline_and_nothing_from_elsewhere(served: Workspace) -> None:
    html = httpx2.get(served.page).text

    assert "SANDBOX" in html
    assert "<script>" not in html
    assert "<style" not in html
    assert " style=" not in html
    assert "//" not in html.replace("<!--", "")


def test_the_page_offers_every_sample_alert(served: Workspace) -> None:
    html = httpx2.get(served.page).text

    assert all(f'value="{id}"' in html for id in served.sandbox.stand_ins.alertmanager.overview())


# What is done


def test_a_command_reaches_tocsin_and_its_answer_the_channel(served: Workspace) -> None:
    answer = post(served, "command", COMMAND)

    assert answer.json()["ok"] is True
    (command,) = served.receiver.commands
    assert (command["command"], command["text"]) == ("/incident", "list all")
    assert (command["user_name"], command["channel_name"]) == ("ana", "incidents")
    (message,) = incidents(served)
    assert message["text"] == "Understood."
    assert message["ephemeral_for"] == command["user_id"]


def test_words_that_are_no_command_are_a_message(served: Workspace) -> None:
    post(served, "command", COMMAND | {"text": "  I am on it  "})

    (message,) = incidents(served)
    assert (message["text"], message["ephemeral_for"]) == ("I am on it", None)
    assert served.receiver.commands == []


def test_a_press_reaches_tocsin(served: Workspace) -> None:
    ref = announced(served)
    pressed = {"user": "ben", "channel": ref.channel, "ts": ref.timestamp, "action_id": "resolve"}

    assert post(served, "click", pressed | {"value": "7"}).json() == {"ok": True}

    (press,) = served.receiver.presses
    assert press["user"]["name"] == "ben"
    assert [action["action_id"] for action in press["actions"]] == ["resolve"]


def test_a_command_that_tocsin_does_not_take_is_reported(tmp_path: Path) -> None:
    with workspace(tmp_path / "sandbox.json") as served:
        assert served.sandbox.stand_ins.slack is not None
        served.sandbox.stand_ins.slack.events_url = f"{served.url}/nowhere"

        answer = post(served, "command", COMMAND)

        assert answer.json() == {"ok": False, "error": "dispatch_failed"}


# What is refused


@pytest.mark.parametrize(
    ("action", "body", "sentence"),
    [
        ("command", b"{", "The body: Invalid JSON"),
        ("command", b"\xff", "The body: Invalid JSON"),
        ("command", [], "The body: Input should be an object"),
        ("command", {**COMMAND, "user": 7}, "user: Input should be a valid string"),
        ("command", {**COMMAND, "text": " "}, "text: String should have at least 1 character"),
        ("command", {**COMMAND, "text": "x" * 3_001}, "text: String should have at most 3000"),
        ("command", {**COMMAND, "more": 1}, "more: Extra inputs are not permitted"),
        ("command", {**COMMAND, "user": "eve"}, "nobody here is called eve"),
        ("command", {**COMMAND, "channel": "x"}, "there is no channel x"),
        ("command", b"x" * 70_000, "The body must have at most 65,536 bytes"),
        ("click", {}, "user: Field required"),
        (
            "click",
            {"user": "ana", "channel": "incidents", "ts": "1", "action_id": "x"},
            "there is no message at 1",
        ),
        (
            "page",
            {"incident_id": "Q1", "action": "acknowledge", "user": "ana"},
            "PagerDuty has no incident Q1",
        ),
        (
            "page",
            {"incident_id": "Q1", "action": "escalate", "user": "ana"},
            "action: Input should be 'acknowledge' or 'resolve'",
        ),
        ("alert", {"sample": "service-down", "status": "x"}, "status: Input should be 'firing'"),
    ],
)
def test_bad_input_is_refused_with_one_sentence(
    served: Workspace, action: str, body: Any, sentence: str
) -> None:
    answer = post(served, action, body)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(sentence)


def test_a_real_vendor_can_not_be_acted_for(tmp_path: Path) -> None:
    parts = SandboxParts(slack=False, pagerduty=False)
    with workspace(tmp_path / "sandbox.json", parts) as served:
        page = {"incident_id": "Q1", "action": "resolve", "user": "ana"}

        refused = [post(served, "command", COMMAND), post(served, "page", page)]

        assert [answer.status_code for answer in refused] == [400, 400]
        assert refused[0].json() == {"error": "Slack is the real one; do it there."}
        assert refused[1].json() == {"error": "PagerDuty is the real one; do it there."}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "127.8.9.1"])
def test_this_machine_is_let_in_by_each_of_its_names(served: Workspace, host: str) -> None:
    port = served.url.rpartition(":")[2]
    own = {"Host": f"{host}:{port}", "Origin": f"http://{host}:{port}"}

    assert post(served, "alert", ALERT, **own).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example",
        "127.0.0.1.example",
        "127.0.0.1@rebound.example",
        "localhost.example:9655",
        "192.168.0.7",
        "0.0.0.0",
        "[::",
        "",
    ],
)
@pytest.mark.parametrize("path", ["", "workspace/state", "workspace/alert", "kubernetes/api/v1"])
def test_another_name_for_this_machine_is_refused(served: Workspace, host: str, path: str) -> None:
    method = "POST" if path.endswith("alert") else "GET"
    answer = httpx2.request(method, served.page + path, json=ALERT, headers={"Host": host})

    assert answer.status_code == 403
    assert answer.json()["error"].startswith("The sandbox is for this machine only; open http")
    assert served.receiver.alerts == []


@pytest.mark.parametrize(
    "origin",
    ["https://elsewhere.example", "null", "http://localhost:1", "http://127.0.0.1", "x", ""],
)
@pytest.mark.parametrize("action", ["command", "click", "page", "alert"])
def test_another_web_page_is_refused(served: Workspace, action: str, origin: str) -> None:
    answer = post(served, action, ALERT, Origin=origin)

    assert answer.status_code == 403
    assert answer.json() == {"error": "The sandbox takes no requests from other web pages."}
    assert served.receiver.alerts == []


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"]
)
def test_what_a_form_could_send_is_refused(served: Workspace, content_type: str) -> None:
    answer = post(served, "alert", ALERT, **{"Content-Type": content_type})

    assert answer.status_code == 403
    assert served.receiver.alerts == []


def test_json_with_a_charset_is_json(served: Workspace) -> None:
    content_type = {"Content-Type": "Application/JSON; charset=utf-8"}

    assert post(served, "alert", ALERT, **content_type).status_code == 200


@pytest.mark.parametrize("action", ["command", "click", "page", "alert"])
def test_reading_does_nothing(served: Workspace, action: str) -> None:
    assert httpx2.get(f"{served.page}workspace/{action}").status_code == 405
