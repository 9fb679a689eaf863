from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.domain.actor import ALERTMANAGER, Actor
from bot.domain.alert import Alert, AlertStatus
from bot.domain.classify import Classification, Policy, Rule, Severity, Signals
from bot.domain.explain import Passed
from bot.domain.facts import Comparison, FactValue
from bot.domain.incident_events import (
    IncidentEvent,
    IncidentOpened,
    SeverityOverridden,
    SeverityRaised,
)
from bot.domain.matcher_text import parse_matcher
from bot.domain.timeline import Recorded
from bot.domain.why import Override, Ruling, judge_again, last_ruling, overrides
from tests.support.examples import ANA, EVENTS, NOW, alert, change, classification, incident

OPENED = IncidentOpened("group", "Title", "Summary", classification(Severity.P2), "key")


def told(*events: IncidentEvent, seconds: int = 60, actor: Actor = ALERTMANAGER) -> list[Recorded]:
    """Events, one every so many seconds."""
    return [
        Recorded(index, NOW + timedelta(seconds=index * seconds), actor, event, 7)
        for index, event in enumerate(events)
    ]


def test_what_rules_said_last_with_what_they_knew() -> None:
    raised = SeverityRaised(Severity.P2, classification(Severity.P0))
    recorded = told(OPENED, change(fired=1, firing=1), change(fired=4, firing=5), raised)
    ruling = last_ruling(incident(), recorded)
    assert ruling == Ruling(classification(Severity.P0), NOW + timedelta(minutes=3), 5, 0)


def test_an_incident_opens_with_its_alerts() -> None:
    recorded = told(OPENED, change(fired=3, firing=3), seconds=0)
    assert last_ruling(incident(), recorded) == Ruling(classification(Severity.P2), NOW, 3, 0)


def test_what_a_person_said_is_not_what_rules_said() -> None:
    lowered = SeverityOverridden(Severity.P2, Severity.P3, "Only staging.")
    recorded = told(OPENED, lowered)
    assert last_ruling(incident(), recorded).classification == classification(Severity.P2)
    assert overrides(recorded) == (
        Override(
            NOW + timedelta(minutes=1), "Alertmanager", Severity.P2, Severity.P3, "Only staging."
        ),
    )
    assert overrides(told(lowered, actor=ANA))[0].by == "ana"


def test_every_kind_of_event_can_stand_between() -> None:
    recorded = [
        Recorded(number, NOW + timedelta(minutes=number), ANA, event, 7)
        for number, event in enumerate((OPENED, *EVENTS.values()), start=1)
    ]
    assert last_ruling(incident(), recorded).classification == classification(Severity.P0)


def policy(*rules: Rule) -> Policy:
    signals = {one: parse_matcher(f"{one}=yes") for one in ("outage", "leader", "staging")}
    return Policy(rules, Severity.P1, "digest", Signals(matchers=tuple(signals.items())))


def rule(name: str, level: Severity = Severity.P1, **changes: Any) -> Rule:
    sets: dict[str, Any] = {
        key: frozenset(changes.pop(key, ())) for key in ("when", "unless", "needs")
    }
    return replace(Rule(name, level, f"It is {name}."), **sets, **changes)


def ruled_by(name: str, *facts: FactValue, firing: int = 1) -> Ruling:
    decided = Classification(Severity.P2, name, f"It is {name}.", "digest", facts)
    return Ruling(decided, NOW, firing, 0)


def labelled(
    fingerprint: str = "f1", status: AlertStatus = AlertStatus.FIRING, **labels: str
) -> Alert:
    return alert(status, fingerprint, labels={"alertname": "A", **labels})


FAR = rule("far", Severity.P0, when=("outage", "leader", "quorum"))
NEAR = rule("near", Severity.P0, when=("outage",), unless=("staging",))
WON = rule("won", Severity.P2, when=("staging",))
LATER = rule("later", Severity.P3)


def test_the_rules_that_came_nearest_are_told_first() -> None:
    judged = judge_again(policy(FAR, NEAR, WON, LATER), ruled_by("won"), [labelled(staging="yes")])
    assert judged is not None
    assert judged.decided
    assert [one.signal for one in judged.seen] == ["staging"]
    assert [one.rule for one in judged.above] == ["near", "far"]
    assert judged.above[1] == Passed("far", Severity.P0, "leader is not seen")
    assert judged.below == 1


def test_a_rule_that_only_a_fact_stopped_comes_first() -> None:
    measured = FactValue("down", 0.2, NOW, "measured")
    by_fact = rule("by-fact", Severity.P0, facts=(Comparison("down", ">=", 0.5),), needs=("down",))
    rules = policy(FAR, by_fact, WON)
    alerts = [labelled(staging="yes")]
    judged = judge_again(rules, ruled_by("won", measured), alerts)
    assert judged is not None
    assert [one.rule for one in judged.above] == ["by-fact", "far"]
    assert "down is 0.2 (measured)" in judged.above[0].because
    assert judged.unkept == ()
    forgotten = judge_again(rules, ruled_by("won"), alerts)
    assert forgotten is not None
    assert forgotten.unkept == ("down",)


def test_the_alert_that_decided_is_found_among_others() -> None:
    alerts = [labelled("f1"), labelled("f2", staging="yes"), labelled("f3", staging="yes")]
    judged = judge_again(policy(WON, LATER), ruled_by("won"), alerts)
    assert judged is not None
    assert judged.alert.fingerprint == "f2"


def test_what_fires_is_looked_at_first() -> None:
    over = labelled("f1", AlertStatus.RESOLVED, staging="yes")
    judged = judge_again(policy(WON), ruled_by("won"), [over, labelled("f2", staging="yes")])
    assert judged is not None
    assert judged.alert.fingerprint == "f2"
    alone = judge_again(policy(WON), ruled_by("won"), [over])
    assert alone is not None
    assert alone.alert.fingerprint == "f1"
    assert alone.decided


def test_alerts_that_have_changed_since_decide_nothing() -> None:
    judged = judge_again(policy(NEAR, WON, LATER), ruled_by("won"), [labelled("f1")])
    assert judged is not None
    assert not judged.decided
    assert judged.alert.fingerprint == "f1"
    assert [one.rule for one in judged.above] == ["near"]


def test_the_default_comes_after_all_rules() -> None:
    judged = judge_again(policy(FAR, NEAR), ruled_by("default"), [labelled()])
    assert judged is not None
    assert judged.decided
    assert (len(judged.above), judged.below) == (2, 0)


def test_without_alerts_nothing_can_be_judged() -> None:
    assert judge_again(policy(WON), ruled_by("won"), []) is None
