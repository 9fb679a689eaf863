"""How the pages are written: the templates, and what they can say of times, links and labels.

All text is hostile. It is escaped by the templates, and what would reorder or hide the
text around it is made visible; of what came from outside only http and https are links.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.domain.durations import in_units
from bot.domain.printable import printable

WEB = files("bot") / "web"


def templates() -> Environment:
    """The templates of the pages."""
    environment = Environment(
        loader=FileSystemLoader(str(WEB / "templates")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        utc=utc, stamp=stamp, relative=relative, words=words, lasting=lasting
    )
    environment.tests["web_address"] = is_web_address
    return environment


def _printable(value: Any) -> Any:
    """What is put into a page, with a mark in the place of what can't be seen."""
    if isinstance(value, Markup):
        return value
    return printable(str(value))


def utc(moment: datetime) -> str:
    """A moment as people read it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def stamp(moment: datetime) -> str:
    """A moment as programs read it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


_MINUTE = 60


def relative(moment: datetime, now: datetime) -> str:
    """How long ago that was, or how soon it will be."""
    seconds = int(abs((now - moment).total_seconds()))
    if seconds == 0:
        return "now"
    length = _length(seconds)
    return f"{length} ago" if moment < now else f"in {length}"


def _length(seconds: int) -> str:
    """The largest unit, and from an hour on the next one as well: ``1 h 59 min``."""
    return in_units(seconds if seconds < _MINUTE else seconds // _MINUTE * _MINUTE)


def lasting(begin: datetime, end: datetime) -> str:
    """How long something took."""
    seconds = int((end - begin).total_seconds())
    return _length(seconds) if seconds > 0 else "less than 1 s"


def words(name: str) -> str:
    """A name of the code as words: ``not_ready`` and ``PageSent`` as “not ready”, “page sent”."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", str(name)).lower()


def is_web_address(text: str) -> bool:
    """Whether the whole text is an address that a link may lead to."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not re.search(r"\s", text)


def shared_labels(label_sets: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
    """The labels that all these sets have in common."""
    if not label_sets:
        return {}
    shared = set.intersection(*(set(labels.items()) for labels in label_sets))
    return dict(sorted(shared))
