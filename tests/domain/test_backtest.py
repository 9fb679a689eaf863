from __future__ import annotations

import re

from bot.domain.backtest import (
    Agreement,
    RecordedAlert,
    agreement,
    backtest,
    confusion,
    pages_added,
    report,
)
from bot.domain.classify import Policy, Rule, Severity
from bot.domain.matcher import Matcher, Operator, Place


def policy(**levels: Severity) -> Policy:
    """A policy with a rule for each severity label, P1 for all others."""
    rules = (Rule(name, level, f"It is {name}.", (_label(name),)) for name, level in levels.items())
    return Policy(tuple(rules), Severity.P1, "digest")


def _label(value: str) -> Matcher:
    return Matcher(Place.LABEL, "severity", Operator.MATCHES, value, re.compile(value))


def alert(name: str, severity: str, expected: str = "", *others: str) -> RecordedAlert:
    return RecordedAlert(
        {"alertname": name, "severity": severity},
        {},
        Severity(expected) if expected else None,
        frozenset(map(Severity, others)),
    )


NOW = policy(critical=Severity.P0, warning=Severity.P2, info=Severity.P3)
BEFORE = policy(critical=Severity.P1, warning=Severity.P1, info=Severity.P2)
ALERTS = [
    alert("Right", "critical", "P0"),
    alert("Defensible", "warning", "P3", "P2"),
    alert("WrongButPaged", "critical", "P1"),
    alert("MissedOutage", "warning", "P0", "P1"),
    alert("NeedlessPage", "strange", "P2"),
    alert("Unjudged", "info"),
]


def test_every_alert_has_a_verdict_in_its_order() -> None:
    verdicts = backtest(NOW, ALERTS)
    assert [(one.alert.name, one.now.level, one.now.rule) for one in verdicts] == [
        ("Right", "P0", "critical"),
        ("Defensible", "P2", "warning"),
        ("WrongButPaged", "P0", "critical"),
        ("MissedOutage", "P2", "warning"),
        ("NeedlessPage", "P1", "default"),
        ("Unjudged", "P3", "info"),
    ]
    assert not any(one.changed for one in verdicts)


def test_agreement_counts_only_what_people_judged() -> None:
    assert agreement(backtest(NOW, ALERTS)) == Agreement(
        total=5, strict=1, defensible=2, page_or_ticket=3, missed_outages=1
    )


def test_the_confusion_is_expected_by_got() -> None:
    assert confusion(backtest(NOW, ALERTS)) == {
        (Severity.P0, Severity.P0): 1,
        (Severity.P0, Severity.P2): 1,
        (Severity.P1, Severity.P0): 1,
        (Severity.P2, Severity.P1): 1,
        (Severity.P3, Severity.P2): 1,
    }


def test_changes_against_another_policy_are_named_and_pages_counted() -> None:
    verdicts = backtest(NOW, ALERTS, BEFORE)
    assert [one.alert.name for one in verdicts if one.changed] == [
        "Right",
        "Defensible",
        "WrongButPaged",
        "MissedOutage",
        "Unjudged",
    ]
    assert pages_added(verdicts) == (0, 2)
    assert pages_added(backtest(BEFORE, ALERTS, NOW)) == (2, 0)
    assert pages_added(backtest(NOW, ALERTS)) == (0, 0)


def test_the_report_tells_it_all() -> None:
    assert report(backtest(NOW, ALERTS, BEFORE)) == [
        "6 alerts: 2 P0, 1 P1, 2 P2, 1 P3",
        "",
        "expected \\ got    P0    P1    P2    P3",
        "            P0     1     0     1     0",
        "            P1     1     0     0     0",
        "            P2     0     1     0     0",
        "            P3     0     0     1     0",
        "",
        "the same level: 1 of 5 (20.0%)",
        "the same or a defensible level: 2 of 5 (40.0%)",
        "the same page or ticket: 3 of 5 (60.0%)",
        "expected P0 and not paged: 1",
        "",
        "5 levels change, 0 pages more, 2 fewer",
        "Right: P1 by critical → P0 by critical",
        "Defensible: P1 by warning → P2 by warning",
        "WrongButPaged: P1 by critical → P0 by critical",
        "MissedOutage: P1 by warning → P2 by warning",
        "Unjudged: P2 by info → P3 by info",
    ]


def test_without_expectations_and_another_policy_only_levels_are_told() -> None:
    assert report(backtest(NOW, [alert("Unjudged", "info")])) == [
        "1 alerts: 0 P0, 0 P1, 0 P2, 1 P3"
    ]
    assert report([]) == ["0 alerts: 0 P0, 0 P1, 0 P2, 0 P3"]


def test_an_alert_without_a_name_is_called_so() -> None:
    assert RecordedAlert({}, {}).name == "unnamed alert"
