"""Rosters: who is on call, asked of the pager and remembered for a minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.errors import InvalidInput, TocsinError
from bot.domain.roster import OurService, Roster, gaps, our_service, service_named
from bot.ports import Clock, PagerRecords

FRESH = timedelta(seconds=60)
"""How long an answer is given again: shifts end on the minute, and people ask twice."""

UserOf = Callable[[str], str | None]
"""The chat's id of the person with that e-mail address."""


class Rosters:
    """Who is on call for the pager's services; may be shared between threads.

    `records` is None where no token is set that may ask; then everything here raises
    `InvalidInput`. Besides that they raise `TemporaryError` and `PermanentError`.
    """

    def __init__(self, records: PagerRecords | None, ours: OurService, clock: Clock) -> None:
        self._records = records
        self._ours = ours
        self._clock = clock
        self._known: dict[str, Roster] = {}

    def of(self, service: str) -> Roster:
        """Who is on call for the service of that name or id; empty: the one that we page.

        At most a minute old. Raises `NotFound` with the nearest name that exists.
        """
        known = self._known.get(service)
        if known is None or self._clock.now() - known.asked_at >= FRESH:
            known = self._known[service] = self._asked(service)
        return known

    def _asked(self, service: str) -> Roster:
        records = self._reachable()
        services = records.services()
        found = service_named(services, service) if service else our_service(services, self._ours)
        policy = found.escalation_policy_id
        on_call = tuple(records.on_call(policy)) if policy else ()
        return Roster(found, on_call, self._clock.now())

    def gaps(self, user_of: UserOf) -> tuple[str, ...]:
        """What keeps somebody from being reached, a sentence each; asked anew."""
        records = self._reachable()
        services = records.services()
        used = {one.escalation_policy_id for one in services if one.escalation_policy_id}
        return gaps(
            services,
            records.escalation_policies(),
            {policy: records.on_call(policy) for policy in sorted(used)},
            lambda person: bool(user_of(person.email)),
        )

    def _reachable(self) -> PagerRecords:
        if self._records is None:
            raise InvalidInput("Set PAGERDUTY_API_TOKEN, so that PagerDuty says who is on call.")
        return self._records


@dataclass(frozen=True, slots=True)
class InChat:
    """Somebody as the chat knows them, by its id; the name is the pager's."""

    id: str
    name: str


class PeopleOnCall:
    """The chat's ids of those who are on call for the service that we page.

    They are looked up beforehand, because they are called when the pager can't be asked.
    """

    def __init__(self, rosters: Rosters, user_of: UserOf, clock: Clock) -> None:
        self._rosters = rosters
        self._user_of = user_of
        self._clock = clock
        self._roster: Roster | None = None
        self._ids: dict[str, str] = {}

    def look(self) -> None:
        """Find out who it is now; what was known before stays where nobody answers."""
        try:
            roster = self._rosters.of("")
        except TocsinError:
            return
        for person in roster.people(self._clock.now()):
            self._remember(person.id, person.email)
        self._roster = roster

    def _remember(self, person: str, email: str) -> None:
        try:
            found = self._user_of(email)
        except TocsinError:
            # Slack can't be asked, or the bot may not: what is known stays.
            return
        if found:
            self._ids[person] = found

    def __call__(self) -> tuple[str, ...]:
        """The ids that are known, the first level first; asks nobody and never raises."""
        return tuple(one.id for one in self.known())

    def known(self) -> tuple[InChat, ...]:
        """The same with their names."""
        if self._roster is None:
            return ()
        people = self._roster.people(self._clock.now())
        return tuple(InChat(self._ids[one.id], one.name) for one in people if one.id in self._ids)
