"""A notice's hostile texts, made harmless for services that read more than text in them.

Some services find mentions in a message and tell those whom it mentions (``@name``,
``<!channel>``, ``<at>``), and some speak protocols of lines. So no text may hold a control
character, and what begins a mention or a tag gets a space behind it, which people hardly see.
"""

from __future__ import annotations

import re

from bot.domain.notice import Notice

LONGEST_TITLE, LONGEST_BODY = 200, 2_000
"""Characters; Apprise shortens further for services that take less."""

_OPENING = re.compile(r"@(?=\S)|!(?=\w)|<(?=[\w/@!#&])")
_LINK = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]!$&'()*+,;=%-]{1,1000}")
"""Without ``@``: what stands before it looks like the host and is not."""


def title_of(notice: Notice) -> str:
    """One line, the level first."""
    return _shortened(f"{notice.level}: {_plain(notice.title)}", LONGEST_TITLE)


def body_of(notice: Notice) -> str:
    """Lines of text, the link last and whole; never empty, because an empty one is not sent."""
    lines = (_plain(line) for line in notice.body.splitlines())
    text = _shortened("\n".join(lines).strip(), LONGEST_BODY)
    link = notice.link if _LINK.fullmatch(notice.link) else ""
    return "\n".join(filter(None, (text, link))) or title_of(notice)


def _plain(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return _OPENING.sub(r"\g<0> ", " ".join(shown.split()))


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
