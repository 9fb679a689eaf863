"""A chat message as a value: what to say, not how a vendor draws it.

All texts are plain and hostile: they may hold anything an alert's label held. The
adapter that turns a `Message` into a vendor's markup escapes them there.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.contact import Mention
from bot.domain.web_link import WebLink


class SubjectKind(StrEnum):
    """What a message can be about."""

    INCIDENT = "incident"
    RUN = "run"
    CALL = "call"
    """Somebody is called about an incident, whose id it has; it is never updated."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The one thing a message is about: a subject has one message, updated in place."""

    kind: SubjectKind
    id: int
    part: str = ""
    """Tells subjects of that kind and id apart, where there are several."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" + (f":{self.part}" if self.part else "")


class ButtonStyle(StrEnum):
    """How loud a button is."""

    DEFAULT = "default"
    PRIMARY = "primary"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press: `action` names the command, `value` its argument."""

    action: str
    value: str
    label: str
    style: ButtonStyle = ButtonStyle.DEFAULT
    confirm: str | None = None
    """The question to ask before the press counts, or None to ask nothing."""


@dataclass(frozen=True, slots=True)
class Field:
    """A short name and its value, shown side by side."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link to a page of Tocsin's own, and what it is called."""

    label: str
    link: WebLink


@dataclass(frozen=True, slots=True)
class Message:
    """A message: headline, facts, body, preformatted lines, buttons, links, small print."""

    headline: str
    fields: tuple[Field, ...] = ()
    body: str = ""
    preformatted: str = ""
    buttons: tuple[Button, ...] = ()
    links: tuple[WebLink, ...] = ()
    footer: str = ""
    subject: Subject | None = None
    """Set on messages that have to be found again; None on answers to one person."""
    mention: Mention | None = None
    """Whom the message calls."""
    mentioned: tuple[str, ...] = ()
    """The chat's ids of those who are on call, where they are known; `Mention.ON_CALL` calls
    them. Ids that are none are not called."""
    pages: tuple[PageLink, ...] = ()
    whole: str = ""
    """Where the preformatted lines stand whole if they have to be cut, such as ``/runs/12``."""


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file to be seen below a message; `title` says what it shows, also to who can't see it."""

    name: str
    title: str
    content: bytes


@dataclass(frozen=True, slots=True)
class MessageRef:
    """Where a message is: the channel's id and the message's own timestamp there."""

    channel: str
    timestamp: str


def digest(message: Message) -> str:
    """What tells two messages apart: SHA-256 over all that they say."""
    return hashlib.sha256(repr(message).encode()).hexdigest()
