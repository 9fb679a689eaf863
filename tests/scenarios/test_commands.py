"""What is typed in Slack, well and badly, and what comes back."""

from __future__ import annotations

import pytest

from bot.domain.incident import IncidentState
from tests.support.harness import Harness


@pytest.mark.parametrize(
    ("typed", "answers"),
    [
        ("/incident akc 1", ["Did you mean “ack”?", "/incident ack ID: you have it"]),
        ("/incident ack", ["The number is missing.", "/incident ack ID"]),
        ("/incident show 99", ["There is no incident INC-99."]),
        ("/incident note 1", ["The note is empty"]),
        ("/incident close 1", ["INC-1 is triggered; you can’t close it."]),
        ("/runbook statsu", ["Did you mean “status”?", "/runbook status [RUN]"]),
        ("/runbook status 7", ["There is no run 7."]),
        ("/runbook show restrat", ["There is no runbook “restrat”", "did you mean restart?"]),
        ("/runbook show restart@9.9.9", ["has no version “9.9.9”", "1.0.0"]),
        ("/restart", ["workload is missing.", "Usage: restart <workload>"]),
        ("/restart help", ["/restart is short for /runbook run restart"]),
        ("/restart checkout", ["workload must be a Deployment as namespace/name"]),
        ("/restart a/b c=d", ["restart has no parameter “c”", "Usage: restart <workload>"]),
        ("/restart a/b 10s 5s '' '' x", ["Usage: restart <workload>"]),
        ('/restart "a/b', ["A quotation mark has no partner"]),
    ],
)
def test_mistakes_are_answered_with_the_way_out(h: Harness, typed: str, answers: list[str]) -> None:
    """Nothing is done, and whoever typed it reads what would have worked."""
    h.alert("HighErrorRate")
    before = h.timeline()
    answer = h.command("ana", typed)
    for words in answers:
        assert words in answer
    assert h.timeline() == before
    assert h.runs.newest() == []


def test_everything_that_can_be_asked_about_an_incident(h: Harness) -> None:
    """From the open list to the story."""
    assert "No open incidents." in h.command("ana", "/incident list")
    h.alert("HighErrorRate")
    h.alert("DiskFillingUp", severity="warning")
    listed = h.command("ana", "/incident list")
    assert listed.index("INC-2 P2 triggered") < listed.index("INC-1 P1 triggered")
    shown = h.command("ana", "/incident show 1")
    assert "firing: HighErrorRate on checkout" in shown
    assert "Whoever wrote the alert marked it as critical." in shown
    assert "INC-2 is resolved" in h.command("ben", "/incident resolve 2")
    assert "INC-2" not in h.command("ana", "/incident list")
    assert "INC-2 P2 resolved" in h.command("ana", "/incident list all")
    assert "ben: Resolved. A person said so." in h.command("ana", "/incident timeline inc-2")


def test_an_incident_goes_through_all_its_states(h: Harness) -> None:
    """Taken, given back, taken, mitigated, resolved, reopened, resolved, closed."""
    h.alert("HighErrorRate")
    for words, state in (
        ("ack", IncidentState.ACKNOWLEDGED),
        ("unack", IncidentState.TRIGGERED),
        ("ack", IncidentState.ACKNOWLEDGED),
        ("mitigate", IncidentState.MITIGATED),
        ("resolve", IncidentState.RESOLVED),
        ("reopen", IncidentState.TRIGGERED),
        ("resolve", IncidentState.RESOLVED),
        ("close", IncidentState.CLOSED),
    ):
        assert f"INC-1 is {state}" in h.command("ana", f"/incident {words} 1")
        assert h.incident().state is state
    assert [page.status for page in h.pager.incidents()] == ["resolved", "resolved"]
    assert h.message().buttons == {}


def test_two_people_press_at_once(h: Harness) -> None:
    """The first has it; the second reads who was faster."""
    h.alert("HighErrorRate")
    h.slack.click("ana", "Acknowledge", "incident:1")
    h.slack.click("ben", "Acknowledge", "incident:1")
    h.settle()
    assert "acknowledged by ana" in h.message().text
    assert "already acknowledged by ana" in h.slack.answers("ben")[-1]


def test_what_the_runbooks_are(h: Harness) -> None:
    """Names, parameters and steps can be read before anything is run."""
    listed = h.command("ana", "/runbook list")
    assert all(
        name in listed for name in ("restart: ", "failover: ", "rollback: ", "security-patch: ")
    )
    shown = h.command("ana", "/runbook show rollback")
    assert "[revision=previous]" in shown
    assert "[kubernetes.rollout_undo]" in shown
    assert "none yet" in h.command("ana", "/runbook status")
    h.command("ana", "/restart payments/checkout --yes")
    h.fast_forward(minutes=5)
    assert "run 1 succeeded: restart@1.0.0" in h.command("ana", "/runbook status")
    assert "Done and verified." in h.command("ana", "/runbook status 1")
