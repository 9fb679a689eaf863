from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.actor import TOCSIN
from bot.domain.classify import Severity
from bot.domain.incident_events import (
    Absorbed,
    AlertsTakenOver,
    NoteAdded,
    Quieted,
    SeverityOverridden,
    SeverityRaised,
    SilenceCreated,
    SilenceRefused,
    Suppressed,
    Unsuppressed,
)
from bot.domain.page_events import PageAction, PageSent
from bot.domain.run_events import RunRequested, StepFinished
from bot.domain.ticket import TicketAction
from bot.domain.ticket_events import (
    FollowUpAdded,
    FollowUpDone,
    FollowUpReopened,
    TicketDelayed,
    TicketRefused,
    TicketTold,
)
from bot.domain.timeline import Entry, Event, Recorded, entries, markdown, sentence
from tests.support.examples import ANA, EVENTS, NOW, TICKET, change, classification

HOSTILE = (
    "<script>alert(1)</script> | `code` [link](javascript:x) ![](http://t) **b** \\| &lt;\n# h"
)


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_every_event_has_a_sentence(kind: type[Event]) -> None:
    text = sentence(EVENTS[kind])
    assert text == text.strip()
    assert text[0].isupper() or text[0].isdigit()


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            SeverityRaised(Severity.P2, classification(Severity.P0)),
            "Raised from P2 to P0. Rule rule-P0: It is P0.",
        ),
        (
            change(fired=7, resolved=1, firing=6, unseen=2),
            "7 alerts fired: an alert, an alert, an alert, an alert, an alert and 2 more; "
            "1 alert resolved: an alert. "
            "6 firing now, and 2 more that Alertmanager left out.",
        ),
        (change(firing=1), "Alerts changed. 1 firing now."),
        (
            TicketTold(TicketAction.CREATE, TICKET, ""),
            "Ticket memory#1 is entered: https://memory.example/1",
        ),
        (
            TicketTold(TicketAction.CLOSE, replace(TICKET, url=""), ""),
            "Ticket memory#1 is closed.",
        ),
        (
            TicketDelayed(TicketAction.CLOSE, "GitHub answered 502.", 10, 59.6),
            "Try 10 to close the ticket failed: GitHub answered 502. Next try in 60 s.",
        ),
        (
            TicketRefused(TicketAction.CREATE, "Set another token.", ""),
            "The tracker refused to create the ticket: Set another token.",
        ),
        (
            TicketTold(TicketAction.CREATE, TICKET, "", 2),
            "Ticket memory#1 of follow-up 2 is entered: https://memory.example/1",
        ),
        (FollowUpAdded(2, "Add an index."), "Follow-up 2: Add an index."),
        (FollowUpDone(2), "Follow-up 2 is done."),
        (
            FollowUpReopened(2),
            "Follow-up 2 is to be done again.",
        ),
        (
            replace(change(resolved=1), note="No webhook told it."),
            "1 alert resolved: an alert. 0 firing now. No webhook told it.",
        ),
        (
            SeverityOverridden(Severity.P1, Severity.P2, "Only one customer."),
            "Set from P1 to P2 by hand. Only one customer.",
        ),
        (
            Suppressed(3, "Moving the database."),
            "Nobody is woken: maintenance window MW-3 covers it. Moving the database.",
        ),
        (
            Unsuppressed("It is over."),
            "No maintenance window covers it any more. It is over.",
        ),
        (
            Quieted(NOW),
            "Nothing fires any more; it flaps, so it stays open until 03:00:00 UTC.",
        ),
        (
            Absorbed(5, "NodeDown: n1"),
            "It is a part of INC-5 (NodeDown: n1), which has its alerts from now on.",
        ),
        (
            AlertsTakenOver(8, "PodCrashLooping: api", 4),
            "Took over the alerts of INC-8 (PodCrashLooping: api). 4 firing now.",
        ),
        (
            SilenceCreated("a-b-c", NOW),
            "Silenced in Alertmanager until 2026-03-01 03:00 UTC (a-b-c).",
        ),
        (SilenceRefused("It is read-only."), "Alertmanager was not silenced: It is read-only."),
        (
            PageSent(PageAction.TRIGGER, Severity.P1),
            "The on-call engineer was paged (P1); the pager accepted it.",
        ),
        (
            RunRequested("restart@1.0.0", {"workload": "payments/checkout", "health_url": ""}),
            "Asked for restart@1.0.0 workload=payments/checkout.",
        ),
        (
            EVENTS[StepFinished],
            "Step change done (found done after an interruption): It is done.",
        ),
    ],
)
def test_what_sentences_say(event: Event, text: str) -> None:
    assert sentence(event) == text


def test_the_story_is_told_in_the_order_of_the_commits() -> None:
    second = Recorded(2, NOW, TOCSIN, NoteAdded("second"), incident_id=7, run_id=3)
    first = Recorded(1, NOW + timedelta(seconds=5), ANA, NoteAdded("first"), incident_id=7)
    assert entries([second, first]) == (
        Entry(first.at, "NoteAdded", "ana", "Note: first"),
        Entry(second.at, "NoteAdded", "Tocsin", "Note: second", run_id=3),
    )


def test_markdown_is_a_table_with_a_line_for_each_entry() -> None:
    story = entries([Recorded(1, NOW, ANA, NoteAdded("Looking."), run_id=3)])
    assert markdown("INC-7: HighErrorRate", story) == (
        "# INC-7: HighErrorRate\n\n"
        "| time (UTC) | who | what |\n"
        "| --- | --- | --- |\n"
        "| 2026-03-01 03:00:00 | ana | run 3: Note: Looking. |\n"
    )


def cells(row: str) -> list[str]:
    """A table row's cells, as Markdown reads them: only a bare pipe parts two of them."""
    return re.split(r"(?<!\\)(?:\\\\)*\|", row)


@given(st.text())
def test_no_text_breaks_out_of_its_cell(text: str) -> None:
    told = markdown(text, [Entry(NOW, "NoteAdded", text, text)])
    assert told.count("\n") == 5
    row = told.splitlines()[4]
    assert len(cells(row)) == 5
    assert row.startswith("| 2026-03-01 03:00:00 | ")


@pytest.mark.parametrize("markup", ["`", "*", "_", "[", "]", "~"])
def test_no_text_becomes_markup(markup: str) -> None:
    told = markdown(markup, [Entry(NOW, "NoteAdded", markup, f"a{markup}b")])
    assert told.count(markup) == told.count(f"\\{markup}") == 3


def test_hostile_text_stays_readable_text() -> None:
    row = markdown("x", [Entry(NOW, "NoteAdded", "ana", HOSTILE)]).splitlines()[4]
    assert "<" not in row
    assert "&lt;script>alert(1)&lt;/script>" in row
    assert "&amp;lt; # h |" in row


@pytest.mark.parametrize("character", ["\x1b", "\x07", "\x9b", "\u202e"])
def test_no_text_speaks_to_the_terminal(character: str) -> None:
    told = markdown("x", [Entry(NOW, "NoteAdded", "ana", f"a{character}[31mb")])
    assert character not in told
