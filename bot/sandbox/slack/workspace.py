"""The workspace: what the app calls, and what people in it do.

What people do reaches the app as signed requests over HTTP, so `command`, `click` and
`submit_view` must not be called from the event loop that has to answer them. All state
is behind one lock, which is never held while such a request is under way.
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import RLock
from typing import Any
from urllib.parse import urlsplit

from bot.domain.errors import NotFound
from bot.sandbox.slack.api import call
from bot.sandbox.slack.arguments import Answer, ApiError, checked_view
from bot.sandbox.slack.faults import Fault, Faults, HttpAnswer, failed
from bot.sandbox.slack.files import take_bytes
from bot.sandbox.slack.inbound import (
    Interaction,
    Reply,
    command_form,
    press_form,
    pressed_button,
    send,
    submission_form,
)
from bot.sandbox.slack.state import SLACKBOT, Modal, Post, SlackState, seeded
from bot.sandbox.slack.tokens import (
    issue_response_url,
    issue_trigger,
    place_answer,
    redeem_response_url,
)

CALLS_REMEMBERED = 1_000

FILE_PATH = "/files/"
"""Where a browser finds a file; its id follows."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that arrived: a Web API method, or ``response_url``."""

    method: str
    arguments: Mapping[str, Any]
    at: datetime


class SandboxSlack:
    """A workspace with three people (ana, ben, chen), the bot, #incidents and #general.

    `events_url` is where the app takes commands and interactions; `base_url` is where
    `slack_app` is served (with its prefix, no slash at the end), for the response URLs.
    Both may be set later. People and channels are named by id or by name.
    """

    def __init__(
        self,
        *,
        events_url: str,
        base_url: str,
        signing_secret: str,
        bot_token: str,
        now: Callable[[], datetime],
    ) -> None:
        self.events_url = events_url
        self.base_url = base_url
        self._signing_secret = signing_secret
        self._bot_token = bot_token
        self._now = now
        self._lock = RLock()
        self._state = seeded()
        self._faults = Faults()
        self._calls: deque[Call] = deque(maxlen=CALLS_REMEMBERED)

    @property
    def calls(self) -> list[Call]:
        """The newest calls that arrived, oldest first, failed ones included."""
        with self._lock:
            return list(self._calls)

    def fail_next(
        self,
        method: str,
        status_or_error: int | str,
        retry_after: int | None = None,
        times: int = 1,
        *,
        applied: bool = False,
    ) -> None:
        """Let the next calls of a Web API method, or of ``response_url``, fail.

        With `applied` the call takes effect and only its answer is lost.
        """
        fault = Fault(failed(status_or_error, retry_after), applied)
        with self._lock:
            self._faults.order(method, fault, times)

    def overview(self, newest: int = 200) -> Answer:
        """What a page shows: users, open modals, channels with their newest messages."""
        with self._lock:
            state = self._state
            return {
                "users": [user.model_dump() for user in state.users.values()],
                "modals": [modal.model_dump() for modal in state.modals.values()],
                "channels": [
                    {**channel.model_dump(), "messages": self._newest(channel.id, newest)}
                    for channel in state.channels.values()
                ],
            }

    def dump(self) -> Answer:
        """The state as JSON values, for `load`."""
        with self._lock:
            return self._state.model_dump(mode="json")

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up the state that `dump` gave."""
        with self._lock:
            self._state = SlackState.model_validate(state)

    def say(
        self, user_id: str, channel: str, text: str, blocks: Sequence[Mapping[str, Any]] = ()
    ) -> str:
        """Write a message as somebody else than the app, with blocks if need be; its timestamp."""
        with self._lock:
            user, place = self._state.person(user_id), self._state.place(channel)
            ts = self._state.timestamp(self._now())
            post = Post(ts=ts, user=user.id, text=text, blocks=[*map(dict, blocks)])
            return self._state.add(place.id, post).ts

    def leave(self, user_id: str, channel: str) -> None:
        """Let somebody, or the bot, leave the channel."""
        with self._lock:
            self._state.place(channel).members.remove(self._state.person(user_id).id)

    def command(self, user_id: str, channel: str, command: str, text: str = "") -> Answer:
        """Type a slash command; what the app answers at once appears in the channel.

        Returns ``{"ok": true, "answer": …}`` (the message, or None), or ``{"ok": false,
        "error": …}`` in Slack's words.
        """
        interaction = self._interaction(user_id, channel, None)
        reply = self._send(command_form(interaction, command, text))
        if reply.error:
            self._complain(interaction, f"{command} failed with the error {reply.error!r}")
            return _refused(reply.error)
        message = reply.message()
        if message:
            return self._show_answer(interaction, message)
        return {"ok": True, "answer": None}

    def click(
        self, user_id: str, channel: str, ts: str, action_id: str, value: str | None = None
    ) -> Answer:
        """Press a button on the message at `ts`; without `value`, the first of that action.

        Returns ``{"ok": true}``, or ``{"ok": false, "error": …}`` in Slack's words.

        Raises:
            NotFound: this user sees no such button there.
        """
        interaction = self._interaction(user_id, channel, ts)
        with self._lock:
            post = self._state.visible_post(interaction.channel.id, ts, interaction.user.id)
            button = pressed_button(post, action_id, value)
            pressed_at = self._state.timestamp(self._now())
        reply = self._send(press_form(interaction, post, button, pressed_at))
        return _refused(reply.error) if reply.error else {"ok": True}

    def submit_view(
        self, user_id: str, view_id: str, entered: Mapping[str, Mapping[str, str]]
    ) -> Answer:
        """Submit a modal with what was `entered`, by block id and action id.

        Returns ``{"ok": true, "answer": …}`` with the app's ``response_action``:
        without one the modal closes, else it changes, or stays with errors.

        Raises:
            NotFound: this user has no such modal open.
        """
        with self._lock:
            user = self._state.person(user_id)
            modal = self._state.open_modal(view_id, user.id)
            trigger_id = issue_trigger(self._state, user.id, self._now())
        reply = self._send(submission_form(user, modal, entered, trigger_id))
        if reply.error:
            return _refused(reply.error)
        answer = reply.message() or {}
        with self._lock:
            try:
                self._after_submission(modal, answer)
            except ApiError as error:
                return _error(error)
        return {"ok": True, "answer": answer}

    def close_view(self, user_id: str, view_id: str) -> None:
        """Close a modal without submitting it.

        Raises:
            NotFound: this user has no such modal open.
        """
        with self._lock:
            modal = self._state.open_modal(view_id, self._state.person(user_id).id)
            del self._state.modals[modal.id]

    def call(self, method: str, token: str, arguments: Mapping[str, Any]) -> HttpAnswer:
        """Answer a call of the Web API; `token` is its bearer token, or empty."""

        def work() -> Answer:
            if not token:
                raise ApiError("not_authed")
            if not hmac.compare_digest(token.encode(), self._bot_token.encode()):
                raise ApiError("invalid_auth")
            answer = call(self._state, method, arguments, self._now())
            if path := answer.get("upload_url"):
                answer["upload_url"] = f"{self.base_url}{path}"
            return answer

        return self._serve(Call(method, arguments, self._now()), work)

    def upload(self, file_id: str, content: bytes) -> HttpAnswer:
        """Answer a POST of a file's bytes to the URL that ``files.getUploadURLExternal`` gave."""

        def work() -> Answer:
            take_bytes(self._state, file_id, content)
            return {}

        return self._serve(Call("upload", {"file": file_id}, self._now()), work)

    def file(self, file_id: str) -> bytes:
        """What was uploaded.

        Raises:
            NotFound: there is no such file, or no longer.
        """
        with self._lock:
            upload = self._state.uploads.get(file_id)
        if upload is None or upload.content is None:
            raise NotFound(f"there is no file {file_id}")
        return b64decode(upload.content)

    def respond(self, token: str, message: Mapping[str, Any]) -> HttpAnswer:
        """Answer a POST to the response URL that ends in `token`."""

        def work() -> Answer:
            redeem_response_url(self._state, token, message, self._now())
            return {}

        return self._serve(Call("response_url", message, self._now()), work)

    def _serve(self, arrived: Call, work: Callable[[], Answer]) -> HttpAnswer:
        with self._lock:
            self._calls.append(arrived)
            fault = self._faults.next(arrived.method)
            if fault and not fault.applied:
                return fault.answer
            try:
                answer = HttpAnswer({"ok": True, **work()})
            except ApiError as error:
                answer = HttpAnswer(_error(error))
            return fault.answer if fault else answer

    def _newest(self, channel_id: str, count: int) -> list[Answer]:
        """The newest messages, oldest of them first, those for one person included."""
        posts = list(self._state.posts.get(channel_id, {}).values())[-count:]
        return [{**post.model_dump(), "files": self._files(post)} for post in posts]

    def _files(self, post: Post) -> list[Answer]:
        """What a message shows below its text, and where a browser finds it."""
        path = urlsplit(self.base_url).path
        return [{**file.model_dump(), "path": f"{path}{FILE_PATH}{file.id}"} for file in post.files]

    def _send(self, form: Mapping[str, str]) -> Reply:
        return send(self.events_url, self._signing_secret, form, self._now())

    def _interaction(self, user_id: str, channel: str, ts: str | None) -> Interaction:
        with self._lock:
            state, now = self._state, self._now()
            user, place = state.person(user_id), state.place(channel)
            token = issue_response_url(state, place.id, user.id, ts, now)
            return Interaction(
                user=user,
                channel=place,
                response_url=f"{self.base_url}/response/{token}",
                trigger_id=issue_trigger(state, user.id, now),
            )

    def _show_answer(self, interaction: Interaction, message: Answer) -> Answer:
        token = interaction.response_url.rpartition("/")[2]
        with self._lock:
            try:
                place_answer(self._state, self._state.response_urls[token], message, self._now())
            except ApiError as error:
                return _error(error)
        return {"ok": True, "answer": message}

    def _after_submission(self, modal: Modal, answer: Answer) -> None:
        action = answer.get("response_action")
        if action in ("update", "push"):
            view = checked_view(answer.get("view"))
            self._state.modals[modal.id] = modal.model_copy(update={"view": view})
        elif action != "errors":
            self._state.modals.pop(modal.id, None)

    def _complain(self, interaction: Interaction, text: str) -> None:
        """Let Slackbot tell the one who typed what went wrong."""
        with self._lock:
            ts = self._state.timestamp(self._now())
            post = Post(ts=ts, user=SLACKBOT, text=text, ephemeral_for=interaction.user.id)
            self._state.add(interaction.channel.id, post)


def _refused(error: str) -> Answer:
    return {"ok": False, "error": error}


def _error(error: ApiError) -> Answer:
    if not error.messages:
        return _refused(error.code)
    return {**_refused(error.code), "response_metadata": {"messages": error.messages}}
