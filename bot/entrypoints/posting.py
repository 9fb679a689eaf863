"""POST /api/v1/alerts: alerts from scripts, and from monitors that aren't Alertmanager."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from bot.domain.errors import TemporaryError
from bot.entrypoints.webhooks import MAX_BODY, Inbox
from bot.ports import Source

_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_TIME = {"type": "string", "format": "date-time"}
_SCHEMA: dict[str, Any] = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["labels"],
        "properties": {
            "labels": _TEXTS,
            "annotations": _TEXTS,
            "startsAt": _TIME,
            "endsAt": _TIME,
            "generatorURL": {"type": "string"},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Posting:
    """Where posted alerts are kept, and `check`, which raises `InvalidInput` for bad ones."""

    inbox: Inbox
    check: Callable[[bytes], None]


def add_posting(router: APIRouter, posting: Posting) -> None:
    """Add the route."""

    @router.post(
        "/alerts",
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": _SCHEMA}}}},
    )
    async def post_alerts(request: Request) -> JSONResponse:
        """Take alerts as Alertmanager's API (version 2) takes them; 200 when they are kept."""
        body = await _body(request)
        posting.check(body)
        try:
            await posting.inbox.add(Source.API, body)
        except TemporaryError as error:
            raise HTTPException(
                503, f"The alerts were not kept; send them again: {error}"
            ) from error
        return JSONResponse({"ok": True})


async def _body(request: Request) -> bytes:
    """The request's body, refused as soon as it is known to be too large."""
    _limit(int(request.headers.get("content-length", "0")))
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            _limit(len(body))
    except ClientDisconnect as gone:
        raise HTTPException(400, "The request broke off; send it again.") from gone
    return bytes(body)


def _limit(size: int) -> None:
    if size > MAX_BODY:
        raise HTTPException(413, f"The body must have at most {MAX_BODY:,} bytes.")
