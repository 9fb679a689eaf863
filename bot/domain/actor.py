"""Who did something."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """Where an actor comes from."""

    PERSON = "person"
    ALERTMANAGER = "alertmanager"
    PAGERDUTY = "pagerduty"
    TOCSIN = "tocsin"


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone or something that acts. `id` is unique within its kind; `name` is shown."""

    kind: ActorKind
    id: str
    name: str


TOCSIN = Actor(ActorKind.TOCSIN, "tocsin", "Tocsin")
ALERTMANAGER = Actor(ActorKind.ALERTMANAGER, "alertmanager", "Alertmanager")
