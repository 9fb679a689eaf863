from __future__ import annotations

from datetime import UTC, datetime

from bot.adapters import codec
from bot.domain.classify import Classification, Severity
from bot.domain.facts import FactValue

NOW = datetime(2025, 3, 1, 3, 0, tzinfo=UTC)


def test_a_classification_that_was_stored_before_there_were_facts_is_read() -> None:
    text = '{"level": "P1", "rule": "critical", "reason": "Critical.", "policy_digest": "d"}'
    found = codec.load(text, Classification)
    assert found == Classification(Severity.P1, "critical", "Critical.", "d")
    assert found.facts == ()


def test_facts_come_back_as_they_were_stored() -> None:
    facts = (
        FactValue("a", 1.0, NOW, "measured"),
        FactValue("b", None, NOW, "Prometheus has no such series", measured=False),
    )
    chosen = Classification(Severity.P0, "not-ready", "Down.", "d", facts)
    assert codec.load(codec.dump(chosen), Classification) == chosen
