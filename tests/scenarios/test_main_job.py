"""The main job, from the first alert to the story told."""

from __future__ import annotations

from bot.domain.timeline import markdown
from tests.support.harness import Harness

STORY = [
    "Alertmanager: Opened as P1: HighErrorRate: checkout in payments.",
    "Alertmanager: 1 alert fired: HighErrorRate on checkout. 1 firing now.",
    "Tocsin: The on-call engineer was paged (P1)",
    "Tocsin: Announced in #incidents.",
    "ana: Acknowledged.",
    "Tocsin: The pager was told of the acknowledgement",
    "ana: Asked for restart@1.0.0 workload=payments/checkout",
    "Tocsin: Planned. Only step 3 of 7 changes something.",
    "Tocsin: Started.",
    "Tocsin: Step status done: Deployment payments/checkout: 3 of 3 pods ready.",
    "Tocsin: Step restart began.",
    "Tocsin: Step restart done: Rolling restart of payments/checkout begun: 3 pods to replace.",
    "Tocsin: Step rollout done: Rollout of payments/checkout complete",
    "Tocsin: All steps done; verifying.",
    "Tocsin: Step ready done: Deployment payments/checkout: 3 pods ready, for 30s.",
    "Tocsin: Ended succeeded. Done and verified.",
    "Alertmanager: 1 alert resolved: HighErrorRate on checkout. 0 firing now.",
    "Alertmanager: Resolved. All its alerts are resolved.",
    "Tocsin: The pager was told of the resolution",
]


def tells(told: list[str], story: list[str]) -> bool:
    """Whether all of the story is told, in that order, whatever else is told between."""
    lines = iter(told)
    return all(any(line.startswith(wanted) for line in lines) for wanted in story)


def test_from_alert_to_story(h: Harness) -> None:
    """An alert pages and is announced; ana takes it, restarts, and it is over."""
    h.alert("HighErrorRate", severity="critical")
    (page,) = h.pager.incidents()
    assert (page.status, page.severity) == ("triggered", "error")
    announced = h.message("incident:1")
    assert "on-call paged" in announced.text
    assert list(announced.buttons) == ["Acknowledge", "Resolve"]

    h.click("Acknowledge", who="ana")
    assert "acknowledged by ana" in h.message().text
    assert h.pager.incident(page.id).status == "acknowledged"

    before = h.workload("payments/checkout")["revision"]
    answer = h.command("ana", "/restart payments/checkout --yes")
    assert "Run 1 is being planned" in answer
    assert "on the timeline of INC-1" in answer
    h.fast_forward(minutes=5)
    assert h.workload("payments/checkout")["revision"] == before + 1
    assert "Done and verified." in h.message("run:1").text

    h.resolve("HighErrorRate")
    assert h.pager.incident(page.id).status == "resolved"
    assert h.told_pager() == [("trigger", 202), ("acknowledge", 202), ("resolve", 202)]
    over = h.message("incident:1")
    assert over.ts == announced.ts
    assert list(over.buttons) == ["Reopen"]

    told = h.timeline()
    assert tells(told, STORY), "\n".join(told)
    incident, story = h.incidents.timeline(1)
    assert [one.at for one in story] == sorted(one.at for one in story)
    assert markdown(incident.title, story).count("\n| ") == len(story) + 2
    assert "Ended succeeded" in h.command("ben", "/incident timeline 1")


def test_a_ticket_pages_nobody(h: Harness) -> None:
    """A warning is P2: somebody has four hours, and nobody is woken."""
    h.alert("DiskFillingUp", severity="warning")
    assert h.told_pager() == []
    message = h.message()
    assert "P2 Medium" in message.text
    assert "none; ticket, due" in message.text
    assert any("Ticket entered; a response is due by" in line for line in h.timeline())
    h.resolve("DiskFillingUp")
    assert h.told_pager() == []
    assert h.incident().state == "resolved"


def test_two_problems_are_two_incidents(h: Harness) -> None:
    """What differs in service or alert name has an incident, a page and a message of its own."""
    h.alert("HighErrorRate")
    h.alert("HighErrorRate", service="frontend", namespace="web")
    h.alert("HighLatency")
    assert len({page.dedup_key for page in h.pager.incidents()}) == 3
    assert [one.subject for one in h.slack.messages()] == ["incident:1", "incident:2", "incident:3"]
    h.click("Resolve", on="incident:2")
    assert [page.status for page in h.pager.incidents()] == ["triggered", "resolved", "triggered"]
