"""The `Chat` port on Slack's Web API.

Retry lives elsewhere: the clients here have no retry handlers, and `slack_errors`
sorts whatever goes wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from bot.adapters.blocks import render
from bot.adapters.slack_errors import slack_errors, sorted_error
from bot.adapters.slack_files import share_files, shared_names
from bot.domain.errors import PermanentError
from bot.domain.message import Message, MessageRef, SharedFile, Subject

CLOCK_SKEW = timedelta(minutes=1)
"""How far Slack's clock, which stamps the messages, may be behind ours."""

_PAGE = 200
_CHANNEL_PAGE = 1_000
"""Entries a page; Slack's own maximum is 1,000 (docs.slack.dev/apis/web-api/pagination)."""

_INVITED = ""
_NOT_THERE_ITSELF = "not_in_channel"
_THERE = ("already_in_channel", "cant_invite_self")
"""What conversations.invite answers: it is done; the bot is not a member; nobody is missing
(docs.slack.dev/reference/methods/conversations.invite, "Errors")."""

_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{8,}")


def web_client(token: str, base_url: str | None, timeout: int) -> WebClient:
    """A client of the Web API; `timeout` in seconds.

    The SDK takes a proxy from the environment and heeds no NO_PROXY; a `base_url` on
    this machine is called directly.
    """
    client = WebClient(token, base_url or WebClient.BASE_URL, timeout=timeout, retry_handlers=[])
    if is_loopback(client.base_url):
        client.proxy = None
    return client


def is_loopback(url: str) -> bool:
    """Whether `url` leads to this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class SlackChat:
    """Slack as the place where people work the incident (`bot.ports.Chat`).

    Channels are given by name (``#incidents``) or id. Names are looked up once, and again
    after Slack refused something: the name may lead to another channel by then.
    """

    def __init__(self, token: str, base_url: str | None = None, timeout: int = 10) -> None:
        self._client = web_client(token, base_url, timeout)
        self._timeout = timeout
        self._channels: dict[str, str] = {}
        self._users: dict[str, str] = {}
        self._own_user = ""

    def post(self, channel: str, message: Message) -> MessageRef:
        blocks, text = render(message)
        with self._calling():
            posted = self._client.chat_postMessage(
                channel=self._channel_id(channel),
                blocks=blocks,
                text=text,
                unfurl_links=False,
                unfurl_media=False,
            )
            return MessageRef(posted["channel"], posted["ts"])

    def update(self, ref: MessageRef, message: Message) -> None:
        """Replace the message that stands at `ref`.

        Raises:
            NotFound: it is gone or not the bot's; post anew.
        """
        blocks, text = render(message)
        with self._calling():
            self._client.chat_update(
                channel=ref.channel, ts=ref.timestamp, blocks=blocks, text=text
            )

    def find(self, channel: str, subject: Subject, since: datetime) -> MessageRef | None:
        with self._calling():
            channel_id = self._channel_id(channel)
            for message in self._history(channel_id, since - CLOCK_SKEW):
                if message.get("user") == self._user() and _is_about(message, subject):
                    return MessageRef(channel_id, message["ts"])
        return None

    def share(self, ref: MessageRef, comment: str, files: Sequence[SharedFile]) -> None:
        with self._calling():
            share_files(self._client, ref, comment, files)

    def shared(self, ref: MessageRef) -> frozenset[str]:
        with self._calling():
            return shared_names(self._client, ref, self._user())

    def answer(self, response_url: str, message: Message) -> None:
        """Answer a slash command or a press, to the one who gave it.

        Raises:
            PermanentError: also when `response_url` is neither https nor on this machine.
        """
        if not _is_safe(response_url):
            raise PermanentError("Slack's response_url must be https.")
        blocks, text = render(message)
        with slack_errors():
            answered = self._webhook(response_url).send(
                text=text, blocks=blocks, response_type="ephemeral", replace_original=False
            )
        if answered.status_code != HTTPStatus.OK:
            body = _webhook_error(answered.body)
            raise sorted_error(answered.status_code, answered.headers, body)

    def invite(self, channel: str, user: str) -> bool:
        with self._calling():
            channel_id = self._channel_id(channel)
            outcome = self._invited(channel_id, user)
            if outcome == _NOT_THERE_ITSELF:
                self._client.conversations_join(channel=channel_id)
                outcome = self._invited(channel_id, user)
            return outcome == _INVITED

    def _invited(self, channel_id: str, user: str) -> str:
        """What Slack says of it: `_INVITED`, or the code of a refusal that is no error."""
        try:
            self._client.conversations_invite(channel=channel_id, users=user)
        except SlackApiError as error:
            code = str(error.response.get("error"))
            if code in (_NOT_THERE_ITSELF, *_THERE):
                return code
            raise
        return _INVITED

    def members_of(self, handles: Collection[str]) -> Mapping[str, frozenset[str]]:
        with slack_errors():
            listed = self._client.usergroups_list(include_users=True)["usergroups"]
        known = {f"@{group['handle']}": frozenset(group.get("users", ())) for group in listed}
        return {handle: known.get(handle, frozenset()) for handle in handles}

    def user_of(self, email: str) -> str | None:
        """The id of whoever has that e-mail address; who was found once is not asked for again."""
        address = email.strip().lower()
        if not address:
            return None
        if address not in self._users:
            found = self._look_up(address)
            if found is None:
                return None
            self._users[address] = found
        return self._users[address]

    def _look_up(self, address: str) -> str | None:
        with slack_errors():
            try:
                return str(self._client.users_lookupByEmail(email=address)["user"]["id"])
            except SlackApiError as error:
                if error.response.get("error") == "users_not_found":
                    return None
                raise

    def whoami(self) -> str:
        """The bot's name and workspace, when Slack accepts the token."""
        with slack_errors():
            answer = self._client.auth_test()
        return f"{answer['user']} in {answer['team']}"

    @contextmanager
    def _calling(self) -> Iterator[None]:
        try:
            with slack_errors():
                yield
        except PermanentError:
            self._channels = {}
            raise

    def _webhook(self, url: str) -> WebhookClient:
        client = WebhookClient(url, timeout=self._timeout, retry_handlers=[])
        if is_loopback(url):
            client.proxy = None
        return client

    def _history(self, channel_id: str, oldest: datetime) -> Iterator[dict[str, Any]]:
        """The channel's messages from `oldest` on, newest first."""
        pages = self._client.conversations_history(
            channel=channel_id, oldest=f"{oldest.timestamp():.6f}", inclusive=True, limit=_PAGE
        )
        for page in pages:
            yield from page["messages"]

    def _channel_id(self, channel: str) -> str:
        if _CHANNEL_ID.fullmatch(channel):
            return channel
        name = channel.removeprefix("#")
        if name not in self._channels:
            self._channels = self._list_channels()
        if name not in self._channels:
            raise PermanentError(
                f"Slack shows the bot no channel #{name}: create it, or invite the bot to it."
            )
        return self._channels[name]

    def _list_channels(self) -> dict[str, str]:
        pages = self._client.conversations_list(
            types="public_channel,private_channel", exclude_archived=True, limit=_CHANNEL_PAGE
        )
        return {channel["name"]: channel["id"] for page in pages for channel in page["channels"]}

    def _user(self) -> str:
        """The bot's own user id."""
        if not self._own_user:
            self._own_user = self._client.auth_test()["user_id"]
        return self._own_user


def _is_safe(response_url: str) -> bool:
    encrypted = response_url.startswith("https://")
    return encrypted or (response_url.startswith("http://") and is_loopback(response_url))


def _is_about(message: dict[str, Any], subject: Subject) -> bool:
    blocks = message.get("blocks") or [{}]
    return bool(blocks[0].get("block_id") == str(subject))


def _webhook_error(body: str) -> object:
    """What a response_url answered: JSON, or the bare error code."""
    try:
        return json.loads(body)
    except ValueError:
        return {"error": body.strip()}
