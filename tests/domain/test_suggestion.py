"""Runbooks that alerts suggest; labels are hostile and fill one parameter each, or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alert import Alert
from bot.domain.errors import InvalidInput, NotFound
from bot.domain.parameter import Parameter, ParameterType, check_value
from bot.domain.runbook import Risk, Runbook, bind
from bot.domain.suggestion import (
    BY_URL,
    Suggestion,
    SuggestionRule,
    check_rule,
    check_template,
    default_suggestions,
    runbook_link,
    suggestions,
)
from tests.support.core import firing
from tests.support.examples import runbook

WORKLOAD = Parameter("workload", ParameterType.WORKLOAD, "Which.")
SOAK = Parameter("soak", ParameterType.DURATION, "How long.", "30s", "1s", "10m")
QUERY = Parameter("query", ParameterType.STRING, "A comparison.", "")
TO = Parameter("to", ParameterType.ENUM, "Where to.", values=("active", "standby"))
RESTART = replace(runbook(), name="restart", parameters=(WORKLOAD, SOAK, QUERY))
LOOK = replace(RESTART, name="look", risk=Risk.NONE, parameters=(WORKLOAD,))
SWITCH = replace(RESTART, name="switch", parameters=(TO,))
BOOKS = {one.name: one for one in (RESTART, LOOK, SWITCH)}
TEMPLATE = "${labels.namespace}/${labels.deployment}"
RULE = replace(default_suggestions()[0], parameters={"workload": TEMPLATE})


def runbook_of(reference: str) -> Runbook:
    if reference not in BOOKS:
        raise NotFound("none")
    return BOOKS[reference]


def crash(annotations: Mapping[str, str] | None = None, **labels: str) -> Alert:
    fired = firing("KubePodCrashLooping")
    about = {"namespace": "payments", "deployment": "checkout", **labels}
    return replace(fired, labels={**fired.labels, **about}, annotations=annotations or {})


def offered(rule: SuggestionRule, *alerts: Alert) -> tuple[Suggestion, ...]:
    return suggestions((rule,), alerts, runbook_of)


def test_labels_fill_the_parameters() -> None:
    (one,) = offered(RULE, crash())
    assert one.title == "restart payments/checkout"
    assert one.words == ("workload=payments/checkout",)
    assert (one.rule, one.runbook, one.auto) == ("crash-loop", RESTART.reference, False)


def test_only_where_all_matchers_hold() -> None:
    other = firing("KubePodNotReady", namespace="payments", deployment="checkout")
    assert offered(RULE, other) == ()


def test_the_same_for_two_alerts_is_suggested_once_and_two_workloads_are_two() -> None:
    found = offered(RULE, crash(pod="a"), crash(pod="b"), crash(deployment="cart"))
    assert [one.title for one in found] == ["restart payments/checkout", "restart payments/cart"]
    assert len({one.key for one in found}) == 2


@pytest.mark.parametrize(
    "labels",
    [
        {"deployment": ""},
        {"namespace": ""},
        {"deployment": "checkout soak=1s"},
        {"deployment": "checkout\nsoak=1s"},
        {"deployment": "checkout,query=up"},
        {"deployment": "a/b"},
        {"namespace": "../kube-system", "deployment": "x"},
        {"deployment": "${labels.namespace}"},
        {"deployment": "${parameters.query}"},
        {"deployment": "$(reboot)"},
        {"deployment": "x'; drop table run; --"},
        {"deployment": '"} or vector(1) #'},
        {"deployment": "<!channel>"},
        {"deployment": "x" * 300},
        {"deployment": "chеckout"},  # noqa: RUF001
    ],
)
def test_labels_that_do_not_fit_suggest_nothing(labels: Mapping[str, str]) -> None:
    assert offered(RULE, crash(None, **labels)) == ()


@given(namespace=st.text(max_size=40), deployment=st.text(max_size=40))
def test_whatever_labels_hold_they_fill_that_one_parameter_or_nothing(
    namespace: str, deployment: str
) -> None:
    for one in offered(RULE, crash(namespace=namespace, deployment=deployment)):
        bound = bind(RESTART, one.words)
        assert bound == {"workload": f"{namespace}/{deployment}", "soak": "30s", "query": ""}
        check_value(WORKLOAD, bound["workload"])


@pytest.mark.parametrize("kind", [ParameterType.STRING, ParameterType.URL, ParameterType.IMAGE])
def test_a_label_never_fills_what_takes_nearly_everything(kind: ParameterType) -> None:
    """A step may put it into a query or an address."""
    book = replace(RESTART, parameters=(Parameter("free", kind, "Anything."),))
    rule = replace(RULE, parameters={"free": "${labels.image}"})
    with pytest.raises(InvalidInput, match="no label may fill that"):
        check_rule(rule, book)
    assert suggestions((rule,), [crash(image="web")], lambda _: book) == ()


def test_it_runs_by_itself_without_risk_or_by_explicit_policy() -> None:
    def auto(runbook_name: str, said: bool | None) -> bool:
        (one,) = offered(replace(RULE, runbook=runbook_name, auto=said), crash())
        return one.auto

    assert [auto("restart", said) for said in (None, False, True)] == [False, False, True]
    assert [auto("look", said) for said in (None, False, True)] == [True, False, True]


@pytest.mark.parametrize(
    ("book", "parameters", "said"),
    [
        (RESTART, {}, "workload is missing"),
        (RESTART, {"workload": TEMPLATE, "force": "1"}, "no parameter “force”"),
        (RESTART, {"workload": "nothing"}, "workload must be"),
        (RESTART, {"workload": TEMPLATE, "soak": "1h"}, "soak must be"),
        (RESTART, {"workload": TEMPLATE, "query": "up{pod='${labels.pod}'}"}, "no label may"),
    ],
)
def test_a_rule_that_can_fit_no_alert_is_found(
    book: Runbook, parameters: Mapping[str, str], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        check_rule(replace(RULE, parameters=parameters), book)


@pytest.mark.parametrize(
    ("book", "parameters"),
    [
        (RESTART, {"workload": TEMPLATE, "soak": "${labels.soak}"}),
        (SWITCH, {"to": "${labels.side}"}),
    ],
)
def test_a_rule_that_can_fit_is_accepted(book: Runbook, parameters: Mapping[str, str]) -> None:
    check_rule(replace(RULE, parameters=parameters), book)


@pytest.mark.parametrize("template", ["${labels.}", "${deployment}", "${labels.a-b}", "${labels.a"])
def test_what_only_looks_like_a_placeholder_is_refused(template: str) -> None:
    with pytest.raises(InvalidInput, match="a placeholder is written"):
        check_template(template)


def test_an_alert_names_its_runbook_by_a_link() -> None:
    alert = crash({BY_URL: "https://wiki.example/runbooks/look"})
    (one,) = suggestions((), [alert], runbook_of)
    assert (one.rule, one.title, one.auto) == (BY_URL, "look payments/checkout", False)
    link = runbook_link([crash(), alert])
    assert link is not None
    assert link.host == "wiki.example"


@pytest.mark.parametrize(
    "url",
    [
        "https://wiki.example/runbooks/unknown",
        "https://wiki.example/runbooks/look@1.0.0",
        "https://wiki.example/runbooks/switch",
        "javascript:look",
        "look",
    ],
)
def test_other_links_suggest_nothing(url: str) -> None:
    """One runbook is unknown, and of the other nobody can say where to switch to."""
    assert suggestions((), [crash({BY_URL: url})], runbook_of) == ()


def test_a_rule_and_a_link_to_the_same_are_one() -> None:
    alert = crash({BY_URL: "https://wiki.example/restart"})
    assert [one.rule for one in suggestions((RULE,), [alert], runbook_of)] == ["crash-loop"]
