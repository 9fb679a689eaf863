from __future__ import annotations

from bot.domain.cluster import ObjectRef
from bot.domain.plan import StepPlan, Target, seen_before

NODE, OTHER = ObjectRef("node", "", "node-1"), ObjectRef("node", "", "node-2")
CORDON = StepPlan(
    "Cordon.", changes=("+ spec.unschedulable: true",), targets=(Target(NODE, "1", "a"),)
)
NOTE = "! seen as it is now; step 1 changes node/node-1 before"


def test_what_an_earlier_step_changes_is_said_to_be_seen_before_that() -> None:
    wanted = StepPlan("Uncordon.", changes=("=",), targets=CORDON.targets, as_wanted=True)
    assert not wanted.changing
    told = seen_before(wanted, {"cordon": CORDON})
    assert told.changes == ("=", NOTE)
    assert told.changing


def test_nothing_is_said_of_other_objects_or_of_steps_that_change_nothing() -> None:
    other = StepPlan("Uncordon.", changes=("=",), targets=(Target(OTHER, "2", "b"),))
    assert seen_before(other, {"cordon": CORDON}) == other
    looks = StepPlan("Look.", targets=CORDON.targets)
    assert seen_before(CORDON, {"look": looks}) == CORDON
    done = StepPlan("Cordon.", changes=("=",), targets=CORDON.targets, as_wanted=True)
    assert seen_before(CORDON, {"cordon": done}) == CORDON
