from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.classify import (
    DEFAULT_RULE,
    Policy,
    Rule,
    Seen,
    Severity,
    Signals,
    classify,
    explain,
)
from bot.domain.matcher import Matcher, Operator, Place
from bot.domain.wording import Phrase, Vocabulary


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


# --- signals --------------------------------------------------------------------------

NO_LEADER = Phrase(("no", "leader"))
SIGNALS = Signals(
    Vocabulary([("leaderless", NO_LEADER), ("backup", Phrase(("backup*",)))]),
    (("warned", label("severity", Operator.EQUAL, "warning")),),
)
LEADERLESS = Rule(
    "leaderless",
    Severity.P0,
    "Nobody leads.",
    when=frozenset({"leaderless"}),
    unless=frozenset({"backup"}),
)
WARNED = Rule("warned", Severity.P2, "Only warned.", when=frozenset({"warned"}))
SIGNALLED = Policy((LEADERLESS, WARNED), Severity.P1, "digest", SIGNALS)


@pytest.mark.parametrize(
    ("severity", "summary", "rule"),
    [
        ("critical", "the cluster has no leader", "leaderless"),
        ("warning", "the cluster has no leader", "leaderless"),
        ("warning", "no leader for the backups", "warned"),
        ("warning", "a leader", "warned"),
        ("critical", "no leader for the backups", DEFAULT_RULE),
    ],
)
def test_a_rule_asks_for_all_of_when_and_none_of_unless(
    severity: str, summary: str, rule: str
) -> None:
    assert classify(SIGNALLED, {"severity": severity}, {"summary": summary}).rule == rule


def test_a_rule_may_ask_for_signals_and_matchers() -> None:
    rule = Rule(
        "both", Severity.P0, "Both.", (label("tier", Operator.EQUAL, "1"),), frozenset({"warned"})
    )
    policy = Policy((rule,), Severity.P1, "digest", SIGNALS)
    assert classify(policy, {"severity": "warning", "tier": "1"}, {}).rule == "both"
    assert classify(policy, {"severity": "warning", "tier": "2"}, {}).rule == DEFAULT_RULE
    assert classify(policy, {"severity": "page", "tier": "1"}, {}).rule == DEFAULT_RULE


def test_an_explanation_says_what_was_seen_and_by_what() -> None:
    explanation = explain(
        SIGNALLED, {"severity": "warning"}, {"summary": "no leader for the backups"}
    )
    assert explanation.seen == (
        Seen("leaderless", "no leader"),
        Seen("backup", "backup*"),
        Seen("warned", 'severity="warning"'),
    )
    assert [(passed.rule, passed.because) for passed in explanation.passed] == [
        ("leaderless", "backup is seen (backup*)"),
    ]


def test_an_explanation_names_the_signal_that_is_missing() -> None:
    explanation = explain(SIGNALLED, {}, {"summary": "fine"})
    assert explanation.seen == ()
    assert [passed.because for passed in explanation.passed] == [
        "leaderless is not seen",
        "warned is not seen",
    ]


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
