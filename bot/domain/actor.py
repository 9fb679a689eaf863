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
    POLICY = "policy"
    """A schedule or a suggestion of the routing policy; nobody signs in as one."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone or something that acts. `id` is unique within its kind; `name` is shown."""

    kind: ActorKind
    id: str
    name: str


def by_policy(part: str, part_id: str) -> Actor:
    """The part of the policy that asks for something by itself: ``schedule``, ``nightly``."""
    return Actor(ActorKind.POLICY, f"{part}:{part_id}", f"{part.capitalize()} {part_id}")


TOCSIN = Actor(ActorKind.TOCSIN, "tocsin", "Tocsin")
ALERTMANAGER = Actor(ActorKind.ALERTMANAGER, "alertmanager", "Alertmanager")
