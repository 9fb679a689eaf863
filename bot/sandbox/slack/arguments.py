"""Reads arguments as Slack takes them: JSON values, or their text from a form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.sandbox.slack.blocks import TOTAL_LIMIT, block_problems, view_problems, with_ids

Arguments = Mapping[str, Any]
Answer = dict[str, Any]

PAGE_LIMIT = 1_000
"""The most entries on one page (docs.slack.dev/apis/web-api/pagination)."""

_TIMESTAMP = re.compile(r"[0-9]+(\.[0-9]+)?")


class ApiError(Exception):
    """Slack answers ``{"ok": false, "error": code}``, with `messages` that say more."""

    def __init__(self, code: str, messages: list[str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.messages = messages or []


def text_of(arguments: Arguments, name: str) -> str:
    """The argument as text, empty when it is missing."""
    value = arguments.get(name)
    return "" if value is None else str(value)


def is_true(arguments: Arguments, name: str) -> bool:
    """Whether a flag is set, in any of the ways that Slack knows."""
    return text_of(arguments, name).lower() in ("1", "true")


def decoded(arguments: Arguments, name: str, error: str) -> Any:
    """A structured argument: as it is, or as JSON in a text.

    Raises:
        ApiError: with the code `error`, for a text that is not JSON.
    """
    value = arguments.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value else None
    except ValueError:
        raise ApiError(error) from None


def content(arguments: Arguments) -> tuple[str, list[dict[str, Any]]]:
    """The text and blocks of a message, checked.

    Raises:
        ApiError: there are neither, or Slack would refuse the blocks.
    """
    text = text_of(arguments, "text")
    blocks = decoded(arguments, "blocks", "invalid_blocks_format") or []
    problems = block_problems(blocks)
    if problems:
        raise ApiError("invalid_blocks", problems)
    if len(json.dumps(blocks, ensure_ascii=False)) > TOTAL_LIMIT:
        raise ApiError("msg_blocks_too_long")
    if not text and not blocks:
        raise ApiError("no_text")
    return text, with_ids(blocks)


def checked_view(view: Any) -> dict[str, Any]:
    """A modal's view, with the ids that Slack gives it.

    Raises:
        ApiError: Slack would refuse it.
    """
    problems = view_problems(view)
    if problems:
        raise ApiError("invalid_arguments", problems)
    return {**view, "blocks": with_ids(view["blocks"])}


def moment(arguments: Arguments, name: str, default: str) -> Decimal:
    """A message timestamp as a number, which compares without rounding.

    Raises:
        ApiError: it is none.
    """
    given = text_of(arguments, name)
    if given and not _TIMESTAMP.fullmatch(given):
        raise ApiError(f"invalid_ts_{name}")
    return Decimal(given or default)


def page(name: str, entries: list[Answer], key: str, arguments: Arguments) -> Answer:
    """One page of `entries`; the cursor is the key of the next page's first.

    Raises:
        ApiError: the limit or the cursor is none.
    """
    limit = _limit(arguments)
    cursor = text_of(arguments, "cursor")
    keys = [entry[key] for entry in entries]
    if cursor and cursor not in keys:
        raise ApiError("invalid_cursor")
    start = keys.index(cursor) if cursor else 0
    following = keys[start + limit : start + limit + 1]
    return {
        name: entries[start : start + limit],
        "response_metadata": {"next_cursor": following[0] if following else ""},
    }


def _limit(arguments: Arguments) -> int:
    limit = text_of(arguments, "limit") or "100"
    if not limit.isdecimal() or not 1 <= int(limit) <= PAGE_LIMIT:
        raise ApiError("invalid_limit")
    return int(limit)
