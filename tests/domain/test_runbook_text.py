from __future__ import annotations

from dataclasses import replace

from bot.domain.parameter import Parameter, ParameterType
from bot.domain.runbook import Risk, Runbook, Step
from bot.domain.runbook_text import cautions, described, difference

RUNBOOK = Runbook(
    name="failover",
    version="1.0.0",
    summary="Move the traffic.",
    risk=Risk.HIGH,
    parameters=(
        Parameter("service", ParameterType.SERVICE, "Whose traffic."),
        Parameter("to", ParameterType.ENUM, "Where to.", "b", values=("a", "b")),
    ),
    steps=(Step("switch", "kubernetes.switch_service", "Switch", {}),),
    verification=(Step("ready", "kubernetes.ready_pods", "Check", {}),),
    text="name: failover\nversion: 1.0.0\n",
    digest="",
)


def test_the_choices_and_the_steps_are_told() -> None:
    assert described(RUNBOOK).splitlines() == [
        "failover <service> [to=b]",
        "",
        "service (a Service as namespace/name): Whose traffic.",
        "to (one of a, b, default b): Where to.",
        "",
        "1. Switch  [kubernetes.switch_service]",
        "2. Check  [kubernetes.ready_pods]",
    ]


def test_the_difference_of_two_versions_is_a_unified_diff() -> None:
    later = replace(RUNBOOK, version="1.1.0", text=RUNBOOK.text.replace("1.0.0", "1.1.0"))
    assert list(difference(RUNBOOK, later)) == [
        "--- failover@1.0.0",
        "+++ failover@1.1.0",
        "@@ -1,2 +1,2 @@",
        " name: failover",
        "-version: 1.0.0",
        "+version: 1.1.0",
    ]
    assert list(difference(RUNBOOK, RUNBOOK)) == []


def test_a_deprecated_one_says_so_and_what_to_use() -> None:
    old = replace(RUNBOOK, deprecated="Use failover@1.1.0.")
    assert cautions(old) == "⚠️ failover@1.0.0 is deprecated: Use failover@1.1.0."
    assert cautions(RUNBOOK) == ""
    older = replace(RUNBOOK, passed_over="a newer one is refused")
    assert cautions(older).endswith(" is not the newest: a newer one is refused")
