"""What Slack sends to an app when a person types a command, presses or submits.

Shapes: docs.slack.dev/interactivity/implementing-slash-commands, and .../reference/
interaction-payloads (block_actions, view_submission). Signature:
docs.slack.dev/authentication/verifying-requests-from-slack.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import httpx2

from bot.domain.errors import NotFound
from bot.sandbox.slack.shapes import shown_message, shown_modal
from bot.sandbox.slack.state import APP_ID, TEAM_DOMAIN, TEAM_ID, Channel, Modal, Post, User

ANSWER_WITHIN = 3
"""Seconds that Slack waits for the app (implementing-slash-commands, "Responding")."""

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Interaction:
    """Who does something where, and what lets the app react to it."""

    user: User
    channel: Channel
    response_url: str
    trigger_id: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The app's answer: its body, or the error that Slack shows in place of one."""

    body: str = ""
    error: str = ""

    def message(self) -> Payload | None:
        """What the body says: an object, or a bare text, which is a message's; None if empty."""
        if not self.body.strip():
            return None
        try:
            answer = json.loads(self.body)
        except ValueError:
            return {"text": self.body}
        return answer if isinstance(answer, dict) else {"text": self.body}


def send(events_url: str, signing_secret: str, form: Mapping[str, str], now: datetime) -> Reply:
    """POST `form` to the app, signed, and wait for its answer as long as Slack would."""
    body = urlencode(form).encode()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        **signature(signing_secret, body, now),
    }
    try:
        answer = httpx2.post(
            events_url,
            content=body,
            headers=headers,
            timeout=ANSWER_WITHIN,
            trust_env=False,
            verify=_trusted(),
        )
    except httpx2.TimeoutException:
        return Reply(error="operation_timeout")
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return Reply(error="dispatch_failed")
    if answer.status_code != HTTPStatus.OK:
        return Reply(error="dispatch_failed")
    return Reply(body=answer.text)


@cache
def _trusted() -> ssl.SSLContext:
    """Made once: to read all authorities anew takes longer than all else that a command takes."""
    return ssl.create_default_context()


def signature(signing_secret: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers by which the app knows that Slack sent `body`, and when."""
    timestamp = str(int(now.timestamp()))
    signed = b"v0:" + timestamp.encode() + b":" + body
    digest = hmac.new(signing_secret.encode(), signed, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


def command_form(interaction: Interaction, command: str, text: str) -> dict[str, str]:
    """A slash command."""
    return {
        "team_id": TEAM_ID,
        "team_domain": TEAM_DOMAIN,
        "channel_id": interaction.channel.id,
        "channel_name": interaction.channel.name,
        "user_id": interaction.user.id,
        "user_name": interaction.user.name,
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": interaction.response_url,
        "trigger_id": interaction.trigger_id,
    }


def pressed_button(post: Post, action_id: str, value: str | None) -> Payload:
    """The button of `post` as a payload has it: with its block's id.

    Raises:
        NotFound: the message has no such button.
    """
    for block in post.blocks:
        for element in [*block.get("elements", []), block.get("accessory") or {}]:
            if element.get("action_id") == action_id and value in (None, element.get("value")):
                return {**element, "block_id": block["block_id"]}
    wanted = action_id if value is None else f"{action_id} with the value {value}"
    raise NotFound(f"the message at {post.ts} has no button {wanted}")


def press_form(
    interaction: Interaction, post: Post, action: Payload, action_ts: str
) -> dict[str, str]:
    """A button that was pressed on `post`; `action` is the button with its block's id.

    Slack does not hand the app an ephemeral message again, only its place.
    """
    payload: Payload = {
        "type": "block_actions",
        **_who(interaction.user),
        "container": {
            "type": "message",
            "message_ts": post.ts,
            "channel_id": interaction.channel.id,
            "is_ephemeral": post.ephemeral_for is not None,
        },
        "channel": {"id": interaction.channel.id, "name": interaction.channel.name},
        "state": {"values": {}},
        "trigger_id": interaction.trigger_id,
        "response_url": interaction.response_url,
        "actions": [{**action, "action_ts": action_ts}],
    }
    if post.ephemeral_for is None:
        payload["message"] = shown_message(post)
    return {"payload": json.dumps(payload)}


def submission_form(
    user: User, modal: Modal, entered: Mapping[str, Mapping[str, str]], trigger_id: str
) -> dict[str, str]:
    """A modal that was submitted; `entered` is by block id and action id."""
    view = shown_modal(modal) | {"state": {"values": _values(modal, entered)}}
    payload = {
        "type": "view_submission",
        **_who(user),
        "trigger_id": trigger_id,
        "view": view,
        "response_urls": [],
    }
    return {"payload": json.dumps(payload)}


def _who(user: User) -> Payload:
    return {
        "user": {
            "id": user.id,
            "username": user.name,
            "name": user.name,
            "team_id": TEAM_ID,
        },
        "team": {"id": TEAM_ID, "domain": TEAM_DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
        "api_app_id": APP_ID,
    }


def _values(modal: Modal, entered: Mapping[str, Mapping[str, str]]) -> Payload:
    """The state of every input: what was entered, or null."""
    values: Payload = {}
    for block in modal.view["blocks"]:
        if block["type"] == "input":
            element = block["element"]
            value = entered.get(block["block_id"], {}).get(element["action_id"])
            values[block["block_id"]] = {element["action_id"]: _value(element, value)}
    return values


def _value(element: Payload, value: str | None) -> Payload:
    if element["type"] == "plain_text_input":
        return {"type": element["type"], "value": value}
    chosen = [option for option in element["options"] if option["value"] == value]
    return {"type": element["type"], "selected_option": chosen[0] if chosen else None}
