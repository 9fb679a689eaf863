"""Where Slack comes in: slash commands, buttons, events; by HTTP or by Socket Mode.

Everything is answered from the database within Slack's three seconds; no vendor is
called here. What takes longer is an effect, and is answered by the worker.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import structlog
from slack_bolt import Ack, App, BoltContext, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.app.answers import Answers
from bot.domain.actor import Actor, ActorKind
from bot.domain.commands import parse
from bot.domain.effects import SendAnswer
from bot.domain.errors import InvalidInput, TemporaryError
from bot.domain.message import Message
from bot.ports import Counters, Store

MAX_BODY = 1024 * 1024
"""Bytes of a request; Slack's largest, a button press with its message, is far smaller."""

Render = Callable[[Message], tuple[list[dict[str, Any]], str]]
"""Turns a message into Block Kit blocks and the plain text for notifications."""

_log = structlog.get_logger(__name__)


class SlackListener:
    """The Bolt application: what Slack asks, answered by `Answers`."""

    def __init__(self, answers: Answers, store: Store, client: WebClient, render: Render) -> None:
        self._answers = answers
        self._store = store
        self._render = render
        self.bolt = App(
            # Given as a function, so that Bolt does not call Slack to find out who we are.
            logger=_quiet_logger(),
            authorize=lambda context: _authorized(context, client.token),
            client=client,
            request_verification_enabled=False,
            ssl_check_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        self.bolt.command(re.compile(r"/.*"))(self._command)
        self.bolt.action(re.compile(r".*"))(self._press)
        self.bolt.event(re.compile(r".*"))(_ignore)

    def _command(self, ack: Ack, command: dict[str, Any]) -> None:
        actor = _actor(command.get("user_id"), command.get("user_name"))
        message = self._said(
            lambda: self._answers.to(
                parse(str(command.get("command", "")), str(command.get("text") or "")),
                actor,
                str(command.get("response_url", "")),
            )
        )
        if message is None:
            ack()
            return
        blocks, text = self._render(message)
        ack(response_type="ephemeral", text=text, blocks=blocks)

    def _press(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        user = body.get("user", {})
        actor = _actor(user.get("id"), user.get("name") or user.get("username"))
        name, value = str(action.get("action_id", "")), str(action.get("value", ""))
        message = self._said(lambda: self._answers.press(name, value, actor))
        response_url = str(body.get("response_url") or "")
        if message is not None and response_url:
            self._answer_later(response_url, message)
        ack()

    def _answer_later(self, response_url: str, message: Message) -> None:
        """A button's answer can't hold a message; the worker sends it."""
        try:
            with self._store.transaction() as tx:
                tx.enqueue(SendAnswer(response_url, message))
        except TemporaryError:
            _log.exception("an answer to a button could not be kept")

    def _said(self, answer: Callable[[], Message | None]) -> Message | None:
        """The answer, or what stands against it, in words for the one who asked."""
        try:
            return answer()
        except InvalidInput as error:
            first, _, rest = str(error).partition("\n")
            return Message(headline="That can’t be done", body=first, preformatted=rest)
        except TemporaryError:
            _log.exception("a request from Slack could not be answered")
            return Message(headline="Tocsin can’t reach its database; nothing was done. Try again.")


class SlackEndpoint:
    """POST /slack/events: believes only what Slack's signature vouches for."""

    def __init__(self, listener: SlackListener, signing_secret: str, counters: Counters) -> None:
        self._bolt = listener.bolt
        self._verifier = SignatureVerifier(signing_secret)
        self._counters = counters

    async def handle(self, request: Request) -> Response:
        """Answer one request; 401 for a signature or a time that does not hold."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return self._refuse(413, "too_large", "This is larger than anything Slack sends.")
        if not self._genuine(body, request.headers):
            return self._refuse(401, "unauthorized", "The signature or its time does not hold.")
        try:
            asked = _parsed(body.decode())
        except (ValueError, RecursionError):
            return self._refuse(400, "not_json", "The payload is not JSON.")
        self._counters.count("slack_requests", result="accepted")
        # Parsed here, because Bolt's own parser takes a command whose text holds the word
        # "payload" for an interaction and loses it; this mode takes what is parsed.
        try:
            given = BoltRequest(body=_shaped(asked), mode="socket_mode")
            return _response(await run_in_threadpool(self._bolt.dispatch, given))
        except (AttributeError, KeyError, TypeError, ValueError):
            # Bolt answers what our own code raises; this is a payload of no shape it knows.
            _log.exception("a request from Slack could not be read")
            return self._refuse(400, "not_understood", "The payload is not one of Slack’s.")

    def _genuine(self, body: bytes, headers: Mapping[str, str]) -> bool:
        try:
            return self._verifier.is_valid(
                body=body.decode(),
                timestamp=headers.get("x-slack-request-timestamp", ""),
                signature=headers.get("x-slack-signature", ""),
            )
        except (ValueError, TypeError, OverflowError):
            # Times that are no number or no time, bodies that are no text: not Slack's.
            return False

    def _refuse(self, status: int, result: str, sentence: str) -> Response:
        self._counters.count("slack_requests", result=result)
        return JSONResponse({"error": sentence}, status_code=status)


def _quiet_logger() -> logging.Logger:
    """Bolt's errors; its warnings are about how it is set up, which is on purpose."""
    logger = logging.getLogger("tocsin.slack")
    logger.setLevel(logging.ERROR)
    return logger


def _parsed(body: str) -> dict[str, Any]:
    """An event is JSON, a command a form, an interaction JSON in the form's field payload."""
    if not body.startswith("{"):
        form = dict(parse_qsl(body, keep_blank_values=True))
        if "payload" not in form:
            return form
        body = form["payload"]
    parsed = json.loads(body)
    if not isinstance(parsed, dict):
        raise ValueError("an object is expected")
    return parsed


def _shaped(asked: dict[str, Any]) -> dict[str, Any]:
    """What Bolt can read; an event that is no object it answers with a 500."""
    if not isinstance(asked.get("event", {}), dict):
        raise TypeError("an event is an object")
    return asked


def _authorized(context: BoltContext, token: str | None) -> AuthorizeResult:
    return AuthorizeResult(
        enterprise_id=context.enterprise_id, team_id=context.team_id, bot_token=token
    )


def _actor(user_id: object, name: object) -> Actor:
    return Actor(ActorKind.PERSON, str(user_id or "unknown"), str(name or user_id or "somebody"))


def _ignore(ack: Ack) -> None:
    """Events that Slack sends although nobody asked for them."""
    ack()


def _response(answer: BoltResponse) -> Response:
    headers = answer.first_headers_without_set_cookie()
    return Response(answer.body, status_code=answer.status, headers=headers)
