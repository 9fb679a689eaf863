from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from slack_bolt import App
from slack_bolt.adapter.starlette import SlackRequestHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import Clock as SignatureClock
from slack_sdk.signature import SignatureVerifier
from slack_sdk.webhook import WebhookClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.adapters.blocks import render
from bot.domain.errors import NotFound
from bot.domain.message import Button, ButtonStyle, Field, Message, Subject, SubjectKind
from bot.sandbox.slack import SandboxSlack, slack_app
from tests.support.serve import serve
from tests.support.swap import Swap

TOKEN = "xoxb-test"
SECRET = "signing secret"


class Clock:
    """The workspace's time: the real one (bolt checks signatures by it), moved by a test."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Swap, str, Swap, str]]:
    """Slack's server and the app's."""
    slack, app = Swap(), Swap()
    with serve(slack) as slack_url, serve(app) as app_url:
        yield slack, slack_url, app, app_url


@pytest.fixture
def workspace(clock: Clock, servers: tuple[Swap, str, Swap, str]) -> SandboxSlack:
    slack, slack_url, app, app_url = servers
    workspace = SandboxSlack(
        events_url=f"{app_url}/slack/events",
        base_url=slack_url,
        signing_secret=SECRET,
        bot_token=TOKEN,
        now=clock.now,
    )
    slack.app, app.app = slack_app(workspace), Starlette()
    return workspace


@pytest.fixture
def client(workspace: SandboxSlack) -> WebClient:
    return WebClient(TOKEN, f"{workspace.base_url}/api/", retry_handlers=[])


@pytest.fixture
def bolt(client: WebClient, servers: tuple[Swap, str, Swap, str]) -> App:
    """A slack-bolt app that the workspace's events reach."""
    app = App(client=client, token=TOKEN, signing_secret=SECRET)
    handler = SlackRequestHandler(app)

    async def events(request: Request) -> Response:
        return await handler.handle(request)

    servers[2].app = Starlette(routes=[Route("/slack/events", events, methods=["POST"])])
    return app


def messages(workspace: SandboxSlack) -> list[dict[str, Any]]:
    """What is in #incidents."""
    return list(workspace.overview()["channels"][0]["messages"])


def error_of(call: Callable[[], object]) -> str:
    with pytest.raises(SlackApiError) as refused:
        call()
    return str(refused.value.response["error"])


# The way in.


def test_a_command_reaches_a_bolt_app(workspace: SandboxSlack, bolt: App) -> None:
    seen: dict[str, Any] = {}

    @bolt.command("/incident")
    def incident(ack: Any, command: dict[str, Any]) -> None:
        seen.update(command)
        ack("Nothing is burning.")

    result = workspace.command("ana", "#incidents", "/incident", "list & <all>")

    assert result == {"ok": True, "answer": {"text": "Nothing is burning."}}
    assert seen["text"] == "list & <all>"
    assert (seen["user_id"], seen["user_name"]) == ("U00000ANA", "ana")
    assert (seen["channel_id"], seen["channel_name"]) == ("C0INCIDENTS", "incidents")
    (answer,) = messages(workspace)
    assert (answer["text"], answer["ephemeral_for"]) == ("Nothing is burning.", "U00000ANA")


def test_an_answer_may_be_for_everybody(workspace: SandboxSlack, bolt: App) -> None:
    bolt.command("/incident")(lambda ack: ack(text="Hello.", response_type="in_channel"))

    workspace.command("ben", "incidents", "/incident")

    assert messages(workspace)[0]["ephemeral_for"] is None


def test_a_command_can_be_answered_later(workspace: SandboxSlack, bolt: App) -> None:
    @bolt.command("/incident")
    def incident(ack: Any, respond: Any) -> None:
        ack()
        respond("Done.")

    assert workspace.command("ana", "#incidents", "/incident") == {"ok": True, "answer": None}
    wait_for(lambda: messages(workspace))
    assert messages(workspace)[0]["text"] == "Done."
    assert messages(workspace)[0]["ephemeral_for"] == "U00000ANA"


def wait_for(condition: Callable[[], object]) -> None:
    """bolt acknowledges first and works on in a thread."""
    deadline = datetime.now(UTC) + timedelta(seconds=10)
    while not condition():
        assert datetime.now(UTC) < deadline


def test_an_answer_that_slack_would_refuse_is_refused(workspace: SandboxSlack, bolt: App) -> None:
    bolt.command("/incident")(lambda ack: ack(text="x", blocks=[{"type": "unheard-of"}]))

    assert workspace.command("ana", "#incidents", "/incident")["error"] == "invalid_blocks"


def test_a_command_that_nobody_answers_failed(workspace: SandboxSlack, bolt: App) -> None:
    result = workspace.command("ana", "#incidents", "/nobody")

    assert result == {"ok": False, "error": "dispatch_failed"}
    (complaint,) = messages(workspace)
    assert complaint["text"] == "/nobody failed with the error 'dispatch_failed'"
    assert complaint["ephemeral_for"] == "U00000ANA"


def test_an_app_that_is_down_has_failed(workspace: SandboxSlack) -> None:
    workspace.events_url = "http://127.0.0.1:9/slack/events"

    assert workspace.command("ana", "#incidents", "/incident")["error"] == "dispatch_failed"


POST_WITH_BUTTONS = Message(
    "P1 checkout",
    buttons=(
        Button("ack", "7", "Acknowledge", ButtonStyle.PRIMARY),
        Button("run", "a", "Restart"),
        Button("run", "b", "Roll back"),
    ),
    subject=Subject(SubjectKind.INCIDENT, 7),
)


@pytest.fixture
def posted(client: WebClient) -> str:
    blocks, text = render(POST_WITH_BUTTONS)
    return str(client.chat_postMessage(channel="#incidents", text=text, blocks=blocks)["ts"])


def test_a_pressed_button_reaches_a_bolt_app(
    workspace: SandboxSlack, bolt: App, posted: str
) -> None:
    seen: dict[str, Any] = {}

    @bolt.action("run")
    def run(ack: Any, body: dict[str, Any]) -> None:
        seen.update(body)
        ack()

    assert workspace.click("ben", "#incidents", posted, "run", "b") == {"ok": True}

    (action,) = seen["actions"]
    assert (action["action_id"], action["value"], action["type"]) == ("run", "b", "button")
    assert action["block_id"] in [block["block_id"] for block in seen["message"]["blocks"]]
    assert seen["message"]["ts"] == seen["container"]["message_ts"] == posted
    assert seen["user"]["id"] == "U00000BEN"
    assert seen["channel"] == {"id": "C0INCIDENTS", "name": "incidents"}


def test_without_a_value_the_first_button_of_the_action_is_pressed(
    workspace: SandboxSlack, bolt: App, posted: str
) -> None:
    seen: list[str] = []

    @bolt.action("run")
    def run(ack: Any, action: dict[str, Any]) -> None:
        seen.append(action["value"])
        ack()

    workspace.click("ben", "#incidents", posted, "run")

    assert seen == ["a"]


def test_a_press_may_replace_or_delete_its_message(
    workspace: SandboxSlack, bolt: App, posted: str
) -> None:
    @bolt.action("run")
    def run(ack: Any, action: dict[str, Any], respond: Any) -> None:
        if action["value"] == "a":
            respond(text="replaced", blocks=render(POST_WITH_BUTTONS)[0], replace_original=True)
        else:
            respond(delete_original=True)
        ack()

    workspace.click("ana", "#incidents", posted, "run", "a")
    assert [(post["ts"], post["text"]) for post in messages(workspace)] == [(posted, "replaced")]

    workspace.click("ana", "#incidents", posted, "run", "b")
    assert messages(workspace) == []


@pytest.mark.parametrize(
    ("user", "channel", "action", "value"),
    [
        ("ana", "#incidents", "resolve", None),
        ("ana", "#incidents", "ack", "8"),
        ("ana", "#general", "ack", "7"),
        ("nobody", "#incidents", "ack", "7"),
        ("ana", "#nowhere", "ack", "7"),
    ],
)
def test_what_is_not_there_cannot_be_pressed(
    workspace: SandboxSlack, posted: str, user: str, channel: str, action: str, value: str | None
) -> None:
    with pytest.raises(NotFound):
        workspace.click(user, channel, posted, action, value)


def test_only_the_one_who_sees_a_message_can_press_on_it(
    workspace: SandboxSlack, client: WebClient, bolt: App
) -> None:
    bolt.action("ack")(lambda ack: ack())
    blocks, text = render(POST_WITH_BUTTONS)
    ts = client.chat_postEphemeral(
        channel="#incidents", user="U00000ANA", text=text, blocks=blocks
    )["message_ts"]

    assert workspace.click("ana", "#incidents", ts, "ack") == {"ok": True}
    with pytest.raises(NotFound):
        workspace.click("ben", "#incidents", ts, "ack")


MODAL = {
    "type": "modal",
    "callback_id": "plan",
    "private_metadata": "restart",
    "title": {"type": "plain_text", "text": "Restart"},
    "submit": {"type": "plain_text", "text": "Plan"},
    "blocks": [
        {
            "type": "input",
            "block_id": "workload",
            "label": {"type": "plain_text", "text": "Deployment"},
            "element": {"type": "plain_text_input", "action_id": "name"},
        },
        {
            "type": "input",
            "block_id": "pace",
            "label": {"type": "plain_text", "text": "Pace"},
            "element": {
                "type": "static_select",
                "action_id": "choice",
                "options": [
                    {"text": {"type": "plain_text", "text": word}, "value": word}
                    for word in ("slow", "fast")
                ],
            },
        },
    ],
}


@pytest.fixture
def modal(workspace: SandboxSlack, bolt: App) -> str:
    """A modal that the app opened for ana."""

    @bolt.command("/restart")
    def restart(ack: Any, command: dict[str, Any], client: WebClient) -> None:
        client.views_open(trigger_id=command["trigger_id"], view=MODAL)
        ack()

    workspace.command("ana", "#incidents", "/restart")
    (modal,) = workspace.overview()["modals"]
    return str(modal["id"])


def test_a_submitted_modal_reaches_a_bolt_app_and_closes(
    workspace: SandboxSlack, bolt: App, modal: str
) -> None:
    seen: dict[str, Any] = {}

    @bolt.view("plan")
    def plan(ack: Any, view: dict[str, Any]) -> None:
        seen.update(view)
        ack()

    entered = {"workload": {"name": "checkout"}, "pace": {"choice": "fast"}}
    assert workspace.submit_view("ana", modal, entered) == {"ok": True, "answer": {}}

    values = seen["state"]["values"]
    assert values["workload"]["name"] == {"type": "plain_text_input", "value": "checkout"}
    assert values["pace"]["choice"]["selected_option"]["value"] == "fast"
    assert seen["private_metadata"] == "restart"
    assert workspace.overview()["modals"] == []


def test_a_modal_with_errors_stays_open(workspace: SandboxSlack, bolt: App, modal: str) -> None:
    errors = {"workload": "There is no such Deployment."}
    bolt.view("plan")(lambda ack: ack(response_action="errors", errors=errors))

    result = workspace.submit_view("ana", modal, {})

    assert result["answer"] == {"response_action": "errors", "errors": errors}
    assert [open["id"] for open in workspace.overview()["modals"]] == [modal]


def test_a_modal_may_change(workspace: SandboxSlack, bolt: App, modal: str) -> None:
    changed = {**MODAL, "title": {"type": "plain_text", "text": "Sure?"}, "blocks": []}
    bolt.view("plan")(lambda ack: ack(response_action="update", view=changed))

    workspace.submit_view("ana", modal, {})

    (open_modal,) = workspace.overview()["modals"]
    assert open_modal["view"]["title"]["text"] == "Sure?"


def test_a_modal_is_one_persons(workspace: SandboxSlack, modal: str) -> None:
    with pytest.raises(NotFound):
        workspace.submit_view("ben", modal, {})
    with pytest.raises(NotFound):
        workspace.close_view("ben", modal)

    workspace.close_view("ana", modal)

    assert workspace.overview()["modals"] == []


def test_requests_are_signed_as_slack_signs_them(
    workspace: SandboxSlack, clock: Clock, servers: tuple[Swap, str, Swap, str]
) -> None:
    arrived: list[tuple[dict[str, str], bytes]] = []

    async def events(request: Request) -> Response:
        arrived.append((dict(request.headers), await request.body()))
        return PlainTextResponse("")

    servers[2].app = Starlette(routes=[Route("/slack/events", events, methods=["POST"])])
    clock.ahead = timedelta(days=400)

    workspace.command("chen", "#general", "/incident", "note 7 Bücher <b>")

    ((headers, body),) = arrived
    assert SignatureVerifier(SECRET, Ahead(clock)).is_valid_request(body, headers)
    assert not SignatureVerifier("another", Ahead(clock)).is_valid_request(body, headers)
    assert parse_qs(body.decode())["text"] == ["note 7 Bücher <b>"]


class Ahead(SignatureClock):
    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def now(self) -> float:
        return self.clock.now().timestamp()


# The Web API. What it shares with every Slack is in tests/contract/test_slack.py.


@pytest.mark.parametrize(
    ("headers", "body", "error"),
    [
        ({}, {"channel": "#incidents", "text": "x"}, "not_authed"),
        ({"Authorization": "Basic xoxb"}, {"channel": "#incidents"}, "not_authed"),
        ({"Authorization": "Bearer xoxb-wrong"}, {"channel": "#incidents"}, "invalid_auth"),
        ({}, {"token": TOKEN, "channel": "#incidents", "text": "x"}, None),
        ({"Authorization": f"bearer {TOKEN}"}, {"channel": "#incidents", "text": "x"}, None),
    ],
)
@pytest.mark.parametrize("kind", ["json", "data", "params"])
def test_arguments_and_token_are_taken_as_slack_takes_them(
    workspace: SandboxSlack, headers: dict[str, str], body: Any, error: str | None, kind: str
) -> None:
    url = f"{workspace.base_url}/api/chat.postMessage"

    answer = httpx2.post(url, headers=headers, **{kind: body}).json()

    assert (answer["ok"], answer.get("error")) == (error is None, error)


@pytest.mark.parametrize("body", ["[]", "{", "\xff"])
def test_a_json_body_that_is_no_object_is_refused(workspace: SandboxSlack, body: str) -> None:
    url = f"{workspace.base_url}/api/chat.postMessage"

    answer = httpx2.post(url, content=body, headers={"Content-Type": "application/json"})

    assert answer.json() == {"ok": False, "error": "invalid_json"}


def test_an_unknown_method_is_refused(client: WebClient) -> None:
    assert error_of(lambda: client.api_call("chat.shout")) == "unknown_method"


def text(words: str, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": kind, "text": words}


def button(**changes: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": "a", "text": text("Press"), **changes}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


@pytest.mark.parametrize(
    "blocks",
    [
        [{"type": "unheard-of"}],
        [{"type": "header", "text": text("x" * 151)}],
        [{"type": "header", "text": text("")}],
        [{"type": "header", "text": text("x", "mrkdwn")}],
        [{"type": "section"}],
        [{"type": "section", "text": text("x" * 3_001)}],
        [{"type": "section", "text": text("x"), "unheard_of": 1}],
        [{"type": "section", "fields": [text("x")] * 11}],
        [{"type": "section", "fields": [text("x" * 2_001)]}],
        [{"type": "context", "elements": []}],
        [{"type": "divider", "block_id": "x" * 256}],
        [{"type": "divider", "block_id": "same"}, {"type": "divider", "block_id": "same"}],
        [{"type": "divider"}] * 51,
        [actions()],
        [actions(*(button(action_id=f"a{number}") for number in range(26)))],
        [actions(button(), button())],
        [actions(button(text=text("x" * 76)))],
        [actions(button(text=text("x", "mrkdwn")))],
        [actions(button(value="x" * 2_001))],
        [actions(button(action_id="x" * 256))],
        [actions(button(style="loud"))],
        [actions(button(confirm={"title": text("x")}))],
        "none",
        [1],
        {"type": "divider"},
    ],
)
def test_blocks_that_slack_refuses_are_refused(client: WebClient, blocks: Any) -> None:
    given = {"channel": "#incidents", "text": "x", "blocks": json.dumps(blocks)}

    with pytest.raises(SlackApiError) as refused:
        client.api_call("chat.postMessage", json=given)

    assert refused.value.response["error"] == "invalid_blocks"
    (message, *_) = refused.value.response["response_metadata"]["messages"]
    assert "[json-pointer:/blocks" in message


def test_all_blocks_together_have_a_limit(client: WebClient) -> None:
    blocks = [{"type": "section", "text": text("x" * 3_000)}] * 5

    error = error_of(lambda: client.chat_postMessage(channel="#incidents", text="x", blocks=blocks))

    assert error == "msg_blocks_too_long"


def test_what_the_app_left_unnamed_is_given_names(client: WebClient) -> None:
    unnamed = [{"type": "divider"}, actions(button(action_id="a"), {**button(), "action_id": "b"})]
    del unnamed[1]["elements"][0]["action_id"]

    posted = client.chat_postMessage(channel="#incidents", text="x", blocks=unnamed)["message"]

    assert all(block["block_id"] for block in posted["blocks"])
    assert len({element["action_id"] for element in posted["blocks"][1]["elements"]}) == 2


def test_history_has_bounds_and_pages(client: WebClient) -> None:
    stamps = [client.chat_postMessage(channel="#incidents", text="x")["ts"] for _ in range(5)]
    client.chat_postMessage(channel="#incidents", text="reply", thread_ts=stamps[0])

    def history(**bounds: Any) -> list[str]:
        pages = client.conversations_history(channel="C0INCIDENTS", limit=2, **bounds)
        return [message["ts"] for page in pages for message in page["messages"]]

    assert history() == stamps[::-1]
    assert history(oldest=stamps[1]) == stamps[:1:-1]
    assert history(oldest=stamps[1], latest=stamps[3], inclusive=True) == stamps[3:0:-1]


@pytest.mark.parametrize(
    ("bounds", "error"),
    [
        ({"oldest": "yesterday"}, "invalid_ts_oldest"),
        ({"latest": "NaN"}, "invalid_ts_latest"),
        ({"limit": 0}, "invalid_limit"),
        ({"limit": 1_001}, "invalid_limit"),
        ({"cursor": "unheard-of"}, "invalid_cursor"),
    ],
)
def test_bounds_that_are_none_are_refused(
    client: WebClient, bounds: dict[str, Any], error: str
) -> None:
    call = client.conversations_history

    assert error_of(lambda: call(channel="C0INCIDENTS", **bounds)) == error


def test_people_and_channels_are_seeded(client: WebClient) -> None:
    users = {user["name"]: user["real_name"] for user in client.users_list()["members"]}
    channels = [channel["name"] for channel in client.conversations_list()["channels"]]

    assert users.items() >= {"ana": "Ana Lopez", "tocsin": "Tocsin"}.items()
    assert {"ben", "chen"} <= users.keys()
    assert channels == ["incidents", "general"]
    assert client.conversations_info(channel="C00GENERAL")["channel"]["is_member"] is True


@pytest.fixture
def trigger(workspace: SandboxSlack) -> str:
    """What ana's command let the app do; the command itself reached nobody."""
    workspace.command("ana", "#incidents", "/restart")
    (trigger,) = workspace.dump()["triggers"]
    return str(trigger)


def test_a_trigger_opens_one_modal(client: WebClient, trigger: str) -> None:
    opened = client.views_open(trigger_id=trigger, view=MODAL)["view"]

    assert opened["callback_id"] == "plan"
    assert error_of(lambda: client.views_open(trigger_id=trigger, view=MODAL)) == (
        "exchanged_trigger_id"
    )


def test_a_trigger_lives_three_seconds(client: WebClient, trigger: str, clock: Clock) -> None:
    clock.ahead = timedelta(seconds=4)

    assert error_of(lambda: client.views_open(trigger_id=trigger, view=MODAL)) == (
        "expired_trigger_id"
    )


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (MODAL, "invalid `trigger_id`"),
        ({**MODAL, "title": text("x" * 25)}, "json-pointer:/title"),
        ({**MODAL, "blocks": [{"type": "unheard-of"}]}, "json-pointer:/blocks/0"),
        ({"type": "home", "blocks": []}, "json-pointer:/type"),
    ],
)
def test_a_modal_that_slack_refuses_is_refused(
    client: WebClient, view: dict[str, Any], message: str
) -> None:
    with pytest.raises(SlackApiError) as refused:
        client.views_open(trigger_id="1.2", view=view)

    assert refused.value.response["error"] == "invalid_arguments"
    assert message in str(refused.value.response["response_metadata"]["messages"])


def test_a_message_for_one_person_cannot_be_updated(client: WebClient) -> None:
    ts = client.chat_postEphemeral(channel="#incidents", user="U00000ANA", text="x")["message_ts"]

    assert error_of(lambda: client.chat_update(channel="C0INCIDENTS", ts=ts, text="y")) == (
        "message_not_found"
    )


def test_timestamps_grow_however_many_call_at_once(client: WebClient) -> None:
    def post(_: int) -> str:
        return str(client.chat_postMessage(channel="#incidents", text="x")["ts"])

    with ThreadPoolExecutor(8) as pool:
        stamps = list(pool.map(post, range(40)))

    assert len(set(stamps)) == 40


# Response URLs.


@pytest.fixture
def webhook(workspace: SandboxSlack) -> WebhookClient:
    workspace.command("ana", "#incidents", "/incident")
    (token,) = workspace.dump()["response_urls"]
    return WebhookClient(f"{workspace.base_url}/response/{token}")


def test_a_response_url_serves_five_times(webhook: WebhookClient) -> None:
    answers = [webhook.send(text="x") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert answers[0].body == "ok"
    assert json.loads(answers[5].body)["error"] == "used_url"


def test_a_response_url_serves_for_thirty_minutes(webhook: WebhookClient, clock: Clock) -> None:
    clock.ahead = timedelta(minutes=29)
    assert webhook.send(text="x").status_code == 200

    clock.ahead = timedelta(minutes=31)
    answer = webhook.send(text="x")
    assert (answer.status_code, json.loads(answer.body)["error"]) == (404, "expired_url")


def test_an_answer_that_is_none_uses_nothing_up(
    webhook: WebhookClient, workspace: SandboxSlack
) -> None:
    assert json.loads(webhook.send(text="").body)["error"] == "no_text"
    assert httpx2.post(webhook.url, content="[]").text == "invalid_payload"

    (url,) = workspace.dump()["response_urls"].values()
    assert url["uses_left"] == 5


# Faults, the ledger, and what is kept.


def test_a_fault_comes_as_often_as_ordered(workspace: SandboxSlack, client: WebClient) -> None:
    workspace.fail_next("auth.test", "fatal_error", times=2)

    assert error_of(client.auth_test) == "fatal_error"
    assert error_of(client.auth_test) == "fatal_error"
    assert client.auth_test()["user_id"] == "U0000TOCSIN"


def test_a_status_comes_with_its_header(workspace: SandboxSlack, client: WebClient) -> None:
    workspace.fail_next("auth.test", 429, retry_after=30)

    with pytest.raises(SlackApiError) as refused:
        client.auth_test()

    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "30"
    assert refused.value.response["error"] == "ratelimited"


def test_a_call_that_fails_takes_effect_only_when_told_so(
    workspace: SandboxSlack, client: WebClient
) -> None:
    for applied in (False, True):
        workspace.fail_next("chat.postMessage", 500, applied=applied)
        with pytest.raises(SlackApiError):
            client.chat_postMessage(channel="#incidents", text=str(applied))

    assert [message["text"] for message in messages(workspace)] == ["True"]


def test_every_call_is_in_the_ledger(workspace: SandboxSlack, client: WebClient) -> None:
    workspace.fail_next("auth.test", 500)
    with pytest.raises(SlackApiError):
        client.auth_test()
    client.chat_postMessage(channel="#incidents", text="x")

    assert [call.method for call in workspace.calls] == ["auth.test", "chat.postMessage"]
    assert workspace.calls[1].arguments["channel"] == "#incidents"
    assert "token" not in workspace.calls[1].arguments


def test_what_is_dumped_can_be_loaded(workspace: SandboxSlack, posted: str, clock: Clock) -> None:
    workspace.command("ana", "#incidents", "/incident")
    dumped = json.loads(json.dumps(workspace.dump()))
    other = SandboxSlack(
        events_url="", base_url="", signing_secret="x", bot_token=TOKEN, now=clock.now
    )

    other.load(dumped)

    assert other.dump() == workspace.dump()
    assert other.overview() == workspace.overview()
    assert other.say("ana", "#incidents", "x") > posted


def test_the_overview_shows_the_newest_messages(workspace: SandboxSlack) -> None:
    for word in ("one", "two", "three"):
        workspace.say("ben", "#incidents", word)

    incidents = workspace.overview(newest=2)["channels"][0]

    assert incidents["name"] == "incidents"
    assert [message["text"] for message in incidents["messages"]] == ["two", "three"]
    assert [message["user"] for message in incidents["messages"]] == ["U00000BEN"] * 2


def test_what_tocsin_draws_is_taken(client: WebClient) -> None:
    blocks, words = render(
        Message(
            "<" * 200,
            fields=tuple(Field("name", "&" * 500) for _ in range(20)),
            body="b" * 5_000,
            preformatted="`" * 5_000,
            buttons=tuple(Button("a", str(number), "x" * 99, confirm="?") for number in range(5)),
            footer="f" * 900,
            subject=Subject(SubjectKind.RUN, 1),
        )
    )

    assert client.chat_postMessage(channel="#incidents", text=words, blocks=blocks)["ok"]
