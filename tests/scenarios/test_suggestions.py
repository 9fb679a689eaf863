"""Runbooks that alerts suggest: buttons that plan and run nothing, and what runs by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.actor import ActorKind
from bot.domain.effects import RunSuggested
from bot.domain.run_events import RunState
from tests.support.harness import Harness

CRASH = {"namespace": "payments", "deployment": "checkout"}
CHECKOUT = "payments/checkout"


def crash(h: Harness, link: str = "", **labels: str) -> None:
    fired = h.firing("KubePodCrashLooping", **{**CRASH, **labels})
    annotations: dict[str, Any] = {**fired["annotations"], "runbook_url": link}
    h.deliver({**fired, "annotations": annotations} if link else fired)


def alone(h: Harness, auto: bool) -> None:
    """The policy's first suggestion only."""
    h.routing = replace(h.routing, suggestions=(replace(h.routing.suggestions[0], auto=auto),))


def test_a_button_plans_and_runs_nothing(h: Harness) -> None:
    crash(h)
    before = h.workload(CHECKOUT)
    h.click(f"Plan restart {CHECKOUT}", who="ben")
    assert "Run 1 is being planned" in h.slack.answers("ben")[-1]
    h.fast_forward(minutes=10)
    run = h.run()
    assert (run.state, run.incident_id) == (RunState.AWAITING_APPROVAL, 1)
    assert (run.requested_by.name, run.parameters["workload"]) == ("ben", CHECKOUT)
    assert h.workload(CHECKOUT) == before
    h.click("Run it", on="run:1")
    h.fast_forward(minutes=5)
    assert h.run().state is RunState.SUCCEEDED


def test_nothing_is_suggested_for_an_incident_that_is_over(h: Harness) -> None:
    crash(h)
    h.resolve("KubePodCrashLooping")
    assert not [label for label in h.message().buttons if label.startswith("Plan")]


def test_each_workload_has_a_button_and_three_are_enough(h: Harness) -> None:
    for number in range(5):
        crash(h, deployment=f"web-{number}")
    assert [label for label in h.message().buttons if label.startswith("Plan")] == [
        f"Plan restart payments/web-{number}" for number in range(3)
    ]


@pytest.mark.parametrize(
    "name", ["checkout force=1", "<!channel>", "../../etc", "${labels.namespace}", "*x*"]
)
def test_hostile_labels_suggest_nothing(h: Harness, name: str) -> None:
    crash(h, deployment=name)
    assert set(h.message().buttons) == {"Acknowledge", "Resolve"}
    assert h.failures == []


def test_a_link_is_shown_by_its_host_and_offers_what_it_names(h: Harness) -> None:
    h.routing = replace(h.routing, suggestions=())
    crash(h, link="https://wiki.example/runbooks/rollback?a=1&b=2")
    shown = h.message()
    assert f"Plan rollback {CHECKOUT}" in shown.buttons
    assert "<https://wiki.example/runbooks/rollback?a=1&b=2|Runbook at wiki.example>" in shown.text
    assert any("https://wiki.example/" in line for line in h.timeline())


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)/restart", "https://a.example/<!channel>/restart", "restart"]
)
def test_other_links_are_none(h: Harness, link: str) -> None:
    h.routing = replace(h.routing, suggestions=())
    crash(h, link=link)
    assert set(h.message().buttons) == {"Acknowledge", "Resolve"}
    assert "Runbook at" not in h.message().text


def test_by_explicit_policy_it_runs_once_and_its_result_is_on_the_timeline(h: Harness) -> None:
    alone(h, auto=True)
    before = h.workload(CHECKOUT)["revision"]
    crash(h)
    crash(h, pod="checkout-2")
    h.fast_forward(minutes=5)
    (run,) = h.runs.newest()
    assert (run.state, run.requested_by.kind) == (RunState.SUCCEEDED, ActorKind.POLICY)
    assert h.workload(CHECKOUT)["revision"] == before + 1
    story = h.timeline()
    assert any(line.startswith("Suggestion crash-loop: ") for line in story)
    assert any("Done and verified." in line for line in story)


def test_it_needs_approvals_as_any_other(h: Harness) -> None:
    """No suggestion and no schedule can give one: it waits for somebody."""
    alone(h, auto=True)
    policy = h.access.policy()
    stricter = tuple(replace(rule, needs={"approver": 1}) for rule in policy.rules)
    h.access.policy = lambda: replace(policy, rules=stricter)
    crash(h)
    h.fast_forward(minutes=5)
    assert h.run().state is RunState.AWAITING_APPROVAL
    h.click("Approve", who="ben", on="run:1")
    h.fast_forward(minutes=5)
    assert h.run().state is RunState.SUCCEEDED


def test_during_maintenance_nothing_runs_by_itself(h: Harness) -> None:
    alone(h, auto=True)
    h.plan_window('namespace="payments"', minutes=60)
    crash(h)
    h.fast_forward(minutes=5)
    assert h.runs.newest() == []


def test_what_stands_against_it_is_a_note(h: Harness) -> None:
    """The version that was suggested is not in the library any more."""
    crash(h)
    (suggested,) = h.incident().suggestions
    gone = replace(suggested, runbook="restart@9.9.9")
    with h.store.transaction() as tx:
        tx.save_incident(replace(tx.incident(1), suggestions=(gone,)))
        tx.enqueue(RunSuggested(1, gone.key))
    h.settle()
    assert any("restart payments/checkout was to run by itself. " in line for line in h.timeline())
    h.click(f"Plan restart {CHECKOUT}", who="ben")
    assert "has no version" in h.slack.answers("ben")[-1]
