"""Sorts what Slack answers, and what keeps it from answering, into Tocsin's errors.

Sources: the error tables of the methods that Tocsin calls (docs.slack.dev/reference/
methods) and "Rate limits" (docs.slack.dev/apis/web-api/rate-limits).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.domain.errors import NotFound, PermanentError, TemporaryError, TocsinError

_TEMPORARY = {
    "external_channel_migrating",
    "fatal_error",
    "internal_error",
    "org_login_required",
    "rate_limited",
    "ratelimited",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
    "update_failed",
}

_GONE = {
    "cant_update_message": "the message is not the bot's own",
    "edit_window_closed": "the workspace does not let it be edited any more",
    "message_not_found": "there is no such message",
}
"""The message can't be updated, but a new one can be posted."""

_CHECK_TOKEN = "check SLACK_BOT_TOKEN, or install the app in the workspace again"  # noqa: S105
_OPEN_CHANNEL = "unarchive the channel or name another one"
_SPENT = "a response_url serves five answers within 30 minutes"
_FIXES = {
    "account_inactive": _CHECK_TOKEN,
    "cant_invite": "who left the workspace, or is only a guest there, can't be invited",
    "channel_not_found": "check the channel's name, and invite the bot if it is private",
    "expired_url": _SPENT,
    "invalid_auth": _CHECK_TOKEN,
    "is_archived": _OPEN_CHANNEL,
    "is_inactive": _OPEN_CHANNEL,
    "method_not_supported_for_channel_type": "invite the bot to the private channel",
    "missing_scope": "install the app again from what `tocsin slack manifest` prints",
    "not_allowed_token_type": "SLACK_BOT_TOKEN must be a bot token (xoxb-)",
    "not_authed": "set SLACK_BOT_TOKEN",
    "not_in_channel": "invite the bot to the channel",
    "restricted_action": "a workspace preference keeps the bot from posting in the channel",
    "restricted_action_read_only_channel": "name a channel that is not read-only",
    "token_expired": _CHECK_TOKEN,
    "token_revoked": _CHECK_TOKEN,
    "used_url": _SPENT,
    "user_is_restricted": "a guest can't be invited by the bot; let an admin do it",
    "user_is_ultra_restricted": "a guest can't be invited by the bot; let an admin do it",
}

_CODE = re.compile(r"[a-z0-9_]{1,100}")
_DETAIL_LIMIT = 200


@contextmanager
def slack_errors() -> Iterator[None]:
    """Run calls to Slack; whatever goes wrong leaves as one of Tocsin's errors.

    Raises:
        TemporaryError: Slack is busy, broken or out of reach, or something else than
            Slack answered (a proxy's page, say).
        NotFound: the message to update is gone, or not the bot's.
        PermanentError: everything else, with the fix where it is known.
    """
    try:
        yield
    except SlackApiError as error:
        response = error.response
        raise sorted_error(response.status_code, response.headers, response.data) from error
    except SlackClientError as error:
        raise PermanentError(f"Slack can't be called ({error}): check SLACK_API_URL.") from error
    except (OSError, HTTPException, ValueError) as error:
        raise TemporaryError(f"Slack did not answer ({error or type(error).__name__}).") from error


def sorted_error(status: int, headers: Mapping[str, str], body: object) -> TocsinError:
    """The error that an answer of Slack's stands for; `body` is its decoded JSON."""
    answer = body if isinstance(body, dict) else {}
    code = str(answer.get("error", ""))
    if _is_busy(status) or code in _TEMPORARY:
        busy = f"Slack can't take the call now ({_named(code, status)})."
        return TemporaryError(busy, _retry_after(headers))
    if code in _GONE:
        return NotFound(f"Slack can't update the message: {_GONE[code]}.")
    if not _CODE.fullmatch(code):
        return TemporaryError(f"Something else than Slack answered (HTTP status {status}).")
    fix = f": {_FIXES[code]}" if code in _FIXES else ""
    return PermanentError(f"Slack refused the call ({code}{_detail(answer)}){fix}.")


def _is_busy(status: int) -> bool:
    return (
        status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT)
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )


def _named(code: str, status: int) -> str:
    return code if _CODE.fullmatch(code) else f"HTTP status {status}"


def _detail(answer: Mapping[str, Any]) -> str:
    """What Slack adds to the code: the scope that is missing, the block that is wrong."""
    metadata = answer.get("response_metadata")
    messages = metadata.get("messages", []) if isinstance(metadata, dict) else []
    detail = str(answer.get("needed", "")) or "; ".join(map(str, messages))
    return f": {detail[:_DETAIL_LIMIT]}" if detail else ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, as Slack gives them; None for anything that is not a number of them."""
    for name, value in headers.items():
        if name.lower() == "retry-after" and value.isdecimal():
            return float(value)
    return None
