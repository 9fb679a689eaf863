"""Who is on call for a service of the pager, and what is lacking there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.errors import InvalidInput, NotFound
from bot.domain.nearest import guess
from bot.domain.oncall import EscalationPolicy, OnCall, PagerService, Person

_SHOWN = 60
"""Characters of a name that nobody knows which are repeated to whoever typed it."""


@dataclass(frozen=True, slots=True)
class OurService:
    """How the service is recognised that our pages go to: by our routing key, or else by id."""

    routing_key: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is on call for a service, as the pager said at `asked_at`; the first level first."""

    service: PagerService
    on_call: tuple[OnCall, ...]
    asked_at: datetime

    def people(self, now: datetime) -> tuple[Person, ...]:
        """Each once, without those whose shift has ended since."""
        current = (one.person for one in self.on_call if one.end is None or one.end > now)
        return tuple({one.id: one for one in current}.values())


def our_service(services: Sequence[PagerService], ours: OurService) -> PagerService:
    """The service that our pages go to. Raises `InvalidInput` when it can't be told."""
    by_key = (one for one in services if ours.routing_key in one.integration_keys)
    by_id = (one for one in services if ours.id and one.id == ours.id)
    found = next(by_key, None) or next(by_id, None)
    if found is None and ours.id:
        raise InvalidInput(f"PAGERDUTY_SERVICE_ID: PagerDuty shows no service {ours.id}.")
    if found is None:
        raise InvalidInput(
            "PagerDuty does not show which service our routing key leads to: "
            "set PAGERDUTY_SERVICE_ID, or name a service."
        )
    return found


def service_named(services: Sequence[PagerService], name: str) -> PagerService:
    """The service with that name or id. Raises `NotFound` with the nearest that exists."""
    word = name.casefold()
    for one in services:
        if word in (one.name.casefold(), one.id.casefold()):
            return one
    shown = name[:_SHOWN]
    meant = guess(shown, [one.name for one in services])
    raise NotFound(f"PagerDuty shows no service “{shown}”.{meant}")


def gaps(
    services: Sequence[PagerService],
    policies: Sequence[EscalationPolicy],
    on_call: Mapping[str, Sequence[OnCall]],
    in_chat: Callable[[Person], bool],
) -> tuple[str, ...]:
    """What keeps somebody from being reached, a sentence each.

    `on_call` says who is, by escalation policy, for each policy that a service has.
    """
    used = {one.escalation_policy_id for one in services}
    people = {one.person.id: one.person for found in on_call.values() for one in found}
    return (
        *(_without_policy(one) for one in services if not one.escalation_policy_id),
        *(
            sentence
            for policy in policies
            if policy.id in used
            for sentence in _empty_levels(policy, on_call.get(policy.id, ()))
        ),
        *(_not_in_chat(one) for one in people.values() if not in_chat(one)),
    )


def _without_policy(service: PagerService) -> str:
    return f"The PagerDuty service “{service.name}” has no escalation policy: it pages nobody."


def _empty_levels(policy: EscalationPolicy, on_call: Sequence[OnCall]) -> Iterator[str]:
    held = {one.level for one in on_call}
    if not policy.levels:
        yield f"The escalation policy “{policy.name}” has no level: it pages nobody."
    for level, content in enumerate(policy.levels, start=1):
        if level not in held:
            targets = ", ".join(content.targets) or "nobody is named there"
            yield f"Nobody is on call at level {level} of “{policy.name}” ({targets})."


def _not_in_chat(person: Person) -> str:
    if not person.email:
        return f"{person.name} is on call, and PagerDuty shows no e-mail address of theirs."
    return f"{person.name} is on call, and no Slack user has their e-mail address {person.email}."
