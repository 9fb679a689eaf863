"""Who is on call, asked of the stand-in for PagerDuty over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.adapters.pagerduty_rest import PagerDutyRecords
from bot.app.rosters import InChat, PeopleOnCall, Rosters
from bot.domain.errors import InvalidInput, NotFound, PermanentError, TemporaryError
from bot.domain.roster import OurService
from bot.sandbox.pagerduty import SandboxPagerDuty, pagerduty_app
from tests.support.clock import FakeClock
from tests.support.serve import serve

KEY = "0123456789abcdef0123456789abcdef"
IDS = {"ana@example.test": "U00000ANA", "ben@example.test": "U00000BEN"}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pager(clock: FakeClock) -> SandboxPagerDuty:
    return SandboxPagerDuty(now=clock.now, routing_keys={KEY})


@pytest.fixture
def records(pager: SandboxPagerDuty) -> Iterator[PagerDutyRecords]:
    with serve(pagerduty_app(pager)) as url:
        yield PagerDutyRecords("token", url)


@pytest.fixture
def rosters(records: PagerDutyRecords, clock: FakeClock) -> Rosters:
    return Rosters(records, OurService(KEY), clock)


def asked(pager: SandboxPagerDuty) -> int:
    """How often PagerDuty was asked who is on call."""
    return sum(one.path.endswith("/oncalls") for one in pager.ledger)


def test_the_service_that_we_page_is_found_by_our_key(rosters: Rosters) -> None:
    roster = rosters.of("")
    assert roster.service.name == "Sandbox service"
    assert [(one.level, one.person.name) for one in roster.on_call] == [
        (1, "Ana Lopez"),
        (2, "Ben Okafor"),
    ]
    assert rosters.of("sandbox SERVICE").on_call == roster.on_call


def test_an_answer_is_given_again_for_a_minute(
    rosters: Rosters, pager: SandboxPagerDuty, clock: FakeClock
) -> None:
    first = rosters.of("")
    clock.advance(59)
    assert rosters.of("") == first
    assert asked(pager) == 1
    clock.advance(1)
    assert rosters.of("").asked_at == first.asked_at + timedelta(minutes=1)
    assert asked(pager) == 2


def test_an_unknown_service_is_not_found(rosters: Rosters) -> None:
    with pytest.raises(NotFound, match="Did you mean “Sandbox service”"):
        rosters.of("Sandbx service")


def test_a_missing_permission_is_named(rosters: Rosters, pager: SandboxPagerDuty) -> None:
    pager.scopes = {"services.read"}
    with pytest.raises(PermanentError, match=r"oncalls\.read"):
        rosters.of("")


def test_without_a_token_it_is_said_what_to_set(clock: FakeClock) -> None:
    rosters = Rosters(None, OurService(KEY), clock)
    with pytest.raises(InvalidInput, match="PAGERDUTY_API_TOKEN"):
        rosters.of("")
    with pytest.raises(InvalidInput, match="PAGERDUTY_API_TOKEN"):
        rosters.gaps(IDS.get)


def test_gaps_are_those_of_policies_that_services_have(rosters: Rosters) -> None:
    assert rosters.gaps(IDS.get) == ()
    assert rosters.gaps({"ana@example.test": "U00000ANA"}.get) == (
        "Ben Okafor is on call, and no Slack user has their e-mail address ben@example.test.",
    )


def test_nobody_is_known_before_the_first_look(rosters: Rosters, clock: FakeClock) -> None:
    people = PeopleOnCall(rosters, IDS.get, clock)
    assert people() == ()
    people.look()
    assert people() == ("U00000ANA", "U00000BEN")
    ana, ben = InChat("U00000ANA", "Ana Lopez"), InChat("U00000BEN", "Ben Okafor")
    assert people.known() == (ana, ben)


def test_who_is_no_slack_user_is_left_out(rosters: Rosters, clock: FakeClock) -> None:
    people = PeopleOnCall(rosters, {"ben@example.test": "U00000BEN"}.get, clock)
    people.look()
    assert people() == ("U00000BEN",)


def test_while_pagerduty_is_dark_the_last_are_known_until_their_shift_ends(
    rosters: Rosters, pager: SandboxPagerDuty, clock: FakeClock
) -> None:
    people = PeopleOnCall(rosters, IDS.get, clock)
    people.look()
    pager.scopes = set()
    clock.advance(120)
    people.look()
    assert people() == ("U00000ANA", "U00000BEN")
    clock.advance(timedelta(days=1).total_seconds())
    people.look()
    assert people() == ("U00000BEN",), "Ana's shift has ended, and Ben is always on call"


def test_while_slack_is_dark_those_who_were_found_stay(rosters: Rosters, clock: FakeClock) -> None:
    dark = False

    def user_of(email: str) -> str | None:
        if dark:
            raise TemporaryError("Slack does not answer.")
        return IDS.get(email)

    people = PeopleOnCall(rosters, user_of, clock)
    people.look()
    dark = True
    clock.advance(120)
    people.look()
    assert people() == ("U00000ANA", "U00000BEN")
