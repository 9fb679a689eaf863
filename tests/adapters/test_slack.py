from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.adapters.manifest import slack_manifest
from bot.adapters.slack import SlackChat
from bot.domain.commands import COMMANDS
from bot.domain.errors import NotFound, PermanentError, TemporaryError, TocsinError
from bot.domain.message import Message, MessageRef, Subject, SubjectKind
from bot.ports import Chat
from bot.sandbox.slack import SandboxSlack, slack_app
from tests.support.serve import serve
from tests.support.swap import Swap

TOKEN = "xoxb-test"
INCIDENT = Subject(SubjectKind.INCIDENT, 7)
MESSAGE = Message("P1 checkout", subject=INCIDENT)
START = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)


class Clock:
    """The workspace's time, which a test moves."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Swap, str]]:
    swap = Swap()
    with serve(swap) as url:
        yield swap, url


@pytest.fixture
def workspace(clock: Clock, server: tuple[Swap, str]) -> SandboxSlack:
    swap, url = server
    workspace = SandboxSlack(
        events_url="", base_url=url, signing_secret="unused", bot_token=TOKEN, now=clock.now
    )
    swap.app = slack_app(workspace)
    return workspace


@pytest.fixture
def chat(workspace: SandboxSlack) -> SlackChat:
    return SlackChat(TOKEN, f"{workspace.base_url}/api/")


def test_it_is_a_chat(chat: SlackChat) -> None:
    port: Chat = chat

    assert port.post("#general", MESSAGE).channel == "C00GENERAL"


@pytest.mark.parametrize(
    ("failure", "retry_after", "expected"),
    [
        (429, 30, TemporaryError),
        ("ratelimited", 5, TemporaryError),
        (500, None, TemporaryError),
        (503, 2, TemporaryError),
        ("fatal_error", None, TemporaryError),
        ("internal_error", None, TemporaryError),
        ("service_unavailable", None, TemporaryError),
        ("request_timeout", None, TemporaryError),
        (403, None, TemporaryError),
        ("Received a page", None, TemporaryError),
        ("message_not_found", None, NotFound),
        ("cant_update_message", None, NotFound),
        ("edit_window_closed", None, NotFound),
        ("invalid_auth", None, PermanentError),
        ("channel_not_found", None, PermanentError),
        ("not_in_channel", None, PermanentError),
        ("something_new", None, PermanentError),
    ],
)
def test_what_slack_answers_is_sorted(
    workspace: SandboxSlack,
    chat: SlackChat,
    failure: int | str,
    retry_after: int | None,
    expected: type[TocsinError],
) -> None:
    ref = chat.post("#incidents", MESSAGE)
    workspace.fail_next("chat.update", failure, retry_after)

    with pytest.raises(TocsinError) as raised:
        chat.update(ref, MESSAGE)

    assert type(raised.value) is expected
    assert getattr(raised.value, "retry_after", None) == retry_after
    chat.update(ref, MESSAGE)


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (
            "not_in_channel",
            "Slack refused the call (not_in_channel): invite the bot to the channel.",
        ),
        ("not_authed", "Slack refused the call (not_authed): set SLACK_BOT_TOKEN."),
        ("something_new", "Slack refused the call (something_new)."),
    ],
)
def test_a_refusal_says_the_fix_where_it_is_known(
    workspace: SandboxSlack, chat: SlackChat, failure: str, sentence: str
) -> None:
    workspace.fail_next("chat.postMessage", failure)

    with pytest.raises(PermanentError) as raised:
        chat.post("#incidents", MESSAGE)

    assert str(raised.value) == sentence


def test_nothing_is_tried_twice(workspace: SandboxSlack, chat: SlackChat) -> None:
    workspace.fail_next("chat.postMessage", 500)

    with pytest.raises(TemporaryError):
        chat.post("C0INCIDENTS", MESSAGE)

    assert [call.method for call in workspace.calls] == ["chat.postMessage"]


@pytest.mark.parametrize("retry_after", ["soon", "-1", "1e9", "nan"])
def test_a_retry_after_that_is_no_number_of_seconds_is_ignored(retry_after: str) -> None:
    headers = {"Retry-After": retry_after}
    with answering(lambda: Response("{}", 429, headers)) as url, pytest.raises(TemporaryError) as e:
        SlackChat(TOKEN, url).post("C0INCIDENTS", MESSAGE)

    assert e.value.retry_after is None


@contextmanager
def answering(answer: Callable[[], Response]) -> Iterator[str]:
    """A server that gives the same answer to everything."""

    def endpoint(request: Request) -> Response:
        return answer()

    with serve(Starlette(routes=[Route("/{path:path}", endpoint, methods=["POST"])])) as url:
        yield f"{url}/"


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>Sign in to the Wi-Fi</html>", b"[]", b"{}", b'{"ok": true', b"\xff\xfe{}"],
    ids=["nothing", "a page", "a list", "an empty object", "half an object", "not UTF-8"],
)
def test_what_is_not_slacks_answer_is_temporary(body: bytes) -> None:
    with answering(lambda: Response(body)) as url, pytest.raises(TemporaryError):
        SlackChat(TOKEN, url).post("C0INCIDENTS", MESSAGE)


def test_a_closed_port_is_temporary() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"

        with pytest.raises(TemporaryError, match="Slack did not answer"):
            SlackChat(TOKEN, url).post("C0INCIDENTS", MESSAGE)


def test_a_server_that_never_answers_is_temporary() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"

        with pytest.raises(TemporaryError, match="timed out"):
            SlackChat(TOKEN, url, timeout=1).post("C0INCIDENTS", MESSAGE)


def test_a_connection_that_breaks_is_temporary_and_not_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        server.settimeout(10)
        broken = pool.submit(break_connections, server)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"

        with pytest.raises(TemporaryError, match="Slack did not answer"):
            SlackChat(TOKEN, url).post("C0INCIDENTS", MESSAGE)

        with socket.create_connection(server.getsockname()) as last:
            last.sendall(b"end")
        assert broken.result() == 1


def break_connections(server: socket.socket) -> int:
    """Close every connection after the first bytes, until these are ``end``; how many came."""
    count = 0
    while True:
        connection, _ = server.accept()
        with connection:
            if connection.recv(65_536) == b"end":
                return count
        count += 1


def test_an_address_that_is_not_http_is_permanent() -> None:
    with pytest.raises(PermanentError, match="SLACK_API_URL"):
        SlackChat(TOKEN, "ftp://127.0.0.1/").post("C0INCIDENTS", MESSAGE)


def test_a_proxy_is_not_asked_for_a_slack_on_this_machine(
    workspace: SandboxSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    chat = SlackChat(TOKEN, f"{workspace.base_url}/api/")

    assert chat.post("#incidents", MESSAGE).channel == "C0INCIDENTS"


def test_a_post_whose_answer_was_lost_is_found(workspace: SandboxSlack, chat: SlackChat) -> None:
    workspace.fail_next("chat.postMessage", 502, applied=True)
    with pytest.raises(TemporaryError):
        chat.post("#incidents", MESSAGE)

    found = chat.find("#incidents", INCIDENT, START)

    assert found is not None
    chat.update(found, MESSAGE)


def test_what_was_posted_long_before_is_not_found(chat: SlackChat, clock: Clock) -> None:
    ref = chat.post("#incidents", MESSAGE)

    assert chat.find("#incidents", INCIDENT, START + timedelta(seconds=30)) == ref
    assert chat.find("#incidents", INCIDENT, START + timedelta(minutes=2)) is None


def test_a_message_without_blocks_is_about_nothing(
    workspace: SandboxSlack, chat: SlackChat
) -> None:
    workspace.say("ana", "#incidents", "incident:7")
    client = WebClient(TOKEN, f"{workspace.base_url}/api/")
    client.chat_postMessage(channel="C0INCIDENTS", text="incident:7")

    assert chat.find("#incidents", INCIDENT, START) is None


def test_channel_names_are_looked_up_once(workspace: SandboxSlack, chat: SlackChat) -> None:
    for channel in ("#incidents", "general", "#incidents", "C0INCIDENTS"):
        chat.post(channel, MESSAGE)

    assert [call.method for call in workspace.calls].count("conversations.list") == 1


def test_channel_names_are_looked_up_again_after_a_refusal(
    workspace: SandboxSlack, chat: SlackChat
) -> None:
    chat.post("#incidents", MESSAGE)
    workspace.fail_next("chat.postMessage", "is_archived")
    with pytest.raises(PermanentError):
        chat.post("#incidents", MESSAGE)

    chat.post("#incidents", MESSAGE)

    assert [call.method for call in workspace.calls].count("conversations.list") == 2


def test_links_of_outsiders_are_not_unfurled(workspace: SandboxSlack, chat: SlackChat) -> None:
    chat.post("#incidents", Message("https://example.test/"))

    arguments = workspace.calls[-1].arguments
    assert arguments["unfurl_links"] is False
    assert arguments["unfurl_media"] is False


@pytest.fixture
def response_url(workspace: SandboxSlack) -> str:
    """A response URL that ana's command made; her command itself reached nobody."""
    workspace.command("ana", "#incidents", "/incident", "list")
    (token,) = workspace.dump()["response_urls"]
    return f"{workspace.base_url}/response/{token}"


def test_an_answer_is_for_the_one_who_asked(
    workspace: SandboxSlack, chat: SlackChat, response_url: str
) -> None:
    chat.answer(response_url, Message("Nothing is burning."))

    incidents = workspace.overview()["channels"][0]
    assert incidents["messages"][-1]["text"] == "Nothing is burning."
    assert incidents["messages"][-1]["ephemeral_for"] == "U00000ANA"


def test_a_sixth_answer_is_refused_for_good(chat: SlackChat, response_url: str) -> None:
    for _ in range(5):
        chat.answer(response_url, MESSAGE)

    with pytest.raises(PermanentError, match="five answers within 30 minutes"):
        chat.answer(response_url, MESSAGE)


def test_an_answer_after_half_an_hour_is_refused_for_good(
    chat: SlackChat, response_url: str, clock: Clock
) -> None:
    clock.at += timedelta(minutes=31)

    with pytest.raises(PermanentError, match="five answers within 30 minutes"):
        chat.answer(response_url, MESSAGE)


@pytest.mark.parametrize(("failure", "retry_after"), [(500, None), (429, 9)])
def test_an_answer_may_fail_for_now(
    workspace: SandboxSlack,
    chat: SlackChat,
    response_url: str,
    failure: int,
    retry_after: int | None,
) -> None:
    workspace.fail_next("response_url", failure, retry_after)

    with pytest.raises(TemporaryError) as raised:
        chat.answer(response_url, MESSAGE)

    assert raised.value.retry_after == retry_after


@pytest.mark.parametrize(
    "url",
    [
        "http://example.test/response",
        "http://127.0.0.1@example.test/response",
        "http://[::1",
        "ftp://127.0.0.1/response",
        "file://localhost/etc/passwd",
        "",
    ],
)
def test_an_answer_goes_only_over_https_or_to_this_machine(chat: SlackChat, url: str) -> None:
    with pytest.raises(PermanentError, match="must be https"):
        chat.answer(url, MESSAGE)


def test_a_message_that_is_gone_can_be_posted_anew(chat: SlackChat) -> None:
    with pytest.raises(NotFound, match="no such message"):
        chat.update(MessageRef("C0INCIDENTS", "1.000000"), MESSAGE)


def test_the_manifest_names_where_slack_reaches_tocsin() -> None:
    manifest = slack_manifest("https://tocsin.example.test/", socket_mode=False)

    url = "https://tocsin.example.test/slack/events"
    commands = manifest["features"]["slash_commands"]
    assert {command["command"]: command["url"] for command in commands} == dict.fromkeys(
        COMMANDS, url
    )
    assert manifest["settings"]["interactivity"] == {"is_enabled": True, "request_url": url}
    assert manifest["settings"]["socket_mode_enabled"] is False


def test_the_manifest_for_socket_mode_names_no_url() -> None:
    manifest = slack_manifest("", socket_mode=True)

    assert manifest["settings"]["socket_mode_enabled"] is True
    assert manifest["settings"]["interactivity"] == {"is_enabled": True}
    assert not [command for command in manifest["features"]["slash_commands"] if "url" in command]


def test_the_manifest_asks_for_the_scopes_of_the_calls_that_are_made() -> None:
    scopes = slack_manifest("", socket_mode=True)["oauth_config"]["scopes"]["bot"]

    assert sorted(scopes) == [
        "channels:history",
        "channels:join",
        "channels:read",
        "channels:write.invites",
        "chat:write",
        "chat:write.public",
        "commands",
        "files:write",
        "groups:history",
        "groups:read",
        "groups:write.invites",
        "users:read",
        "users:read.email",
    ]


def test_who_was_found_is_not_asked_for_again(workspace: SandboxSlack, chat: SlackChat) -> None:
    assert chat.user_of("ben@example.test") == "U00000BEN"
    workspace.fail_next("users.lookupByEmail", "fatal_error")
    assert chat.user_of("Ben@Example.test") == "U00000BEN"
    assert [call.method for call in workspace.calls] == ["users.lookupByEmail"]


def test_who_was_not_found_is_asked_for_again(workspace: SandboxSlack, chat: SlackChat) -> None:
    assert chat.user_of("new@example.test") is None
    assert chat.user_of("new@example.test") is None
    assert len(workspace.calls) == 2


@pytest.mark.parametrize(
    ("failure", "expected"),
    [("missing_scope", PermanentError), ("ratelimited", TemporaryError), (500, TemporaryError)],
)
def test_a_lookup_that_fails_is_sorted(
    workspace: SandboxSlack, chat: SlackChat, failure: int | str, expected: type[TocsinError]
) -> None:
    workspace.fail_next("users.lookupByEmail", failure)
    with pytest.raises(expected):
        chat.user_of("ana@example.test")


def test_the_bot_joins_before_it_invites(workspace: SandboxSlack, chat: SlackChat) -> None:
    for who in ("ana", "tocsin"):
        workspace.leave(who, "#incidents")

    assert chat.invite("#incidents", "U00000ANA") is True

    assert [one.method for one in workspace.calls][-3:] == [
        "conversations.invite",
        "conversations.join",
        "conversations.invite",
    ]
    assert chat.invite("#incidents", "U00000ANA") is False


@pytest.mark.parametrize(
    ("method", "code", "says"),
    [
        ("conversations.invite", "missing_scope", "tocsin slack manifest"),
        ("conversations.invite", "cant_invite", "left the workspace"),
        ("conversations.join", "method_not_supported_for_channel_type", "private channel"),
    ],
)
def test_an_invitation_that_is_refused_says_what_to_do(
    workspace: SandboxSlack, chat: SlackChat, method: str, code: str, says: str
) -> None:
    workspace.leave("tocsin" if method == "conversations.join" else "ana", "#incidents")
    workspace.fail_next(method, code)

    with pytest.raises(PermanentError, match=says):
        chat.invite("#incidents", "U00000ANA")
