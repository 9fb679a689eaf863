"""What lets the app react to a person for a while: response URLs and triggers.

Source of the lifetimes: docs.slack.dev/interactivity/handling-user-interaction.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from bot.sandbox.slack.arguments import ApiError, Arguments, content, is_true, text_of
from bot.sandbox.slack.state import BOT_USER, Post, ResponseUrl, SlackState, Trigger

RESPONSE_URL_USES = 5
RESPONSE_URL_LIFETIME = timedelta(minutes=30)
TRIGGER_LIFETIME = timedelta(seconds=3)


def issue_response_url(
    state: SlackState, channel: str, user: str, ts: str | None, now: datetime
) -> str:
    """A new response URL's token; `ts` is the message that was pressed, if one was."""
    token = secrets.token_urlsafe(16)
    state.forget_expired(now)
    state.response_urls[token] = ResponseUrl(
        channel=channel,
        user=user,
        ts=ts,
        expires_at=now + RESPONSE_URL_LIFETIME,
        uses_left=RESPONSE_URL_USES,
    )
    return token


def redeem_response_url(state: SlackState, token: str, message: Arguments, now: datetime) -> None:
    """Answer with `message` through a response URL.

    Raises:
        ApiError: the URL is unknown, too old or used up, or the message is none.
    """
    url = state.response_urls.get(token)
    if url is None or url.expires_at < now:
        raise ApiError("expired_url")
    if url.uses_left == 0:
        raise ApiError("used_url")
    place_answer(state, url, message, now)
    state.response_urls[token] = url.model_copy(update={"uses_left": url.uses_left - 1})


def place_answer(state: SlackState, url: ResponseUrl, message: Arguments, now: datetime) -> None:
    """Post, replace or delete, as the answer to a person says.

    Raises:
        ApiError: the message is none.
    """
    original = state.post(url.channel, url.ts) if url.ts else None
    if original and is_true(message, "delete_original"):
        del state.posts[url.channel][original.ts]
        return
    text, blocks = content(message)
    if original and is_true(message, "replace_original"):
        changes = {"text": text, "blocks": blocks, "edited_ts": state.timestamp(now)}
        state.add(url.channel, original.model_copy(update=changes))
        return
    everybody = text_of(message, "response_type") == "in_channel"
    post = Post(
        ts=state.timestamp(now),
        user=BOT_USER,
        text=text,
        blocks=blocks,
        ephemeral_for=None if everybody else url.user,
    )
    state.add(url.channel, post)


def issue_trigger(state: SlackState, user: str, now: datetime) -> str:
    """A new trigger's id."""
    trigger_id = f"{secrets.randbelow(10**12)}.{secrets.token_hex(8)}"
    state.forget_expired(now)
    state.triggers[trigger_id] = Trigger(user=user, expires_at=now + TRIGGER_LIFETIME)
    return trigger_id


def exchange_trigger(state: SlackState, trigger_id: str, now: datetime) -> str:
    """Use a trigger up; the id of the user for whom a modal may open.

    Raises:
        ApiError: it is unknown, too old or used already.
    """
    trigger = state.triggers.get(trigger_id)
    if trigger is None:
        raise ApiError("invalid_arguments", ["invalid `trigger_id`"])
    if trigger.used:
        raise ApiError("exchanged_trigger_id")
    if trigger.expires_at < now:
        raise ApiError("expired_trigger_id")
    state.triggers[trigger_id] = trigger.model_copy(update={"used": True})
    return trigger.user
