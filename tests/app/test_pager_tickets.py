"""Tickets at PagerDuty: its real client, against its stand-in over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.adapters.pagerduty import PagerDutyPager
from bot.adapters.pagerduty_rest import PagerDutyRecords
from bot.app.pager_tickets import PagerTickets
from bot.domain.classify import Severity
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.ticket import TicketRef
from bot.sandbox.pagerduty import SandboxPagerDuty, pagerduty_app
from bot.sandbox.pagerduty.records import Incident
from tests.support.examples import NOW
from tests.support.serve import serve
from tests.support.tickets import a_ticket

KEY = "0123456789abcdef0123456789abcdef"
TICKET = a_ticket()
OVER = replace(TICKET, over=True)


class World:
    """PagerDuty, which takes events with `KEY`, and the tickets there."""

    def __init__(self, pager: SandboxPagerDuty, url: str) -> None:
        self.pager = pager
        self.url = url
        self.records = PagerDutyRecords("token", url)
        self.tickets = PagerTickets(PagerDutyPager(KEY, url), KEY)
        self.looking = PagerTickets(PagerDutyPager(KEY, url), KEY, self.records)

    def standing(self) -> Incident:
        (incident,) = self.pager.incidents()
        return incident

    def states(self) -> list[str]:
        return [one.status for one in self.pager.incidents()]


@pytest.fixture(scope="module")
def shared_world() -> Iterator[World]:
    pager = SandboxPagerDuty(now=lambda: NOW, routing_keys={KEY})
    with serve(pagerduty_app(pager)) as url:
        yield World(pager, url)


@pytest.fixture(params=[True, False], ids=["keys", "alerts"])
def world(shared_world: World, request: pytest.FixtureRequest) -> World:
    """Of a service whose incidents bear the key, and of one that creates alerts."""
    shared_world.pager.load({"incidents": []})
    shared_world.pager.ledger.clear()
    shared_world.pager.scopes = None
    shared_world.pager.incident_keys = request.param
    return shared_world


def test_a_ticket_is_an_incident_of_low_urgency(world: World) -> None:
    ref = world.tickets.create(TICKET)
    key = "tocsin-0123456789abcdef-ticket"
    assert ref == TicketRef(world.tickets.place, key, f"{key} in PagerDuty", "")
    stands = world.standing()
    assert (stands.title, stands.dedup_key) == (TICKET.title, key)
    assert stands.details["ticket"] == TICKET.text
    assert (stands.client_url, stands.urgency) == (TICKET.link, "low")


def test_it_is_created_once_however_often_it_is_tried(world: World) -> None:
    ref = world.tickets.create(TICKET)
    assert world.tickets.create(TICKET) == ref
    assert world.tickets.find(TICKET) == ref
    world.tickets.update(ref, TICKET)
    assert world.states() == ["triggered"]


def test_an_answer_that_got_lost_makes_no_second_one(world: World) -> None:
    world.pager.lose_response_next()
    with pytest.raises(TemporaryError):
        world.tickets.create(TICKET)
    world.tickets.create(TICKET)
    assert world.states() == ["triggered"]


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        (Severity.P3, "info"),
        (Severity.P2, "warning"),
        (Severity.P1, "warning"),
        (Severity.P0, "warning"),
    ],
)
def test_its_severity_is_its_level_and_never_urgent(
    world: World, level: Severity, severity: str
) -> None:
    """What became worse pages by itself; PagerDuty would not take an urgency back."""
    world.tickets.create(replace(TICKET, severity=level))
    assert (world.standing().severity, world.standing().urgency) == (severity, "low")


def test_it_is_changed_closed_and_opened_again(world: World) -> None:
    ref = world.tickets.create(TICKET)
    world.tickets.update(ref, replace(TICKET, title="P2 It is DNS"))
    assert world.standing().alert_summary == "P2 It is DNS"
    world.tickets.close(ref, OVER)
    world.tickets.close(ref, OVER)
    assert world.states() == ["resolved"]
    world.tickets.reopen(ref, TICKET)
    world.tickets.reopen(ref, TICKET)
    assert world.states() == ["resolved", "triggered"]


def test_what_changes_on_one_that_is_over_opens_none(world: World) -> None:
    """There a trigger would open another; the alert that is resolved says what was so."""
    ref = world.tickets.create(TICKET)
    world.tickets.close(ref, OVER)
    world.tickets.update(ref, OVER)
    assert world.states() == ["resolved"]


def test_one_that_was_never_created_can_be_closed(world: World) -> None:
    ref = world.tickets.find(OVER)
    assert ref is not None
    world.tickets.close(ref, OVER)
    assert world.states() == []


def test_what_a_person_resolved_there_stays_so(world: World) -> None:
    ref = world.looking.create(TICKET)
    world.pager.resolve("Q000001", "Ada")
    world.looking.update(ref, TICKET)
    assert world.states() == ["resolved"]
    world.looking.reopen(ref, TICKET)
    world.looking.update(ref, replace(TICKET, title="Again"))
    assert world.states() == ["resolved", "triggered"]
    assert world.pager.incidents()[1].alert_summary == "Again"


def test_who_cannot_look_opens_it_anew(world: World) -> None:
    """Without a token, or with one that may not look: an incident too many hides nothing."""
    ref = world.tickets.create(TICKET)
    world.pager.resolve("Q000001", "Ada")
    world.tickets.update(ref, TICKET)
    assert world.states() == ["resolved", "triggered"]
    world.pager.scopes = {"oncalls.read"}
    world.pager.resolve("Q000002", "Ada")
    world.looking.update(ref, TICKET)
    assert world.states() == ["resolved", "resolved", "triggered"]


def test_places_differ_by_the_key_and_show_nothing_of_it(world: World) -> None:
    other = PagerTickets(PagerDutyPager("f" * 32, world.url), "f" * 32)
    assert other.place != world.tickets.place
    assert KEY[:8] not in world.tickets.place


def test_pagerduty_limits_us(world: World) -> None:
    world.pager.fail_next(429, retry_after=30)
    with pytest.raises(TemporaryError) as limited:
        world.tickets.create(TICKET)
    assert limited.value.retry_after == 30


def test_an_event_that_is_refused_is_sent_once_more_with_little_in_it(world: World) -> None:
    world.pager.fail_next(400)
    world.tickets.create(TICKET)
    assert (world.standing().title, world.standing().details) == (TICKET.title, {})


def test_hostile_texts_stay_text(world: World) -> None:
    text = "<script>\u202e\ud800\0 ${x} <!channel>\n" + "é" * 600_000
    world.tickets.create(replace(TICKET, title=text, text=text))
    assert world.standing().title.startswith("<script>")


def test_the_key_is_tried_and_nothing_is_written(world: World) -> None:
    assert "PAGERDUTY_TICKET_ROUTING_KEY" in world.tickets.verify()
    assert (len(world.pager.ledger), world.states()) == (1, [])


def test_a_wrong_key_is_named_by_its_setting(world: World) -> None:
    wrong = PagerTickets(PagerDutyPager("f" * 32, world.url), "f" * 32)
    ref = wrong.find(TICKET)
    assert ref is not None
    for call in (
        wrong.verify,
        lambda: wrong.create(TICKET),
        lambda: wrong.close(ref, OVER),
    ):
        with pytest.raises(PermanentError, match=r"^PAGERDUTY_TICKET_ROUTING_KEY: .*Invalid"):
            call()
