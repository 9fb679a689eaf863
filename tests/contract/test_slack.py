"""One contract for every Slack: the sandbox's and emulate's (npm, pinned in emulate/).

emulate knows only the Web API: no slash commands, no interactivity, no response URLs.
Where the two differ, Slack's documentation decides, and the sandbox follows it:

- emulate takes every bearer token for its first user's, so only a missing one is wrong there;
- emulate checks no blocks, and gives none the `block_id` that it was sent without;
- emulate ignores `oldest` and `latest` in conversations.history, and an unknown cursor;
- emulate takes a channel's name without ``#`` only, the sandbox both forms;
- emulate has no `bot_id` in messages, and a 404 where Slack says ``unknown_method``;
- emulate says ``invalid_trigger_id`` where Slack says ``invalid_arguments``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.adapters.blocks import render
from bot.adapters.slack import SlackChat
from bot.domain.errors import NotFound, PermanentError
from bot.domain.message import (
    Button,
    ButtonStyle,
    Field,
    Message,
    MessageRef,
    SharedFile,
    Subject,
    SubjectKind,
)
from bot.sandbox.slack import SandboxSlack, slack_app
from tests.support.emulate import emulated_slack
from tests.support.serve import serve

TOKEN = "xoxb-contract"
ANAS_TOKEN = "xoxp-ana"
SINCE = datetime.now(UTC) - timedelta(minutes=1)
INCIDENT = Subject(SubjectKind.INCIDENT, 7)
Blocks = list[dict[str, Any]]


@dataclass(frozen=True)
class Slack:
    """A Slack to hold to the contract."""

    api_url: str
    wrong_token: str
    say: Callable[[str, str, Blocks], str]
    """Write a text, with blocks, as Ana in the channel of that id; the message's timestamp."""
    leave: Callable[[str], object]
    """Let Ana leave the channel of that id."""

    @property
    def client(self) -> WebClient:
        return WebClient(TOKEN, self.api_url, retry_handlers=[])

    @property
    def chat(self) -> SlackChat:
        return SlackChat(TOKEN, self.api_url)


@contextmanager
def stand_in() -> Iterator[Slack]:
    workspace = SandboxSlack(
        events_url="",
        base_url="",
        signing_secret="unused",
        bot_token=TOKEN,
        now=lambda: datetime.now(UTC),
    )

    def say(channel: str, text: str, blocks: Blocks) -> str:
        return workspace.say("ana", channel, text, blocks)

    with serve(slack_app(workspace)) as url:
        workspace.base_url = url
        yield Slack(f"{url}/api/", "xoxb-wrong", say, lambda one: workspace.leave("ana", one))


@contextmanager
def emulate() -> Iterator[Slack]:
    bot = {"bot_user_id": "U0000TOCSIN", "bot_id": "B0000TOCSIN"}
    seed = {
        "users": [{"name": "ana", "real_name": "Ana Lopez", "email": "ana@example.test"}],
        "channels": [{"name": "incidents"}],
        "oauth_apps": [
            {
                "client_id": "1.1",
                "client_secret": "unused",
                "name": "Tocsin",
                "redirect_uris": [],
                "bot_name": "tocsin",
                **bot,
            }
        ],
        "tokens": [
            {"token": TOKEN, "user_id": bot["bot_user_id"], "bot_id": bot["bot_id"]},
            {"token": ANAS_TOKEN, "user": "ana"},
        ],
    }
    with emulated_slack(seed) as url:
        ana = WebClient(ANAS_TOKEN, f"{url}/api/", retry_handlers=[])

        def say(channel: str, text: str, blocks: Blocks) -> str:
            return str(ana.chat_postMessage(channel=channel, text=text, blocks=blocks)["ts"])

        def leave(channel: str) -> None:
            ana.conversations_leave(channel=channel)

        yield Slack(f"{url}/api/", "", say, leave)


@pytest.fixture(scope="module", params=[stand_in, emulate], ids=["stand-in", "emulate"])
def slack(request: pytest.FixtureRequest) -> Iterator[Slack]:
    with ExitStack() as stack:
        yield stack.enter_context(request.param())


def message_at(slack: Slack, ref: MessageRef) -> dict[str, Any]:
    history = slack.client.conversations_history(channel=ref.channel, limit=1_000)
    (message,) = [message for message in history["messages"] if message["ts"] == ref.timestamp]
    return dict(message)


def holds(whole: Any, part: Any) -> bool:
    """Whether `part` is in `whole`; Slack adds keys of its own to what it is given."""
    if isinstance(part, dict):
        return all(key in whole and holds(whole[key], value) for key, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(holds, whole, part))
    return bool(whole == part)


def test_a_posted_message_stands_in_the_channel_as_it_was_sent(slack: Slack) -> None:
    message = Message(
        "P1 checkout <!channel>",
        fields=(Field("Service", "a & b"),),
        body="No rule knows this.",
        preformatted="pod-1\npod-2",
        buttons=(Button("ack", "7", "Acknowledge", ButtonStyle.PRIMARY, confirm="Sure?"),),
        footer="policy 3f2a",
        subject=Subject(SubjectKind.INCIDENT, 1),
    )
    blocks, text = render(message)

    posted = message_at(slack, slack.chat.post("#incidents", message))

    assert posted["text"] == text
    assert holds(posted["blocks"], blocks)
    assert posted["user"] == slack.client.auth_test()["user_id"]


def test_every_message_has_a_timestamp_of_its_own(slack: Slack) -> None:
    chat = slack.chat

    timestamps = [chat.post("#incidents", Message("x")).timestamp for _ in range(20)]

    assert sorted(set(timestamps)) == timestamps


def test_an_update_replaces_the_message_where_it_stands(slack: Slack) -> None:
    chat = slack.chat
    ref = chat.post("#incidents", Message("triggered", body="old", subject=INCIDENT))
    replacement = Message("resolved", subject=INCIDENT)

    chat.update(ref, replacement)

    blocks, text = render(replacement)
    updated = message_at(slack, ref)
    assert updated["text"] == text
    assert holds(updated["blocks"], blocks)
    assert updated["edited"]["user"] == updated["user"]


def test_an_update_of_a_missing_message_is_not_found(slack: Slack) -> None:
    channel = slack.chat.post("#incidents", Message("x")).channel

    with pytest.raises(NotFound):
        slack.chat.update(MessageRef(channel, "1700000000.000001"), Message("x"))


def test_an_update_of_somebody_elses_message_is_not_found(slack: Slack) -> None:
    channel = slack.chat.post("#incidents", Message("x")).channel
    timestamp = slack.say(channel, "I am looking", [])

    with pytest.raises(NotFound):
        slack.chat.update(MessageRef(channel, timestamp), Message("x"))


def test_a_message_is_found_by_its_subject(slack: Slack) -> None:
    subject = Subject(SubjectKind.RUN, 40)
    ref = slack.chat.post("#incidents", Message("x", subject=subject))
    slack.chat.post("#incidents", Message("x", subject=Subject(SubjectKind.RUN, 41)))

    assert slack.chat.find("#incidents", subject, SINCE) == ref
    assert slack.chat.find(ref.channel, subject, SINCE) == ref
    assert slack.chat.find("#incidents", Subject(SubjectKind.RUN, 4), SINCE) is None
    assert slack.chat.find("#general", subject, SINCE) is None


def test_only_the_bots_own_message_is_found(slack: Slack) -> None:
    message = Message("x", subject=Subject(SubjectKind.RUN, 60))
    blocks, text = render(message)
    channel = slack.chat.post("#incidents", Message("x")).channel
    slack.say(channel, text, blocks)

    assert slack.chat.find("#incidents", Subject(SubjectKind.RUN, 60), SINCE) is None


def test_a_message_is_found_behind_many_others(slack: Slack) -> None:
    subject = Subject(SubjectKind.RUN, 50)
    ref = slack.chat.post("#incidents", Message("x", subject=subject))
    client = slack.client
    for number in range(201):
        client.chat_postMessage(channel=ref.channel, text=str(number))

    assert slack.chat.find("#incidents", subject, SINCE) == ref


@pytest.mark.parametrize("channel", ["#nowhere", "C0NOWHERE0"])
def test_an_unknown_channel_is_a_permanent_error(slack: Slack, channel: str) -> None:
    with pytest.raises(PermanentError, match="invite the bot"):
        slack.chat.post(channel, Message("x"))
    with pytest.raises(PermanentError, match="invite the bot"):
        slack.chat.find(channel, INCIDENT, SINCE)


def test_a_wrong_token_is_a_permanent_error(slack: Slack) -> None:
    chat = SlackChat(slack.wrong_token, slack.api_url)

    with pytest.raises(PermanentError, match="SLACK_BOT_TOKEN"):
        chat.post("#incidents", Message("x"))


def test_people_are_found_by_email(slack: Slack) -> None:
    found = slack.client.users_lookupByEmail(email="ana@example.test")["user"]

    assert found["name"] == "ana"
    assert found["real_name"] == "Ana Lopez"
    assert found["profile"]["email"] == "ana@example.test"
    assert slack.client.users_info(user=found["id"])["user"]["name"] == "ana"


def test_the_chat_knows_people_by_their_email(slack: Slack) -> None:
    ana = slack.client.users_lookupByEmail(email="ana@example.test")["user"]["id"]

    assert slack.chat.user_of(" Ana@Example.test") == ana
    assert slack.chat.user_of("nobody@example.test") is None
    assert slack.chat.user_of("") is None


def test_who_is_not_in_the_channel_is_invited(slack: Slack) -> None:
    ana = slack.client.users_lookupByEmail(email="ana@example.test")["user"]["id"]
    channel = slack.chat.post("#incidents", Message("x")).channel
    slack.leave(channel)
    assert ana not in slack.client.conversations_members(channel=channel)["members"]

    assert slack.chat.invite(channel, ana) is True

    assert ana in slack.client.conversations_members(channel=channel)["members"]
    assert slack.chat.invite("#incidents", ana) is False


def test_the_bot_itself_need_not_be_invited(slack: Slack) -> None:
    bot = slack.client.auth_test()["user_id"]

    assert slack.chat.invite("#incidents", bot) is False


def test_who_is_not_in_the_workspace_can_not_be_invited(slack: Slack) -> None:
    with pytest.raises(PermanentError, match="user_not_found"):
        slack.chat.invite("#incidents", "U0NOBODY00")


def test_an_unknown_email_is_nobodys(slack: Slack) -> None:
    with pytest.raises(SlackApiError) as refused:
        slack.client.users_lookupByEmail(email="nobody@example.test")

    assert refused.value.response["error"] == "users_not_found"


def test_a_message_to_one_person_is_not_in_the_history(slack: Slack) -> None:
    channel = slack.chat.post("#incidents", Message("x")).channel
    ana = slack.client.users_lookupByEmail(email="ana@example.test")["user"]["id"]

    posted = slack.client.chat_postEphemeral(channel=channel, user=ana, text="for you")

    history = slack.client.conversations_history(channel=channel, limit=1_000)["messages"]
    assert posted["message_ts"] not in [message["ts"] for message in history]


CPU = SharedFile("cpu.png", "Graph of CPU <!channel>: 1 line.", b"\x89PNG\r\n\x1a\ncpu")
MEMORY = SharedFile("memory.png", "Graph of memory.", b"\x89PNG\r\n\x1a\nmemory")


def test_files_are_shared_in_one_reply_below_the_message(slack: Slack) -> None:
    ref = slack.chat.post("#incidents", Message("x"))
    assert slack.chat.shared(ref) == frozenset()

    slack.chat.share(ref, "Graphs of <!channel>", [CPU, MEMORY])

    assert slack.chat.shared(ref) == {"cpu.png", "memory.png"}
    thread = slack.client.conversations_replies(channel=ref.channel, ts=ref.timestamp)
    first, reply = thread["messages"]
    assert first["ts"] == ref.timestamp
    assert reply["thread_ts"] == ref.timestamp
    assert reply["text"] == "Graphs of &lt;!channel&gt;"
    assert [file["title"] for file in reply["files"]] == [CPU.title, MEMORY.title]


def test_what_others_share_in_the_thread_is_not_the_bots(slack: Slack) -> None:
    ref = slack.chat.post("#incidents", Message("x"))
    other = slack.chat.post("#incidents", Message("y"))

    slack.chat.share(other, "Graphs", [CPU])

    assert slack.chat.shared(ref) == frozenset()


def test_files_can_not_be_shared_below_a_message_of_no_channel(slack: Slack) -> None:
    with pytest.raises(PermanentError, match="channel_not_found"):
        slack.chat.share(MessageRef("C0NOWHERE0", "1700000000.000001"), "Graphs", [CPU])
