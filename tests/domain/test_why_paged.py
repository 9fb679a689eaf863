from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.actor import TOCSIN
from bot.domain.classify import Severity
from bot.domain.incident import Incident, IncidentState, PageState
from bot.domain.incident_events import Absorbed, IncidentEvent, Suppressed, Unsuppressed
from bot.domain.page_events import PageAction, PageDelayed, PageRefused, PageSent
from bot.domain.storm import STORM_KEY
from bot.domain.ticket import TicketState
from bot.domain.timeline import Recorded
from bot.domain.why_paged import why_paged
from tests.support.examples import NOW, TICKET, incident
from tests.support.windows import window

PAGED = PageState(PageAction.TRIGGER, Severity.P1)
ENDED = PageState(PageAction.RESOLVE, Severity.P1)
RESPOND = "Somebody must respond by 01 Mar 04:00:00 UTC."
SENT = PageSent(PageAction.TRIGGER, Severity.P1)


def story(about: Incident, *events: IncidentEvent) -> list[str]:
    """What is said after these events, one a minute."""
    recorded = [
        Recorded(number, NOW + timedelta(minutes=number), TOCSIN, event, 7)
        for number, event in enumerate(events)
    ]
    return list(why_paged(about, recorded, {3: window(3)}))


@pytest.mark.parametrize(
    ("about", "events", "said"),
    [
        (incident(), (), ["Nobody was paged.", "The page is on its way.", RESPOND]),
        (
            incident(page=PAGED),
            (SENT,),
            [
                "The on-call engineer was paged: 01 Mar 03:00:00 UTC as P1.",
                "The page stands: nobody has acknowledged it.",
                RESPOND,
            ],
        ),
        (
            incident(Severity.P2, ticket_due_at=NOW),
            (),
            [
                "Nobody was paged.",
                "P2 pages nobody; such levels become tickets.",
                "A ticket was opened; a response is due by 01 Mar 03:00:00 UTC.",
            ],
        ),
        (
            incident(Severity.P2, ticket_due_at=NOW, ticket=TicketState("digest", TICKET)),
            (),
            [
                "Nobody was paged.",
                "P2 pages nobody; such levels become tickets.",
                "A ticket was opened; a response is due by 01 Mar 03:00:00 UTC.",
                "The ticket is memory#1: https://memory.example/1",
            ],
        ),
        (
            incident(
                Severity.P2,
                ticket_due_at=NOW,
                ticket=TicketState("digest", replace(TICKET, url="")),
            ),
            (),
            [
                "Nobody was paged.",
                "P2 pages nobody; such levels become tickets.",
                "A ticket was opened; a response is due by 01 Mar 03:00:00 UTC.",
                "The ticket is memory#1.",
            ],
        ),
        (
            incident(state=IncidentState.ACKNOWLEDGED),
            (),
            ["Nobody was paged.", "Somebody took it before a page went out."],
        ),
        (
            incident(state=IncidentState.RESOLVED),
            (),
            ["Nobody was paged.", "It was over before a page went out."],
        ),
        (
            incident(Severity.P2, page=ENDED),
            (SENT,),
            [
                "The on-call engineer was paged: 01 Mar 03:00:00 UTC as P1.",
                "The page has ended. P2 pages nobody.",
            ],
        ),
        (
            incident(group_key=STORM_KEY),
            (),
            [
                "Nobody was paged.",
                "The page is on its way.",
                RESPOND,
                "It gathers a storm of alerts, so that one page stands for all of them.",
            ],
        ),
    ],
)
def test_why_somebody_or_nobody_was_paged(
    about: Incident, events: tuple[IncidentEvent, ...], said: list[str]
) -> None:
    assert story(about, *events) == said


def test_the_latest_pages_are_named_and_the_others_counted() -> None:
    first = story(incident(page=PAGED), *[SENT] * 5)[0]
    assert first.count(" as P1") == 3
    assert first.endswith("03:04:00 UTC as P1, 2 earlier.")


def test_a_window_that_covers_it_is_named_until_its_end() -> None:
    said = story(incident(suppressed_by=3), Suppressed(3, "Upgrade."))
    assert said == [
        "Nobody was paged.",
        "A maintenance window covers all that fires; nobody is woken.",
        "MW-3 covered it since 01 Mar 03:00:00 UTC: Upgrade.",
        "MW-3 ends 01 Mar 04:00:00 UTC; what still fires pages then.",
    ]


def test_a_page_that_a_window_ended() -> None:
    paged = incident(suppressed_by=3, page=PAGED)
    assert "A maintenance window covers all that fires; the page is ended." in story(paged, SENT)
    ended = incident(suppressed_by=3, page=ENDED)
    assert "The page has ended." in story(ended, SENT)


def test_windows_that_covered_it_for_a_while() -> None:
    events = (Suppressed(3, "A."), Suppressed(4, "B."), Unsuppressed("Over."), Suppressed(3, "C."))
    said = story(incident(state=IncidentState.RESOLVED, suppressed_by=3), *events)
    assert said[2:] == [
        "MW-3 covered it from 01 Mar 03:00:00 UTC to 01 Mar 03:01:00 UTC: A.",
        "MW-4 covered it from 01 Mar 03:01:00 UTC to 01 Mar 03:02:00 UTC: B.",
        "MW-3 covered it since 01 Mar 03:03:00 UTC: C.",
    ]


def test_what_absorbed_it_is_named() -> None:
    absorbed = incident(state=IncidentState.RESOLVED, absorbed_by=5)
    assert "It is a part of INC-5 (Node down), which pages instead." in story(
        absorbed, Absorbed(5, "Node down")
    )


def test_trouble_with_the_pager_is_told_until_it_is_over() -> None:
    delayed = PageDelayed(PageAction.TRIGGER, "It timed out.", 3, 4.5)
    refused = PageRefused(PageAction.TRIGGER, "Invalid routing key")
    assert story(incident(), delayed)[-2] == (
        "Try 3 to reach the pager failed, 01 Mar 03:00:00 UTC: It timed out."
    )
    page = PageState(PageAction.TRIGGER, Severity.P1, "Invalid routing key")
    assert story(incident(page=page), delayed, refused)[1:] == [
        "The pager would refuse it again; a person has to look at its settings.",
        "The pager refused it, 01 Mar 03:01:00 UTC: Invalid routing key",
        RESPOND,
    ]
    assert len(story(incident(page=PAGED), delayed, refused, SENT)) == 3
