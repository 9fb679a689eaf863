"""What people do in PagerDuty: it is done here too, and nothing goes round in circles."""

from __future__ import annotations

import hmac
import json

import pytest
import requests

from bot.domain.classify import Severity
from bot.domain.incident import IncidentState
from bot.sandbox.pagerduty.records import Incident as Page
from tests.support.harness import Harness
from tests.support.stand_ins import PAGERDUTY_SECRET

DANA, ED = "Dana Doe", "Ed Eve"


@pytest.fixture(params=[True, False], ids=["keys", "alerts"])
def page(request: pytest.FixtureRequest, h: Harness) -> Page:
    """A page: of a service whose webhooks name the key, and of one that creates alerts."""
    h.pager.incident_keys = request.param
    h.alert("HighErrorRate")
    (made,) = h.pager.incidents()
    return made


def asked(h: Harness) -> list[str]:
    """What the pager was asked, besides being told events."""
    prefix = "/stand-ins/pagerduty"
    requests = [one for one in h.pager.ledger if "/v2/" not in one.path]
    return [f"{one.method} {one.path.removeprefix(prefix)}" for one in requests]


def test_a_page_is_confirmed(h: Harness, page: Page) -> None:
    """By the webhook of its trigger, whether that names the key or not."""
    assert page.status == "triggered"
    assert "Tocsin: The page is confirmed by PagerDuty’s webhook." in h.timeline()


def test_all_decisions_are_done_here_in_the_persons_name(h: Harness, page: Page) -> None:
    """Dana takes it, it lapses, Ed resolves it and Dana thinks better of it."""
    h.pager.acknowledge(page.id, DANA)
    h.settle()
    assert h.incident().state is IncidentState.ACKNOWLEDGED
    h.pager.unacknowledge(page.id)
    h.settle()
    assert h.incident().state is IncidentState.TRIGGERED
    h.pager.resolve(page.id, ED)
    h.settle()
    assert h.incident().state is IncidentState.RESOLVED
    h.pager.reopen(page.id, DANA)
    h.settle()
    assert h.incident().state is IncidentState.TRIGGERED
    assert [line for line in h.timeline() if line.startswith((DANA, ED, "PagerDuty"))] == [
        f"{DANA}: Acknowledged.",
        "PagerDuty: Given back; nobody has it now.",
        f"{ED}: Resolved. A person said so.",
        f"{DANA}: Reopened. A person said so.",
    ]
    assert h.told_pager() == [("trigger", 202)]


def test_what_else_is_done_there_is_on_the_timeline(h: Harness, page: Page) -> None:
    """Whose it is now, how important, and what was written."""
    h.pager.reassign(page.id, ED, DANA)
    h.pager.escalate(page.id)
    h.pager.delegate(page.id, DANA)
    h.pager.prioritize(page.id, "P1", DANA)
    h.pager.annotate(page.id, "It is the database.", ED)
    h.settle()
    assert h.incident().state is IncidentState.TRIGGERED
    kinds = ("Reassigned", "Escalated", "Given to", "Priority", "Note")
    told = [line for line in h.timeline() if line.partition(": ")[2].startswith(kinds)]
    assert told[0] == f"{DANA}: Reassigned in PagerDuty to: {ED}"
    assert told[1].startswith("PagerDuty: Escalated in PagerDuty to: ")
    assert told[2].startswith(f"{DANA}: Given to another escalation policy in PagerDuty, now with")
    assert told[3:] == [
        f"{DANA}: Priority in PagerDuty: P1",
        f"{ED}: Note in PagerDuty: It is the database.",
    ]
    assert h.told_pager() == [("trigger", 202)]


def test_one_question_tells_which_page_it_is(h: Harness) -> None:
    """What was learned at the trigger holds for all that follows."""
    h.pager.incident_keys = False
    h.alert("HighErrorRate")
    (page,) = h.pager.incidents()
    assert asked(h) == [f"GET /incidents/{page.id}/alerts"]
    h.pager.acknowledge(page.id, DANA)
    h.pager.annotate(page.id, "I have it.", DANA)
    h.settle()
    assert h.incident().state is IncidentState.ACKNOWLEDGED
    assert len(asked(h)) == 1


def test_what_is_not_ours_is_left_alone(h: Harness) -> None:
    """Another tool pages the same service."""
    h.pager.incident_keys = False
    h.alert("HighErrorRate")
    foreign = {
        "routing_key": "6" * 32,
        "event_action": "trigger",
        "dedup_key": "another-tool",
        "payload": {"summary": "Disk", "severity": "critical", "source": "db"},
    }
    h.pager.apply(foreign)
    h.settle()
    before = h.timeline()
    h.pager.resolve(h.pager.incidents()[-1].id, ED)
    h.settle()
    assert h.timeline() == before
    assert h.incident().state is IncidentState.TRIGGERED


def test_a_note_from_slack_is_written_to_pagerduty_once(h: Harness, page: Page) -> None:
    """Its webhook comes back, and it is nobody's news."""
    h.command("ana", "/incident note 1 It is DNS.")
    h.fast_forward(minutes=5)
    assert [note.text for note in page.notes] == ["ana (INC-1 in Tocsin): It is DNS."]
    assert [line for line in h.timeline() if "DNS" in line] == ["ana: Note: It is DNS."]
    assert h.queue.waiting() == []


def test_a_note_is_written_though_the_answer_gets_lost(h: Harness, page: Page) -> None:
    """It was taken and nobody knows: it is still one note."""
    h.pager.fail_next(503, times=2)
    h.command("ana", "/incident note 1 It is DNS.")
    h.pager.lose_response_next(3)
    h.fast_forward(minutes=5)
    assert len(page.notes) == 1
    assert [line for line in h.timeline() if "DNS" in line] == ["ana: Note: It is DNS."]


def test_a_note_on_what_was_never_paged_waits_for_nothing(h: Harness) -> None:
    """The page is refused, so PagerDuty has no incident to write on."""
    h.pager.routing_keys = {"9" * 32}
    h.alert("HighErrorRate")
    h.command("ana", "/incident note 1 It is DNS.")
    h.command("ana", "/incident resolve 1")
    h.fast_forward(minutes=5)
    assert h.queue.waiting() == []
    assert h.pager.incidents() == []


def test_a_note_on_a_ticket_is_no_news_for_pagerduty(h: Harness) -> None:
    """It never paged, and PagerDuty knows nothing of it."""
    h.alert("CertificateExpiresSoon", severity="warning")
    assert not h.incident().severity.pages
    h.command("ana", "/incident note 1 Renewing it.")
    h.fast_forward(minutes=5)
    assert asked(h) == []


def test_the_urgency_follows_the_level(h: Harness, page: Page) -> None:
    """It was made low at PagerDuty; then it gets worse."""
    h.pager.set_urgency(page.id, "low", DANA)
    h.set_level(Severity.P0)
    h.settle()
    assert page.urgency == "high"
    told = len(asked(h))
    h.set_level(Severity.P1)
    assert page.urgency == "high"
    assert not any(line.startswith("PUT") for line in asked(h)[told:])


def test_an_acknowledgement_goes_each_way_once(h: Harness, page: Page) -> None:
    """Ana's in Slack is told to PagerDuty, and its echo changes nothing."""
    h.click("Acknowledge")
    h.fast_forward(minutes=2)
    assert h.told_pager() == [("trigger", 202), ("acknowledge", 202)]
    assert page.status == "acknowledged"
    acknowledged = [line for line in h.timeline() if line.endswith(": Acknowledged.")]
    assert acknowledged == ["ana: Acknowledged."]


def test_an_event_that_nobody_knows_is_kept_and_changes_nothing(h: Harness) -> None:
    """PagerDuty has learned something new; who wonders what it was can read it for a week."""
    h.alert("HighErrorRate")
    before = h.timeline()
    data = {"id": h.pager.incidents()[0].id, "type": "incident"}
    event = {"id": "E99", "event_type": "incident.something.new", "data": data}
    body = json.dumps({"event": {**event, "occurred_at": h.clock.now().isoformat()}}).encode()
    signature = f"v1={hmac.new(PAGERDUTY_SECRET.encode(), body, 'sha256').hexdigest()}"
    for _ in range(2):
        headers = {"X-PagerDuty-Signature": signature}
        answer = requests.post(
            f"{h.url}/webhooks/pagerduty", data=body, headers=headers, timeout=10
        )
        assert answer.status_code == 200
    h.settle()
    with h.store.read() as reader:
        (kept,) = reader.unknown_pager_events()
    assert (kept.event_id, kept.event_type) == ("E99", "incident.something.new")
    assert kept.body == body.decode()
    assert h.timeline() == before
