from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.classify import (
    DEFAULT_RULE,
    Matcher,
    Operator,
    Place,
    Policy,
    Rule,
    Severity,
    classify,
    explain,
)


def label(name: str, operator: Operator, value: str) -> Matcher:
    regex = operator in (Operator.MATCHES, Operator.NOT_MATCHES)
    return Matcher(Place.LABEL, name, operator, value, re.compile(value) if regex else None)


def text(value: str) -> Matcher:
    return Matcher(Place.TEXT, "", Operator.MATCHES, value, re.compile(value, re.IGNORECASE))


OUTAGE = Rule("outage", Severity.P0, "It is down.", (text("down"),))
CRITICAL = Rule(
    "critical", Severity.P1, "Critical.", (label("severity", Operator.EQUAL, "critical"),)
)
WARNING = Rule("warning", Severity.P2, "Warning.", (label("severity", Operator.EQUAL, "warning"),))
POLICY = Policy((OUTAGE, CRITICAL, WARNING), Severity.P1, "digest")


def test_the_first_rule_that_holds_decides() -> None:
    both = classify(POLICY, {"severity": "critical"}, {"summary": "checkout is DOWN"})
    assert (both.level, both.rule) == (Severity.P0, "outage")
    one = classify(POLICY, {"severity": "critical"}, {"summary": "checkout is slow"})
    assert (one.level, one.rule, one.reason) == (Severity.P1, "critical", "Critical.")
    assert one.policy_digest == "digest"


def test_what_no_rule_knows_gets_the_default() -> None:
    unknown = classify(POLICY, {"severity": "purple"}, {})
    assert (unknown.level, unknown.rule) == (Severity.P1, DEFAULT_RULE)
    assert "fails towards paging" in unknown.reason


def test_an_explanation_says_why_each_other_rule_lost() -> None:
    explanation = explain(POLICY, {"severity": "critical"}, {"summary": "slow"})
    assert [(passed.rule, passed.because) for passed in explanation.passed] == [
        ("outage", 'text=~"down" does not hold'),
        ("warning", 'severity="warning" does not hold'),
    ]


def test_a_rule_that_would_have_held_lost_to_the_one_before_it() -> None:
    explanation = explain(POLICY, {"severity": "critical"}, {"summary": "down"})
    assert [(passed.rule, passed.because) for passed in explanation.passed] == [
        ("critical", "rule outage comes first"),
        ("warning", 'severity="warning" does not hold'),
    ]


def test_every_rule_has_lost_where_the_default_decides() -> None:
    explanation = explain(POLICY, {}, {})
    assert explanation.classification.rule == DEFAULT_RULE
    assert [passed.rule for passed in explanation.passed] == ["outage", "critical", "warning"]


@pytest.mark.parametrize(
    ("operator", "value", "holds"),
    [
        (Operator.EQUAL, "", True),
        (Operator.EQUAL, "x", False),
        (Operator.NOT_EQUAL, "x", True),
        (Operator.NOT_EQUAL, "", False),
        (Operator.MATCHES, "x|", True),
        (Operator.MATCHES, "x", False),
        (Operator.NOT_MATCHES, "x", True),
        (Operator.NOT_MATCHES, ".*", False),
    ],
)
def test_a_label_that_is_missing_counts_as_empty(
    operator: Operator, value: str, holds: bool
) -> None:
    assert label("tier", operator, value).holds({}, {}) is holds


def test_a_regex_matches_a_label_as_a_whole_and_in_its_own_case() -> None:
    matcher = label("severity", Operator.MATCHES, "critical|page")
    assert matcher.holds({"severity": "page"}, {})
    assert not matcher.holds({"severity": "homepage"}, {})
    assert not matcher.holds({"severity": "Page"}, {})


def test_an_annotation_is_no_label() -> None:
    matcher = Matcher(Place.ANNOTATION, "summary", Operator.EQUAL, "down")
    assert matcher.holds({}, {"summary": "down"})
    assert not matcher.holds({"summary": "down"}, {})


@pytest.mark.parametrize(
    ("labels", "annotations"),
    [
        ({"alertname": "ServiceDown"}, {}),
        ({}, {"summary": "it went Down today"}),
        ({}, {"description": "first line\nDOWN"}),
    ],
)
def test_text_is_found_anywhere_in_what_people_read(
    labels: dict[str, str], annotations: dict[str, str]
) -> None:
    assert text("down").holds(labels, annotations)


def test_text_does_not_run_from_one_part_into_the_next() -> None:
    assert not text("ab").holds({"alertname": "a"}, {"summary": "b"})
    assert not text("down").holds({"job": "down"}, {"runbook_url": "down"})


@given(
    st.dictionaries(st.sampled_from(["severity", "alertname", "x"]), st.text(max_size=20)),
    st.dictionaries(st.sampled_from(["summary", "description"]), st.text(max_size=20)),
)
def test_explaining_and_classifying_agree_and_account_for_every_rule(
    labels: dict[str, str], annotations: dict[str, str]
) -> None:
    explanation = explain(POLICY, labels, annotations)
    assert explanation.classification == classify(POLICY, labels, annotations)
    won = {explanation.classification.rule} - {DEFAULT_RULE}
    lost = {passed.rule for passed in explanation.passed}
    assert won | lost == {"outage", "critical", "warning"}
    assert not won & lost


def test_the_levels_are_ordered_and_say_what_they_mean() -> None:
    assert Severity.P0.worse_than(Severity.P1)
    assert not Severity.P2.worse_than(Severity.P2)
    assert [level for level in Severity if level.pages] == [Severity.P0, Severity.P1]
    assert [level.meaning for level in Severity] == ["Critical", "High", "Medium", "Low"]
