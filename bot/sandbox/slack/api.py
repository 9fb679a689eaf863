"""The methods of Slack's Web API that Tocsin and slack-bolt call, on a `SlackState`.

Shapes and error codes are those of docs.slack.dev/reference/methods.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from bot.sandbox.slack.arguments import (
    Answer,
    ApiError,
    Arguments,
    checked_view,
    content,
    decoded,
    is_true,
    moment,
    page,
    text_of,
)
from bot.sandbox.slack.files import complete_upload, get_upload_url
from bot.sandbox.slack.shapes import shown_channel, shown_message, shown_modal, shown_user
from bot.sandbox.slack.state import (
    BOT_ID,
    BOT_USER,
    TEAM_DOMAIN,
    TEAM_ID,
    Channel,
    Modal,
    Post,
    SlackState,
    User,
)
from bot.sandbox.slack.tokens import exchange_trigger


def call(state: SlackState, method: str, arguments: Arguments, now: datetime) -> Answer:
    """Call `method`; the answer without its ``ok``.

    Raises:
        ApiError: Slack refuses.
    """
    if method not in _METHODS:
        raise ApiError("unknown_method")
    return _METHODS[method](state, arguments, now)


def _auth_test(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    return {
        "url": f"https://{TEAM_DOMAIN}.slack.com/",
        "team": "Tocsin sandbox",
        "team_id": TEAM_ID,
        "user": state.users[BOT_USER].name,
        "user_id": BOT_USER,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def _post_message(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    channel = _named_channel(state, arguments)
    text, blocks = content(arguments)
    thread = text_of(arguments, "thread_ts") or None
    post = Post(ts=state.timestamp(now), user=BOT_USER, text=text, blocks=blocks, thread_ts=thread)
    state.add(channel.id, post)
    return {"channel": channel.id, "ts": post.ts, "message": shown_message(post)}


def _post_ephemeral(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    channel = _named_channel(state, arguments)
    text, blocks = content(arguments)
    user = _user(state, arguments)
    post = Post(
        ts=state.timestamp(now), user=BOT_USER, text=text, blocks=blocks, ephemeral_for=user.id
    )
    state.add(channel.id, post)
    return {"message_ts": post.ts}


def _update(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    channel = _channel(state, arguments)
    text, blocks = content(arguments)
    post = state.post(channel.id, text_of(arguments, "ts"))
    if post is None or post.ephemeral_for:
        raise ApiError("message_not_found")
    if post.user != BOT_USER:
        raise ApiError("cant_update_message")
    edited = post.model_copy(
        update={"text": text, "blocks": blocks, "edited_ts": state.timestamp(now)}
    )
    state.add(channel.id, edited)
    return {
        "channel": channel.id,
        "ts": edited.ts,
        "text": edited.text,
        "message": shown_message(edited),
    }


def _conversations_list(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    types = (text_of(arguments, "types") or "public_channel").split(",")
    wanted = [
        shown_channel(channel)
        for channel in state.channels.values()
        if ("private_channel" if channel.is_private else "public_channel") in types
    ]
    return page("channels", wanted, "id", arguments)


def _conversations_info(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    return {"channel": shown_channel(_channel(state, arguments))}


def _conversations_history(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    channel = _channel(state, arguments)
    oldest = moment(arguments, "oldest", "0")
    latest = moment(arguments, "latest", "Infinity")
    inclusive = is_true(arguments, "inclusive")
    messages = []
    for post in state.newest_first(channel.id):
        at = Decimal(post.ts)
        within = oldest <= at <= latest if inclusive else oldest < at < latest
        if within and post.thread_ts in (None, post.ts):
            messages.append(shown_message(post))
    answer = page("messages", messages, "ts", arguments)
    return {**answer, "has_more": bool(answer["response_metadata"]["next_cursor"])}


def _conversations_replies(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    channel = _channel(state, arguments)
    root = text_of(arguments, "ts")
    if state.post(channel.id, root) is None:
        raise ApiError("thread_not_found")
    thread = [post for post in state.newest_first(channel.id) if root in (post.ts, post.thread_ts)]
    answer = page("messages", [shown_message(post) for post in reversed(thread)], "ts", arguments)
    return {**answer, "has_more": bool(answer["response_metadata"]["next_cursor"])}


def _conversations_members(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    members = [{"id": one} for one in _channel(state, arguments).members]
    answer = page("members", members, "id", arguments)
    return {**answer, "members": [one["id"] for one in answer["members"]]}


def _conversations_join(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    channel = _channel(state, arguments)
    if channel.is_private and BOT_USER not in channel.members:
        raise ApiError("method_not_supported_for_channel_type")
    _let_in(channel, BOT_USER)
    return {"channel": shown_channel(channel)}


def _conversations_invite(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    channel = _channel(state, arguments)
    if BOT_USER not in channel.members:
        raise ApiError("not_in_channel")
    invited = text_of(arguments, "users").split(",")
    for user in invited:
        _check_invited(state, channel, user)
    for user in invited:
        _let_in(channel, user)
    return {"channel": shown_channel(channel)}


def _check_invited(state: SlackState, channel: Channel, user: str) -> None:
    if user not in state.users:
        raise ApiError("user_not_found")
    if user == BOT_USER:
        raise ApiError("cant_invite_self")
    if user in channel.members:
        raise ApiError("already_in_channel")


def _let_in(channel: Channel, user: str) -> None:
    if user not in channel.members:
        channel.members.append(user)


def _users_list(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    return page("members", [shown_user(user) for user in state.users.values()], "id", arguments)


def _users_info(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    return {"user": shown_user(_user(state, arguments))}


def _usergroups_list(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    with_users = is_true(arguments, "include_users")
    return {
        "usergroups": [
            {"id": f"S0000{handle.upper()}", "handle": handle, "name": handle}
            | ({"users": users} if with_users else {})
            for handle, users in sorted(state.groups.items())
        ]
    }


def _users_lookup_by_email(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    email = text_of(arguments, "email").lower()
    for user in state.users.values():
        if user.email and user.email.lower() == email:
            return {"user": shown_user(user)}
    raise ApiError("users_not_found")


def _views_open(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    view = checked_view(decoded(arguments, "view", "invalid_arguments"))
    user = exchange_trigger(state, text_of(arguments, "trigger_id"), now)
    modal = Modal(id=f"V{secrets.token_hex(5).upper()}", user=user, view=view)
    state.modals[modal.id] = modal
    return {"view": shown_modal(modal)}


_METHODS: dict[str, Callable[[SlackState, Arguments, datetime], Answer]] = {
    "auth.test": _auth_test,
    "chat.postEphemeral": _post_ephemeral,
    "chat.postMessage": _post_message,
    "chat.update": _update,
    "conversations.history": _conversations_history,
    "conversations.info": _conversations_info,
    "conversations.invite": _conversations_invite,
    "conversations.join": _conversations_join,
    "conversations.list": _conversations_list,
    "conversations.members": _conversations_members,
    "conversations.replies": _conversations_replies,
    "files.completeUploadExternal": complete_upload,
    "files.getUploadURLExternal": get_upload_url,
    "usergroups.list": _usergroups_list,
    "users.info": _users_info,
    "users.list": _users_list,
    "users.lookupByEmail": _users_lookup_by_email,
    "views.open": _views_open,
}


def _channel(state: SlackState, arguments: Arguments) -> Channel:
    channel = state.channels.get(text_of(arguments, "channel"))
    if channel is None:
        raise ApiError("channel_not_found")
    return channel


def _named_channel(state: SlackState, arguments: Arguments) -> Channel:
    """As `_channel`; where one posts, Slack takes the channel's name, too."""
    channel = state.channel(text_of(arguments, "channel"))
    if channel is None:
        raise ApiError("channel_not_found")
    return channel


def _user(state: SlackState, arguments: Arguments) -> User:
    user = state.users.get(text_of(arguments, "user"))
    if user is None:
        raise ApiError("user_not_found")
    return user
