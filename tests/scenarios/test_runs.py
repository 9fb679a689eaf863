"""Runbooks: planned, approved, run, verified, and put back when they fail."""

from __future__ import annotations

import pytest

from bot.domain.errors import IllegalTransition
from bot.domain.run_events import RunState
from tests.support.examples import BEN
from tests.support.harness import Harness

CHECKOUT = "payments/checkout"


def test_a_plan_is_shown_and_nothing_is_changed(h: Harness) -> None:
    """`/runbook plan` answers with what would happen; there is no run."""
    before = h.workload(CHECKOUT)
    assert "Planning restart@1.0.0" in h.command("ana", f"/runbook plan restart {CHECKOUT}")
    plan = h.slack.answers("ana")[-1]
    assert "Plan of restart@1.0.0" in plan
    assert "touches 3 pods" in plan
    assert h.workload(CHECKOUT) == before
    assert h.runs.newest() == []


def test_a_plan_may_be_for_an_incident_that_there_is(h: Harness) -> None:
    """The word is no parameter of the runbook."""
    assert "no incident INC-7" in h.command("ana", f"/runbook plan restart {CHECKOUT} incident=7")
    h.alert()
    h.command("ana", f"/runbook plan restart {CHECKOUT} incident=INC-1")
    assert "Plan of restart@1.0.0" in h.slack.answers("ana")[-1]


def test_a_run_waits_for_its_approval(h: Harness) -> None:
    """Ana asks, ben reads the plan and approves it, and then it runs."""
    h.command("ana", f"/runbook run restart {CHECKOUT}")
    h.fast_forward(minutes=10)
    assert h.run().state is RunState.AWAITING_APPROVAL
    waiting = h.message("run:1")
    assert "restartedAt" in waiting.text
    before = h.workload(CHECKOUT)["revision"]
    h.click("Run it", who="ben", on="run:1")
    h.fast_forward(minutes=5)
    done = h.run()
    assert (done.state, done.result) == (RunState.SUCCEEDED, "Done and verified.")
    assert (done.requested_by.name, done.approved_by and done.approved_by.name) == ("ana", "ben")
    assert h.message("run:1").ts == waiting.ts
    assert h.message("run:1").buttons == {}
    assert h.workload(CHECKOUT)["revision"] == before + 1


def test_a_run_is_called_off(h: Harness) -> None:
    """Ben does not like the plan; and a run that is called off is over."""
    h.command("ana", f"/runbook run restart {CHECKOUT}")
    h.click("Call it off", who="ben", on="run:1")
    assert h.run().result == "Called off by ben."
    assert h.message("run:1").buttons == {}
    with pytest.raises(IllegalTransition, match="is cancelled"):
        h.runs.cancel(1, BEN)


def test_a_plan_that_no_longer_holds_is_refused(h: Harness) -> None:
    """Somebody released a new version between the plan and its approval."""
    h.command("ana", f"/runbook run restart {CHECKOUT}")
    h.release(CHECKOUT, "1.9.1")
    before = h.workload(CHECKOUT)
    h.click("Run it", who="ben", on="run:1")
    assert h.run().state is RunState.REFUSED
    assert "was changed by somebody since it was planned" in h.message("run:1").text
    assert h.workload(CHECKOUT) == before


def test_pods_that_come_and_go_do_not_void_a_plan(h: Harness) -> None:
    """A crash loop changes the status all the time; what is wanted stays the same."""
    h.command("ana", "/runbook run rollback web/broken")
    h.fast_forward(minutes=20)
    h.click("Run it", who="ben", on="run:1")
    h.fast_forward(minutes=5)
    assert h.run().result == "Done and verified."
    assert h.workload("web/broken")["image"].endswith(":2.0.0")


def test_two_runs_on_one_target(h: Harness) -> None:
    """The second is refused, and names the first."""
    h.slack.command("ana", f"/restart {CHECKOUT} --yes")
    h.slack.command("ben", f"/rollback {CHECKOUT} --yes")
    h.fast_forward(minutes=5)
    assert h.run(1).state is RunState.SUCCEEDED
    assert h.run(2).state is RunState.REFUSED
    assert "Run 1 (restart@1.0.0 payments/checkout) is working on" in h.message("run:2").text


def test_two_runs_on_two_targets(h: Harness) -> None:
    """They don't concern each other."""
    h.slack.command("ana", f"/restart {CHECKOUT} --yes")
    h.slack.command("ben", "/restart web/frontend --yes")
    h.fast_forward(minutes=5)
    assert [h.run(1).state, h.run(2).state] == [RunState.SUCCEEDED, RunState.SUCCEEDED]


def test_a_rollback_to_what_crashes_is_put_back(h: Harness) -> None:
    """The earlier revision does not start: what ran before runs again, and all is told."""
    h.release("web/frontend", "crash")
    h.release("web/frontend", "4.4.0")
    h.alert("HighErrorRate", namespace="web", service="frontend")
    h.command("ana", "/rollback web/frontend timeout=60s --yes")
    h.fast_forward(minutes=5)
    assert h.run().state is RunState.COMPENSATED
    assert "What was changed has been put back." in h.message("run:1").text
    workload = h.workload("web/frontend")
    assert workload["image"].endswith(":4.4.0")
    assert (workload["ready"], workload["problem"]) == (2, "")
    told = "\n".join(h.timeline())
    assert "Step rollout failed: " in told
    assert "CrashLoopBackOff" in told
    assert "Undoing step rollback." in told
    assert "Ended compensated." in told


def test_a_failover_and_back(h: Harness) -> None:
    """The traffic moves to the standby pods, and home again."""
    h.command("ana", f"/failover {CHECKOUT}")
    h.click("Approve", who="ben", on="run:1")
    h.fast_forward(minutes=5)
    assert h.run(1).result == "Done and verified."
    assert h.workload("payments/checkout-standby")["services"] == ["checkout"]
    assert h.workload(CHECKOUT)["services"] == []
    h.command("ana", f"/failover {CHECKOUT} to=active")
    h.click("Approve", who="ben", on="run:2")
    h.fast_forward(minutes=5)
    assert h.run(2).result == "Done and verified."
    assert h.workload(CHECKOUT)["services"] == ["checkout"]


def test_a_failover_to_pods_that_are_not_there_is_refused(h: Harness) -> None:
    """It is found out when it is planned, and nothing is changed."""
    h.command("ana", f"/failover {CHECKOUT} to=nowhere --yes")
    assert h.run().state is RunState.REFUSED
    assert "role=nowhere" in h.message("run:1").text
    assert h.workload(CHECKOUT)["services"] == ["checkout"]


def test_a_health_address_that_answers_with_errors_fails_the_run(h: Harness) -> None:
    """The pods are ready, and still the service is not healthy: the run says so."""
    address = f"{h.url}/nothing-here"
    h.command("ana", f"/restart {CHECKOUT} health_url={address} --yes")
    h.fast_forward(minutes=10)
    assert h.run().state is RunState.FAILED
    assert f"{address} answers 404" in h.message("run:1").text


def test_a_workload_that_is_not_there_is_named(h: Harness) -> None:
    """The run is refused, nothing breaks, and the next one is not held up."""
    h.command("ana", "/restart payments/chekout --yes")
    assert h.run().state is RunState.REFUSED
    assert "payments/chekout" in h.message("run:1").text
    h.command("ana", f"/restart {CHECKOUT} --yes")
    h.fast_forward(minutes=5)
    assert h.run(2).state is RunState.SUCCEEDED


def test_a_run_belongs_to_the_incident_about_its_target(h: Harness) -> None:
    """By the workload's name, by the word of who asked, or because there is only one."""
    h.alert("HighErrorRate", namespace="web", service="frontend")
    h.alert("HighErrorRate")
    for words in (CHECKOUT, "web/broken", "web/broken incident=INC-1"):
        h.command("ana", f"/runbook run restart {words}")
    assert [h.run(number).incident_id for number in (1, 2, 3)] == [2, None, 1]
    assert "There is no incident INC-9" in h.command("ana", f"/restart {CHECKOUT} incident=9")
