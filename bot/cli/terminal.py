"""What may reach a terminal: texts from outside stay text."""

from __future__ import annotations

from bot.domain.message import Message
from bot.domain.printable import MARK
from bot.domain.printable import printable as visible


def printable(text: str) -> str:
    """The text with nothing in it that a terminal would obey, but for line feeds and tabs."""
    return visible(text).replace("\r", MARK)


def plain(message: Message) -> str:
    """The message as plain, printable text."""
    fields = [f"{field.name}: {field.value}" for field in message.fields]
    parts = (message.headline, message.body, "\n".join(fields), message.preformatted)
    return printable("\n\n".join(part for part in (*parts, message.footer) if part))
