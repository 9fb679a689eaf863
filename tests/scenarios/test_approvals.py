"""Runs that need people: approvals, a broken glass, pauses, steps by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters.runbook_lock import write_lock
from bot.adapters.runbooks import RunbookFolder
from bot.app.runs import Runs
from bot.domain.access_policy import Role
from bot.domain.errors import InvalidInput
from bot.domain.run_events import RunState
from bot.steps.registry import step_kinds
from tests.support.examples import ANA, BEN
from tests.support.harness import Harness
from tests.support.runbook_folder import add

CHECKOUT = "payments/checkout"
STANDBY = "payments/checkout-standby"


def has_failed_over(h: Harness) -> bool:
    """Whether checkout's traffic goes to its standby."""
    services: list[str] = h.workload(STANDBY)["services"]
    return services == ["checkout"]


def test_a_failover_needs_somebody_else(h: Harness) -> None:
    """Ana asks and can't approve it herself, not even in advance; ben can."""
    h.command("ana", f"/failover {CHECKOUT} --yes")
    waiting = h.message("run:1")
    assert "It needs 1 approval (1 approver) by others than ana (rule high-risk)" in waiting.text
    h.click("Approve", who="ana", on="run:1")
    assert "ana asked for this run; somebody else has to approve it." in h.slack.answers("ana")[-1]
    assert h.run().state is RunState.AWAITING_APPROVAL
    assert not has_failed_over(h)

    h.click("Approve", who="ben", on="run:1")
    h.fast_forward(minutes=5)
    done = h.run()
    assert (done.state, done.approved_by and done.approved_by.name) == (RunState.SUCCEEDED, "ben")
    assert has_failed_over(h)


def test_a_command_approves_as_a_button_does(h: Harness) -> None:
    """And it is as strict."""
    h.command("ana", f"/failover {CHECKOUT}")
    assert "somebody else has to approve it" in h.command("ana", "/runbook approve 1")
    assert not h.run().approvals
    h.command("chen", "/runbook approve 1")
    h.fast_forward(minutes=5)
    assert h.run().state is RunState.SUCCEEDED


def test_what_changed_before_the_approval_voids_it(h: Harness) -> None:
    """The service was moved by hand meanwhile: what ben approved is not what there is."""
    h.command("ana", f"/failover {CHECKOUT}")
    h.command("chen", f"/failover {CHECKOUT}")
    h.click("Approve", who="ben", on="run:2")
    h.fast_forward(minutes=5)
    assert has_failed_over(h)
    h.click("Approve", who="ben", on="run:1")
    assert h.run(1).state is RunState.REFUSED
    assert "was changed by somebody since it was planned" in h.message("run:1").text


def test_a_plan_does_not_wait_for_ever(h: Harness) -> None:
    """An hour later nobody knows any more what the plan was made on."""
    h.command("ana", f"/failover {CHECKOUT}")
    h.fast_forward(minutes=61)
    assert h.run().result == "Nobody let it run in time."
    assert h.message("run:1").buttons == {}
    with pytest.raises(InvalidInput, match="is cancelled"):
        h.runs.approve(1, BEN)


def test_an_approval_comes_too_late_while_nobody_wrote_that_down(h: Harness) -> None:
    """The worker was down: the button is still there, and does nothing."""
    h.command("ana", f"/failover {CHECKOUT}")
    h.clock.advance(3600)
    h.slack.click("ben", "Approve", "run:1")
    assert h.run().state is RunState.AWAITING_APPROVAL
    assert not has_failed_over(h)


def trust_ana(h: Harness) -> None:
    """Let ana, and nobody else, break the glass."""
    policy = h.access.policy()
    roles = {**policy.roles, Role.COMMANDER: (ANA.id,)}
    h.access.policy = lambda: replace(policy, roles=roles)


def test_as_shipped_nobody_breaks_the_glass(h: Harness) -> None:
    """Whoever may declare a P0 can't use it to let their own run go."""
    h.command("ana", "/incident declare P0 All payments fail service=checkout")
    h.command("ana", f"/failover {CHECKOUT} incident=INC-1")
    said = h.command("ana", "/runbook override 1 Nobody else is awake.")
    assert "write whom you trust with that into policy/access.yaml" in said
    assert h.run().state is RunState.AWAITING_APPROVAL


def test_the_glass_is_broken_in_a_p0_and_nobody_overlooks_it(h: Harness) -> None:
    """Nobody else is awake. It runs; the message and the timeline say so in capital letters."""
    trust_ana(h)
    h.command("ana", "/incident declare P0 All payments fail service=checkout")
    h.command("ana", f"/failover {CHECKOUT} incident=INC-1")
    assert "Say why" in h.command("ana", "/runbook override 1")
    h.command("ana", "/runbook override 1 Nobody else is awake.")
    h.fast_forward(minutes=5)
    assert has_failed_over(h)
    loud = "🚨 Approval overridden by ana: Nobody else is awake."
    assert loud in h.message("run:1").text
    (told,) = (line for line in h.timeline() if "override" in line)
    assert told.startswith("ana: ")
    assert "🚨" in told
    assert told.endswith("let a run go that lacked 1 approval (1 approver). Nobody else is awake.")


def test_the_glass_stays_whole_in_a_p1(h: Harness) -> None:
    """What is not down completely can wait for a colleague."""
    trust_ana(h)
    h.command("ana", "/incident declare P1 Some payments fail service=checkout")
    h.command("ana", f"/failover {CHECKOUT} incident=INC-1")
    said = h.command("ana", "/runbook override 1 I am in a hurry.")
    assert "Only a run that belongs to an open P0" in said
    assert h.run().state is RunState.AWAITING_APPROVAL
    assert not any("override" in line for line in h.timeline())


def test_a_run_is_called_off_after_it_began_by_nobody(h: Harness) -> None:
    """What has begun is aborted, not called off."""
    h.command("ana", f"/restart {CHECKOUT} --yes")
    h.fast_forward(minutes=5)
    assert "is succeeded" in h.command("ben", "/runbook cancel 1")
    assert "is succeeded" in h.command("ben", "/runbook abort 1")


def test_a_run_is_paused_and_goes_on(h: Harness) -> None:
    """Ben wants to look first: the step under way ends, and no other begins until he says so."""
    h.clock.after(8, lambda: h.slack.click("ben", "Pause", "run:1"))
    h.slack.command("ana", f"/restart {CHECKOUT} --yes")
    h.fast_forward(minutes=30)
    assert h.run().state is RunState.WAITING
    assert "Paused" in h.message("run:1").text
    h.click("Go on", who="ben", on="run:1")
    h.fast_forward(minutes=5)
    assert h.run().result == "Done and verified."


@pytest.mark.parametrize(("button", "stays"), [("Abort and undo", False), ("Stop here", True)])
def test_a_run_is_aborted_under_way(h: Harness, button: str, stays: bool) -> None:
    """The traffic was moved already when ana sees that it was the wrong service."""
    h.command("ana", f"/failover {CHECKOUT}")
    h.clock.after(15, lambda: h.slack.click("ana", button, "run:1"))
    h.click("Approve", who="ben", on="run:1")
    h.fast_forward(minutes=5)
    ended = h.run()
    assert ended.state is (RunState.CANCELLED if stays else RunState.COMPENSATED)
    assert ended.result.startswith("Aborted by ana. What ")
    assert has_failed_over(h) is stays


BY_HAND = """\
name: by-hand
version: 1.0.0
summary: Tell the partner, then restart.
risk: low
parameters:
  workload:
    type: workload
    description: What to restart.
steps:
  - id: tell
    title: Tell the partner
    kind: manual
    with:
      instruction: Call the partner and tell them.
      timeout: 30m
  - id: restart
    title: Restart the pods
    kind: kubernetes.rollout_restart
    with:
      workload: ${parameters.workload}
verification:
  - id: pods
    title: Look at the pods
    kind: kubernetes.status
    with:
      workload: ${parameters.workload}
"""


@pytest.fixture
def by_hand(h: Harness, tmp_path: Path) -> Harness:
    """Ben's run waits for somebody to call the partner."""
    add(tmp_path / "runbooks", "by-hand/1.0.0.yaml", BY_HAND)
    write_lock(tmp_path / "runbooks")
    library = RunbookFolder(tmp_path / "runbooks", step_kinds())
    runs = Runs(h.store, library, h.access, h.clock)
    runs.request("by-hand", (CHECKOUT,), BEN, start_when_planned=True)
    h.fast_forward(minutes=1)
    assert "Call the partner and tell them." in h.message("run:1").text
    return h


def test_a_step_is_done_by_hand(by_hand: Harness) -> None:
    """Ana calls, presses Done, and the rest goes by itself."""
    before = by_hand.workload(CHECKOUT)["revision"]
    by_hand.click("Done", who="ana", on="run:1")
    by_hand.fast_forward(minutes=5)
    assert by_hand.run().state is RunState.SUCCEEDED
    assert by_hand.workload(CHECKOUT)["revision"] == before + 1


def test_a_step_can_t_be_done_by_hand(by_hand: Harness) -> None:
    """Nobody answers there: nothing is restarted."""
    assert "could not: Nobody answers." in by_hand.command(
        "ana", "/runbook failed 1 Nobody answers."
    )
    by_hand.settle()
    assert by_hand.run().state is RunState.FAILED


def test_a_step_by_hand_is_not_waited_for_for_ever(by_hand: Harness) -> None:
    """Half an hour is what the runbook gives."""
    by_hand.fast_forward(minutes=31)
    assert "nobody answered in time" in by_hand.run().result
