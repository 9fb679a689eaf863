from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.backtest import (
    Agreement,
    Occurrence,
    Pages,
    RecordedAlert,
    agreement,
    backtest,
    backtest_stored,
    changes,
    confusion,
    pages,
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
    assert pages(verdicts) == Pages(0, 2, None)
    assert pages(backtest(BEFORE, ALERTS, NOW)) == Pages(2, 0, None)
    assert pages(backtest(NOW, ALERTS)) == Pages(0, 0, None)
    assert changes(verdicts) == {
        (Severity.P1, Severity.P0): 2,
        (Severity.P1, Severity.P2): 2,
        (Severity.P1, Severity.P1): 1,
        (Severity.P2, Severity.P3): 1,
    }


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
        "before \\ got    P0    P1    P2    P3",
        "          P0     0     0     0     0",
        "          P1     2     1     2     0",
        "          P2     0     0     0     1",
        "          P3     0     0     0     0",
        "",
        "5 levels change",
        "Right: P1 by rule critical → P0 by rule critical",
        "Defensible: P1 by rule warning → P2 by rule warning",
        "WrongButPaged: P1 by rule critical → P0 by rule critical",
        "MissedOutage: P1 by rule warning → P2 by rule warning",
        "Unjudged: P2 by rule info → P3 by rule info",
        "",
        "pages: of these 6 alerts, +0 -2",
    ]


def test_without_expectations_and_another_policy_only_levels_are_told() -> None:
    assert report(backtest(NOW, [alert("Unjudged", "info")])) == [
        "1 alerts: 0 P0, 0 P1, 0 P2, 1 P3"
    ]
    assert report([]) == ["0 alerts: 0 P0, 0 P1, 0 P2, 0 P3"]


def test_an_alert_without_a_name_is_called_so() -> None:
    assert RecordedAlert({}, {}).name == "unnamed alert"


# --- what is stored -------------------------------------------------------------------

START = datetime(2025, 3, 1, 3, 0, tzinfo=UTC)


def stored(severity: str, level: str | None, incident: int | None, days: float = 0) -> Occurrence:
    labels = {"alertname": f"{severity}{incident}", "severity": severity}
    at = START + timedelta(days=days)
    return Occurrence(at, labels, {}, Severity(level) if level else None, incident)


def test_stored_alerts_are_compared_with_the_level_of_their_time() -> None:
    verdicts = backtest_stored(NOW, [stored("warning", "P1", 1), stored("info", "P3", 2)])
    assert [(one.before, one.now.level, one.changed) for one in verdicts] == [
        (Severity.P1, Severity.P2, True),
        (Severity.P3, Severity.P3, False),
    ]
    assert "warning1: P1 by what decided then → P2 by rule warning" in report(verdicts)


@pytest.mark.parametrize(
    ("occurrences", "added", "removed"),
    [
        # An incident pages once, at its worst alert.
        ([stored("warning", "P1", 1), stored("critical", "P1", 1)], 0, 0),
        ([stored("critical", "P2", 1), stored("critical", "P3", 1)], 1, 0),
        ([stored("warning", "P1", 1), stored("info", "P1", 1)], 0, 1),
        ([stored("warning", "P1", 1), stored("warning", "P1", 2)], 0, 2),
        # Without an incident, each alert counts for itself.
        ([stored("warning", "P1", None), stored("warning", "P1", None)], 0, 2),
        # Without a level of that time there is nothing to compare.
        ([stored("critical", None, 1)], 0, 0),
    ],
)
def test_pages_are_those_of_incidents(
    occurrences: list[Occurrence], added: int, removed: int
) -> None:
    found = pages(backtest_stored(NOW, occurrences))
    assert (found.added, found.removed) == (added, removed)


def test_pages_are_told_by_the_week() -> None:
    verdicts = backtest_stored(
        NOW,
        [
            stored("warning", "P1", 1),
            stored("warning", "P1", 2, days=13),
            stored("critical", "P2", 3, days=14),
        ],
    )
    assert pages(verdicts) == Pages(1, 2, 2.0)
    assert report(verdicts)[-1] == "pages per week: +0.5 -1.0 (1 more and 2 fewer in 2.0 weeks)"


def test_less_than_a_week_is_not_blown_up() -> None:
    verdicts = backtest_stored(NOW, [stored("warning", "P1", 1), stored("info", "P3", 2, days=1)])
    assert pages(verdicts).weeks == 1.0


def test_the_expression_is_judged_too() -> None:
    matcher = Matcher(Place.EXPRESSION, "", Operator.MATCHES, "absent", re.compile("absent"))
    policy = Policy((Rule("absent", Severity.P0, "x", (matcher,)),), Severity.P1, "digest")
    recorded = RecordedAlert({}, {}, expression="absent(up)")
    occurrence = Occurrence(START, {}, {}, None, None, "absent(up)")
    (verdict,) = backtest(policy, [recorded])
    assert verdict.now.rule == "absent"
    (verdict,) = backtest_stored(policy, [occurrence])
    assert verdict.now.rule == "absent"
