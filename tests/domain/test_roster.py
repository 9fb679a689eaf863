from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.errors import InvalidInput, NotFound
from bot.domain.oncall import EscalationLevel, EscalationPolicy, OnCall, PagerService, Person
from bot.domain.roster import OurService, Roster, gaps, our_service, service_named
from tests.support.examples import NOW

ANA = Person("PANA", "Ana Lopez", "ana@example.test")
BEN = Person("PBEN", "Ben Okafor", "ben@example.test")
HOUR = timedelta(hours=1)


def service(
    number: int, name: str, *keys: str, policy: str = "PPOLICY", policy_name: str = "Policy"
) -> PagerService:
    return PagerService(
        f"PSERV{number}", name, "", policy, policy_name, integration_keys=frozenset(keys)
    )


def on_call(person: Person, level: int = 1, hours: int | None = None) -> OnCall:
    """On call always, or until so many hours from now."""
    end = None if hours is None else NOW + hours * HOUR
    return OnCall("PPOLICY", level, person, "", None if end is None else NOW - HOUR, end)


def policy(*targets: str) -> EscalationPolicy:
    levels = tuple(EscalationLevel((one,), HOUR) for one in targets)
    return EscalationPolicy("PPOLICY", "Policy", "", levels, 2, ())


SERVICES = (service(1, "Checkout", "key-1"), service(2, "Search", "key-2"))


def test_our_service_is_the_one_with_our_key() -> None:
    assert our_service(SERVICES, OurService("key-2", "PSERV1")).name == "Search"


def test_without_a_visible_key_our_service_is_the_one_that_is_set() -> None:
    hidden = (service(1, "Checkout"), service(2, "Search"))
    assert our_service(hidden, OurService("key-1", "PSERV2")).name == "Search"


@pytest.mark.parametrize(
    ("ours", "named"),
    [(OurService("other"), "set PAGERDUTY_SERVICE_ID"), (OurService("other", "PGONE"), "PGONE")],
)
def test_a_service_that_cannot_be_told_is_not_guessed(ours: OurService, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        our_service(SERVICES[:1], ours)


@pytest.mark.parametrize("name", ["Checkout", "checkout", "PSERV1", "pserv1"])
def test_a_service_is_named_by_name_or_id(name: str) -> None:
    assert service_named(SERVICES, name) == SERVICES[0]


def test_an_unknown_service_names_the_nearest() -> None:
    with pytest.raises(NotFound, match=r"no service “Chekout”\. Did you mean “Checkout”"):
        service_named(SERVICES, "Chekout")
    with pytest.raises(NotFound) as refused:
        service_named(SERVICES, "x" * 5_000)
    assert len(str(refused.value)) < 200


def test_people_are_named_once_and_not_after_their_shift() -> None:
    shifts = (on_call(ANA, hours=1), on_call(BEN, 2), on_call(ANA, 3, hours=2))
    roster = Roster(SERVICES[0], shifts, NOW)
    assert roster.people(NOW) == (ANA, BEN)
    assert roster.people(NOW + HOUR) == (BEN, ANA)
    assert roster.people(NOW + 2 * HOUR) == (BEN,)


def test_nothing_lacks_where_everybody_can_be_reached() -> None:
    found = {"PPOLICY": (on_call(ANA), on_call(BEN, 2))}
    assert gaps(SERVICES, [policy("Primary", "Ben")], found, lambda _: True) == ()


def test_each_gap_is_a_sentence() -> None:
    services = (*SERVICES, service(3, "Orphan", policy=""))
    nobody = Person("PNOBODY", "Chen Wei")
    found = {"PPOLICY": (on_call(ANA), on_call(nobody, 3))}
    assert gaps(services, [policy("Primary", "Second", "Chen")], found, lambda _: False) == (
        "The PagerDuty service “Orphan” has no escalation policy: it pages nobody.",
        "Nobody is on call at level 2 of “Policy” (Second).",
        "Ana Lopez is on call, and no Slack user has their e-mail address ana@example.test.",
        "Chen Wei is on call, and PagerDuty shows no e-mail address of theirs.",
    )


def test_a_policy_that_no_service_has_is_no_gap() -> None:
    unused = EscalationPolicy("PUNUSED", "Unused", "", (EscalationLevel((), HOUR),), 0, ())
    found = {"PPOLICY": (on_call(ANA),)}
    assert gaps(SERVICES, [policy("Primary"), unused], found, lambda _: True) == ()


def test_a_policy_without_levels_is_a_gap() -> None:
    assert gaps(SERVICES, [policy()], {"PPOLICY": ()}, lambda _: True) == (
        "The escalation policy “Policy” has no level: it pages nobody.",
    )
