"""A declared incident: one that a person opens, because no alert did.

It pages as any other does. It has no alerts, so nothing but people ends it: what is quiet,
resolved or covered by a maintenance window is always about alerts.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from bot.domain.actor import Actor
from bot.domain.classify import Classification, Severity
from bot.domain.errors import InvalidInput
from bot.domain.grouping import label_key
from bot.domain.incident import opening
from bot.domain.incident_events import IncidentOpened

DECLARED_RULE = "declared"
"""What stands where a rule's name would, when a person opened the incident."""

LONGEST_TITLE = 200
"""Characters of a title: it is the headline in the chat, and what a phone shows of a page."""

LONGEST_SERVICE = 200
"""Characters of a service's name."""

_KEY = "declared:"
"""How the group key begins. Those of alerts begin with the name of a label, which holds no
colon, so that no alert ever joins a declared incident."""

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
"""What keys escape: commas, and backslashes themselves."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is declared; an empty `service` stands for none named."""

    level: Severity
    title: str
    service: str = ""


def checked(declaration: Declaration) -> Declaration:
    """The declaration, with its title in one line. Raises `InvalidInput`."""
    title, service = (" ".join(text.split()) for text in (declaration.title, declaration.service))
    if not title:
        raise InvalidInput("The title is missing; say in a few words what is wrong.")
    if len(title) > LONGEST_TITLE:
        raise InvalidInput(f"The title is longer than {LONGEST_TITLE} characters; shorten it.")
    if len(service) > LONGEST_SERVICE:
        raise InvalidInput(f"The service is longer than {LONGEST_SERVICE} characters; shorten it.")
    return Declaration(declaration.level, title, service)


def declared_key(declaration: Declaration, token: str) -> str:
    """The group key; `token` is the same for all repeats of one declaration, and no other's."""
    digest = hashlib.sha256(token.encode()).hexdigest()[:16]
    return f"{_KEY}{digest},{label_key(('service',), {'service': declaration.service})}"


def declared(declaration: Declaration, key: str, actor: Actor, now: datetime) -> IncidentOpened:
    """The event that opens the incident."""
    about = f" It is about {declaration.service}." if declaration.service else ""
    said = f"{actor.name} declared it."
    why = Classification(declaration.level, DECLARED_RULE, said, "")
    return opening(key, declaration.title, f"{said}{about}", why, now)


def declared_service(group_key: str) -> str:
    """The service that a declaration named; empty for other groups, and where none was named."""
    named = group_key.partition(",service=")[2] if is_declared(group_key) else ""
    return _ESCAPED.sub(r"\1", named)


def is_declared(group_key: str) -> bool:
    """Whether the incident of that group was opened by a person."""
    return group_key.startswith(_KEY)
