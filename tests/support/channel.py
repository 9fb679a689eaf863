"""The incidents channel as people see and use it, in the stand-in for Slack."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack import SandboxSlack

CHANNEL = "#incidents"


@dataclass(frozen=True)
class Shown:
    """A message: all that it says, as people read it and as Slack has it, and its buttons."""

    ts: str
    subject: str
    text: str
    blocks: list[dict[str, Any]]
    buttons: Mapping[str, tuple[str, str]]
    """Action and value by label."""


class Channel:
    """What is in #incidents, and what ana, ben and chen do there."""

    def __init__(self, workspace: SandboxSlack) -> None:
        self.workspace = workspace

    def messages(self) -> list[Shown]:
        """The messages that everybody sees, oldest first."""
        return [_shown(post) for post in self._posts() if post["ephemeral_for"] is None]

    def message(self, subject: str) -> Shown:
        """The one message about ``incident:1`` or ``run:1``."""
        (found,) = (one for one in self.messages() if one.subject == subject)
        return found

    def answers(self, who: str) -> list[str]:
        """What was said to that one only, oldest first."""
        users = {user["id"]: user["name"] for user in self.workspace.overview()["users"]}
        return [_shown(one).text for one in self._posts() if users.get(one["ephemeral_for"]) == who]

    def click(self, who: str, label: str, subject: str) -> None:
        """Press the button with that label on the message about `subject`."""
        message = self.message(subject)
        action, value = message.buttons[label]
        answer = self.workspace.click(who, CHANNEL, message.ts, action, value)
        assert answer == {"ok": True}, answer

    def command(self, who: str, line: str) -> str:
        """Type a slash command; what is answered at once."""
        command, _, words = line.partition(" ")
        answer = self.workspace.command(who, CHANNEL, command, words)
        assert answer["ok"], answer
        return _text(answer["answer"]["blocks"])

    def delete(self, subject: str) -> None:
        """Delete a message, as its author or an admin can."""
        state = self.workspace.dump()
        ts = self.message(subject).ts
        for posts in state["posts"].values():
            posts.pop(ts, None)
        self.workspace.load(state)

    def _posts(self) -> list[dict[str, Any]]:
        channels = self.workspace.overview()["channels"]
        (posts,) = (one["messages"] for one in channels if f"#{one['name']}" == CHANNEL)
        return list(posts)


def _shown(post: Mapping[str, Any]) -> Shown:
    blocks = post["blocks"]
    return Shown(
        ts=post["ts"],
        subject=blocks[0].get("block_id", "") if blocks else "",
        text=_text(blocks),
        blocks=blocks,
        buttons={
            element["text"]["text"]: (element["action_id"], element["value"])
            for block in blocks
            if block["type"] == "actions"
            for element in block["elements"]
        },
    )


def _text(blocks: object) -> str:
    return html.unescape("\n".join(_texts(blocks)))


def _texts(value: object) -> Iterator[str]:
    """All texts in Block Kit, in the order in which they are shown."""
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name == "text" and isinstance(one, str):
                yield one
            else:
                yield from _texts(one)
