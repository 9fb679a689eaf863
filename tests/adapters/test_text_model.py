from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.policy import load_policy
from bot.adapters.text_model import FILE, read_text_model, shipped_text_model
from bot.domain.classify import TEXT_MODEL, Severity, classify
from bot.domain.errors import InvalidInput
from bot.domain.explain import explain

POLICY = """
default: P1
text_model: {{weight: {weight}}}
rules:
  - id: critical
    level: P1
    certain: {certain}
    reason: It was marked as critical.
    match: ['severity="critical"']
"""
LABELS = {"alertname": "CompactionLate", "severity": "critical"}
ANNOTATIONS = {"summary": "The compactor has not run compaction in the last 24 hours"}


def level_and_rule(folder: Path, weight: float, certain: str = "false") -> tuple[Severity, str]:
    """What a policy with this weight says about housekeeping that is marked critical."""
    file = folder / "severity.yaml"
    file.write_text(POLICY.format(weight=weight, certain=certain))
    found = classify(load_policy(file), LABELS, ANNOTATIONS)
    return found.level, found.rule


def test_what_is_shipped_is_small_and_says_where_it_comes_from() -> None:
    assert FILE.stat().st_size < 300_000
    assert "CC BY 4.0" in FILE.read_text(encoding="utf-8")
    assert shipped_text_model() is shipped_text_model()


def test_it_outvotes_a_rule_that_is_not_certain(tmp_path: Path) -> None:
    assert level_and_rule(tmp_path, 10) == (Severity.P2, TEXT_MODEL)
    assert level_and_rule(tmp_path, 10, certain="true") == (Severity.P1, "critical")
    assert level_and_rule(tmp_path, 0) == (Severity.P1, "critical")
    assert level_and_rule(tmp_path, 1) == (Severity.P1, "critical")


def test_an_explanation_shows_its_vote_and_the_rule_that_it_outvoted(tmp_path: Path) -> None:
    file = tmp_path / "severity.yaml"
    file.write_text(POLICY.format(weight=10, certain="false"))
    why = explain(load_policy(file), LABELS, ANNOTATIONS)
    assert "outvotes rule critical" in why.classification.reason
    assert [one.because for one in why.passed] == ["the text model outvoted the rules"]
    assert why.seen[-1].signal == TEXT_MODEL
    assert why.seen[-1].by.startswith("P2 with")


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    file.write_text('{"about": "", "scale": 1}')
    with pytest.raises(InvalidInput, match=r"model\.json is no text model"):
        read_text_model(file)
