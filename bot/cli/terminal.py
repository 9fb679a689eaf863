"""What may reach a terminal: texts from outside stay text."""

from __future__ import annotations

import re

from bot.domain.message import Message

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, which a terminal would obey
    "\u202a-\u202e\u2066-\u2069]"  # these reorder what stands around them
)


def printable(text: str) -> str:
    """The text with nothing in it that a terminal would obey, but for ends of lines and tabs."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def plain(message: Message) -> str:
    """The message as plain, printable text."""
    fields = [f"{field.name}: {field.value}" for field in message.fields]
    parts = (message.headline, message.body, "\n".join(fields), message.preformatted)
    return printable("\n\n".join(part for part in (*parts, message.footer) if part))
