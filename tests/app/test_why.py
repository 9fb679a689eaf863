"""Explanations, from what is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters import database
from bot.adapters.policy import parse_policy
from bot.adapters.store import SqlStore
from bot.app.record import open_incident, record_incident
from bot.app.why import Explanations
from bot.domain.actor import ALERTMANAGER, TOCSIN
from bot.domain.alert import Alert
from bot.domain.classify import Classification, Policy, Severity, classify
from bot.domain.dedup import KnownAlert
from bot.domain.errors import NotFound
from bot.domain.facts import Context, FactValue
from bot.domain.incident_events import Absorbed, IncidentOpened, Suppressed
from tests.support.databases import sqlite_database
from tests.support.examples import NOW, alert, change
from tests.support.windows import window

POLICY = """
default: P1
facts:
  - {id: down, meaning: Share of pods down., query: 'sum(up{job="${job}"})'}
signals:
  - {id: outage, says: [is down]}
rules:
  - {id: outage, level: P0, reason: It is down., when: [outage]}
  - {id: half-down, level: P1, reason: Half of it is down., facts: [down >= 0.5]}
  - {id: many, level: P1, reason: Many alerts fire., cel: 'firing >= 3'}
  - {id: warning, level: P2, reason: It is a warning., match: ['severity="warning"']}
"""


def policy_of(digest: str, text: str) -> Policy:
    return parse_policy(text.encode(), digest)


RULES = policy_of("test", POLICY)
WARNING = alert(labels={"alertname": "Slow", "severity": "warning"}, annotations={})


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    return SqlStore(database.create(sqlite_database(tmp_path)), lambda *_: None)


def happen(store: SqlStore, why: Classification, *alerts: Alert, firing: int = 1) -> None:
    """An incident opens with these alerts; its policy is kept."""
    with store.transaction() as tx:
        tx.keep_policy(RULES.digest, "severity.yaml", POLICY, NOW)
        opened = IncidentOpened("g", "Title", "Summary", why, "key")
        arrived = change(fired=len(alerts), firing=firing)
        incident = open_incident(tx, (opened, arrived), ALERTMANAGER, NOW)
        tx.save_alerts([KnownAlert(one, incident.id) for one in alerts])


def judged(one: Alert, context: Context) -> Classification:
    return classify(RULES, one.labels, one.annotations, context)


def test_the_alert_that_decided_is_judged_again_with_the_facts_of_then(store: SqlStore) -> None:
    fact = FactValue("down", 0.7, NOW, "measured")
    decided = judged(WARNING, Context({"down": fact}))
    assert decided.rule == "half-down"
    happen(store, decided, WARNING)
    why = Explanations(store, policy_of).why(1)
    assert why.judged is not None
    assert why.judged.decided
    assert why.ruling.classification.facts == (fact,)
    assert [one.rule for one in why.judged.above] == ["outage"]
    assert (why.judged.below, why.note) == (2, "")
    assert why.paging[:2] == ("Nobody was paged.", "The page is on its way.")


def test_how_many_fired_then_counts(store: SqlStore) -> None:
    decided = judged(WARNING, Context(firing=3))
    assert decided.rule == "many"
    happen(store, decided, WARNING, firing=3)
    with store.transaction() as tx:
        fewer = change(resolved=2, firing=1)
        record_incident(tx, tx.incident(1), (fewer,), ALERTMANAGER, NOW + timedelta(minutes=1))
    why = Explanations(store, policy_of).why(1)
    assert why.judged is not None
    assert why.judged.decided


def test_a_policy_that_is_gone_is_said_to_be(store: SqlStore) -> None:
    happen(store, replace(judged(WARNING, Context()), policy_digest="another"), WARNING)
    why = Explanations(store, policy_of).why(1)
    assert why.judged is None
    assert why.note == "The text of the policy that decided is gone, and with it its rules."
    assert why.ruling.classification.rule == "warning"


def test_a_policy_that_is_none_any_more_is_said_to_be(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.keep_policy("another", "severity.yaml", "rules: 7", NOW)
    happen(store, replace(judged(WARNING, Context()), policy_digest="another"), WARNING)
    why = Explanations(store, policy_of).why(1)
    assert why.judged is None
    assert why.note.startswith("The policy that decided can’t be read any more: another:1: ")


def test_alerts_that_changed_since_are_said_to_have(store: SqlStore) -> None:
    decided = judged(WARNING, Context())
    happen(store, decided, replace(WARNING, labels={"alertname": "Slow", "severity": "critical"}))
    why = Explanations(store, policy_of).why(1)
    assert why.judged is not None
    assert not why.judged.decided
    assert why.note.startswith("No alert, as it is now, gives this rule again")


def test_where_the_alerts_of_an_absorbed_incident_are(store: SqlStore) -> None:
    happen(store, judged(WARNING, Context()))
    with store.transaction() as tx:
        record_incident(tx, tx.incident(1), (Absorbed(5, "Node down"),), TOCSIN, NOW)
    why = Explanations(store, policy_of).why(1)
    assert why.note == "Its alerts belong to INC-5 now; /incident why 5 tells of them."
    assert "It is a part of INC-5 (Node down), which pages instead." in why.paging


def test_the_window_that_hides_it_is_named(store: SqlStore) -> None:
    with store.transaction() as tx:
        made = tx.new_window(window())
    happen(store, judged(WARNING, Context()), WARNING)
    with store.transaction() as tx:
        suppressed = Suppressed(made.id, "Upgrade.")
        record_incident(tx, tx.incident(1), (suppressed,), TOCSIN, NOW)
    why = Explanations(store, policy_of).why(1)
    assert why.incident.severity is Severity.P2
    assert any("MW-1 ends 01 Mar 04:00:00 UTC" in sentence for sentence in why.paging)


def test_an_incident_that_is_not_there_is_named(store: SqlStore) -> None:
    with pytest.raises(NotFound, match="INC-4"):
        Explanations(store, policy_of).why(4)
