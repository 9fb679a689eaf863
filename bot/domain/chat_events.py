"""What can happen to the message of an incident, and to who reads it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MessagePosted:
    """The incident's message stands in this chat channel."""

    channel: str


@dataclass(frozen=True, slots=True)
class OnCallInvited:
    """These people are on call, and were invited to the channel of the incident's message."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InvitationRefused:
    """The chat does not let us invite them, and why; said once for each reason."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """The chat will not take the message; a person has to look at the configuration."""

    reason: str


ChatEvent = MessagePosted | OnCallInvited | InvitationRefused | MessageRefused
