"""How a file that a step made is sent: as a picture or as plain text, and nothing in it runs."""

from __future__ import annotations

from starlette.responses import Response

from bot.domain.plan import Attachment

LONGEST = 1_000_000
"""Bytes of a text that are shown; who needs more of a log reads it where it was written."""

_CUT = "\n… {} more bytes are not shown.\n"

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


def attachment_response(found: Attachment) -> Response:
    """The answer with the file, which `Attachments.shown` let pass."""
    if found.is_picture:
        return Response(found.content, media_type=found.media_type, headers=HEADERS)
    text = found.content[:LONGEST].decode(errors="replace")
    more = len(found.content) - LONGEST
    said = text + _CUT.format(more) if more > 0 else text
    return Response(said, media_type="text/plain; charset=utf-8", headers=HEADERS)
