"""What is in the sandbox's Slack: people, channels, messages, modals, and what expires."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, Field

from bot.domain.errors import NotFound

BOT_USER = "U0000TOCSIN"
BOT_ID = "B0000TOCSIN"
SLACKBOT = "USLACKBOT"
TEAM_ID = "T0000SANDBOX"
TEAM_DOMAIN = "sandbox"
APP_ID = "A0000TOCSIN"


class User(BaseModel):
    """A person or a bot; `name` is the handle."""

    id: str
    name: str
    real_name: str
    email: str = ""
    is_bot: bool = False


EVERYBODY = ("U00000ANA", "U00000BEN", "U0000CHEN", BOT_USER)


class Channel(BaseModel):
    """A channel; `name` has no ``#``, `members` are ids."""

    id: str
    name: str
    is_private: bool = False
    members: list[str] = list(EVERYBODY)


class PostedFile(BaseModel):
    """A file as a message shows it."""

    id: str
    name: str
    title: str


class Upload(BaseModel):
    """A file on its way into the workspace, or there: its `content` is Base64, once it is sent."""

    id: str
    name: str
    length: int
    content: str | None = None
    shared: bool = False


class Post(BaseModel):
    """A message in a channel; `ephemeral_for` is the one user who sees it, else everybody."""

    ts: str
    user: str
    text: str
    blocks: list[dict[str, Any]] = []
    thread_ts: str | None = None
    edited_ts: str | None = None
    ephemeral_for: str | None = None
    files: list[PostedFile] = []


class ResponseUrl(BaseModel):
    """Lets the app answer an interaction; `ts` is the message that was pressed, if any."""

    channel: str
    user: str
    ts: str | None
    expires_at: datetime
    uses_left: int


class Trigger(BaseModel):
    """Lets the app open one modal for the one who pressed or typed."""

    user: str
    expires_at: datetime
    used: bool = False


class Modal(BaseModel):
    """An open modal."""

    id: str
    user: str
    view: dict[str, Any]


Expiring = TypeVar("Expiring", ResponseUrl, Trigger)

UPLOADS_KEPT = 20
"""The whole state is written to a file with every change."""

REMEMBERED = timedelta(hours=1)
"""How long what has expired is still told apart from what never was."""


class SlackState(BaseModel):
    """Everything, as it is kept in a file; `posts` are by channel id and timestamp."""

    users: dict[str, User]
    channels: dict[str, Channel]
    posts: dict[str, dict[str, Post]] = Field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = Field(default_factory=dict)
    triggers: dict[str, Trigger] = Field(default_factory=dict)
    modals: dict[str, Modal] = Field(default_factory=dict)
    uploads: dict[str, Upload] = Field(default_factory=dict)
    """By id, the newest `UPLOADS_KEPT`; an older one is no longer shown."""
    groups: dict[str, list[str]] = {"sre": ["U00000BEN", "U0000CHEN"]}
    """The ids of those in each user group, by its handle."""
    last_microsecond: int = 0

    def user(self, name_or_id: str) -> User | None:
        """The user of that id or handle."""
        by_name = (user for user in self.users.values() if user.name == name_or_id)
        return self.users.get(name_or_id) or next(by_name, None)

    def channel(self, name_or_id: str) -> Channel | None:
        """The channel of that id or name, with or without ``#``."""
        name = name_or_id.removeprefix("#")
        by_name = (channel for channel in self.channels.values() if channel.name == name)
        return self.channels.get(name_or_id) or next(by_name, None)

    def timestamp(self, now: datetime) -> str:
        """A new message timestamp: seconds since 1970, unique and increasing."""
        self.last_microsecond = max(int(now.timestamp() * 1_000_000), self.last_microsecond + 1)
        seconds, microseconds = divmod(self.last_microsecond, 1_000_000)
        return f"{seconds}.{microseconds:06d}"

    def add(self, channel: str, post: Post) -> Post:
        """Put `post` into the channel of that id."""
        self.posts.setdefault(channel, {})[post.ts] = post
        return post

    def add_upload(self, upload: Upload) -> None:
        """Expect or keep a file, and drop the oldest if there are too many."""
        self.uploads[upload.id] = upload
        for oldest in list(self.uploads)[:-UPLOADS_KEPT]:
            del self.uploads[oldest]

    def post(self, channel: str, ts: str) -> Post | None:
        """The message at `ts` in the channel of that id, ephemeral or not."""
        return self.posts.get(channel, {}).get(ts)

    def person(self, name_or_id: str) -> User:
        """As `user`, for those who act.

        Raises:
            NotFound: there is nobody of that name.
        """
        user = self.user(name_or_id)
        if user is None:
            raise NotFound(f"nobody here is called {name_or_id}")
        return user

    def place(self, name_or_id: str) -> Channel:
        """As `channel`, for where somebody acts.

        Raises:
            NotFound: there is no channel of that name.
        """
        channel = self.channel(name_or_id)
        if channel is None:
            raise NotFound(f"there is no channel {name_or_id}")
        return channel

    def visible_post(self, channel: str, ts: str, user: str) -> Post:
        """The message at `ts`, if that user sees it.

        Raises:
            NotFound: there is none.
        """
        post = self.post(channel, ts)
        if post is None or post.ephemeral_for not in (None, user):
            raise NotFound(f"there is no message at {ts}")
        return post

    def open_modal(self, view_id: str, user: str) -> Modal:
        """The modal that is open before that user.

        Raises:
            NotFound: there is none.
        """
        modal = self.modals.get(view_id)
        if modal is None or modal.user != user:
            raise NotFound(f"there is no open modal {view_id}")
        return modal

    def newest_first(self, channel: str) -> Iterator[Post]:
        """The channel's messages that everybody sees."""
        posts = reversed(self.posts.get(channel, {}).values())
        return (post for post in posts if post.ephemeral_for is None)

    def forget_expired(self, now: datetime) -> None:
        """Drop the response URLs and triggers that expired a while ago."""
        self.response_urls = _remembered(self.response_urls, now)
        self.triggers = _remembered(self.triggers, now)


def _remembered(tokens: dict[str, Expiring], now: datetime) -> dict[str, Expiring]:
    return {key: token for key, token in tokens.items() if token.expires_at > now - REMEMBERED}


def seeded() -> SlackState:
    """A workspace with three people, Tocsin's bot and two channels."""
    users = [
        User(id="U00000ANA", name="ana", real_name="Ana Lopez", email="ana@example.test"),
        User(id="U00000BEN", name="ben", real_name="Ben Okafor", email="ben@example.test"),
        User(id="U0000CHEN", name="chen", real_name="Chen Wei", email="chen@example.test"),
        User(id=BOT_USER, name="tocsin", real_name="Tocsin", is_bot=True),
        User(id=SLACKBOT, name="slackbot", real_name="Slackbot", is_bot=True),
    ]
    channels = [
        Channel(id="C0INCIDENTS", name="incidents"),
        Channel(id="C00GENERAL", name="general"),
    ]
    return SlackState(
        users={user.id: user for user in users},
        channels={channel.id: channel for channel in channels},
    )
