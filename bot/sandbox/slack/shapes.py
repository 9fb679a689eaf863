"""How Slack shows what is in a `SlackState`, in answers of its Web API and in payloads."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.state import APP_ID, BOT_ID, BOT_USER, TEAM_ID, Channel, Modal, Post, User


def shown_message(post: Post) -> dict[str, Any]:
    """A message as the API and payloads show it."""
    shown: dict[str, Any] = {
        "type": "message",
        "user": post.user,
        "team": TEAM_ID,
        "ts": post.ts,
        "text": post.text,
        "blocks": post.blocks,
    }
    if post.user == BOT_USER:
        shown |= {"bot_id": BOT_ID, "app_id": APP_ID}
    if post.thread_ts:
        shown["thread_ts"] = post.thread_ts
    if post.files:
        shown |= {"subtype": "file_share", "files": [file.model_dump() for file in post.files]}
    if post.edited_ts:
        shown["edited"] = {"user": post.user, "ts": post.edited_ts}
    return shown


def shown_channel(channel: Channel) -> dict[str, Any]:
    """A channel as the API shows it."""
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": True,
        "is_private": channel.is_private,
        "is_archived": False,
        "is_member": BOT_USER in channel.members,
    }


def shown_user(user: User) -> dict[str, Any]:
    """A user as the API shows it."""
    return {
        "id": user.id,
        "team_id": TEAM_ID,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": False,
        "is_bot": user.is_bot,
        "tz": "Etc/UTC",
        "profile": {
            "real_name": user.real_name,
            "display_name": user.name,
            "email": user.email,
        },
    }


def shown_modal(modal: Modal) -> dict[str, Any]:
    """A modal as the API and payloads show it; the state is what a person entered."""
    return {
        "id": modal.id,
        "team_id": TEAM_ID,
        "app_id": APP_ID,
        "bot_id": BOT_ID,
        "callback_id": "",
        "private_metadata": "",
        "root_view_id": modal.id,
        "previous_view_id": None,
        "state": {"values": {}},
        **modal.view,
    }
