"""The severity policy that is shipped: its own tests, and alerts that people labelled.

The labelled alerts (from samber/awesome-prometheus-alerts, CC BY 4.0) lie beside the
repository; where they don't, those tests are skipped. The rules were written with these
alerts at hand, so only the leave-one-out test says something about alerts never seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from bot.adapters.alert_files import read_recorded
from bot.adapters.phrases import parse_phrases
from bot.adapters.policy import load_policy
from bot.adapters.policy_tests import load_policy_tests
from bot.domain.backtest import RecordedAlert, Verdict, agreement, backtest
from bot.domain.classify import TEXT_MODEL, Policy, Severity, Signals
from bot.domain.wording import Phrase, Vocabulary, prose

FOLDER = Path(__file__).resolve().parent.parent / "policy"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(FOLDER / "severity.yaml")


@pytest.fixture(scope="module")
def labelled(shared: Path) -> list[RecordedAlert]:
    file = shared / "samples" / "severity" / "labelled-alerts.jsonl"
    if not file.is_file():
        pytest.skip(f"the labelled alerts are missing: {file}")
    return read_recorded(file)


def test_the_policy_passes_its_own_tests(policy: Policy) -> None:
    tests = load_policy_tests(FOLDER / "severity_test.yaml")
    assert [str(problem) for problem in tests.failures(policy)] == []


def test_labelled_alerts_are_classified_as_people_would(
    policy: Policy, labelled: list[RecordedAlert]
) -> None:
    """A training figure: rules and text model know these alerts."""
    found = agreement(backtest(policy, labelled))
    assert found.total == len(labelled)
    assert found.strict >= 0.92 * found.total
    assert found.page_or_ticket >= 0.97 * found.total
    assert found.missed_outages == 0


def test_rules_alone_do_nearly_as_well(policy: Policy, labelled: list[RecordedAlert]) -> None:
    found = agreement(backtest(replace(policy, text_vote=None), labelled))
    assert found.strict >= 0.92 * found.total
    assert found.page_or_ticket >= 0.97 * found.total
    assert found.missed_outages == 0


def test_the_text_model_never_turns_an_outage_into_a_ticket(
    policy: Policy, labelled: list[RecordedAlert]
) -> None:
    assert policy.text_vote is not None
    alone = backtest(replace(policy, text_vote=None), labelled)
    loud = replace(policy, text_vote=replace(policy.text_vote, weight=10.0))
    both = backtest(loud, labelled)
    assert any(one.now.rule == TEXT_MODEL for one in both)
    for rules, voted in zip(alone, both, strict=True):
        if rules.now.level is Severity.P0:
            assert voted.now.level.pages


Line = tuple[str, str]
"""A signal, and one line of its phrases."""


def test_what_it_knows_of_an_alert_it_mostly_knows_from_others(
    policy: Policy, labelled: list[RecordedAlert]
) -> None:
    """Leave one out, rules alone: without the lines of phrases that only this alert contains.

    Above what the author's own severity label alone would reach: 70 % and 86 %.
    """
    lines = _lines()
    found_in = _found_in(lines, labelled)
    verdicts: list[Verdict] = []
    for index, alert in enumerate(labelled):
        kept = {line: found for line, found in lines.items() if found_in[line] != {index}}
        verdicts += backtest(_with(policy, kept), [alert])
    found = agreement(verdicts)
    assert found.strict >= 0.78 * found.total
    assert found.page_or_ticket >= 0.88 * found.total


def _lines() -> dict[Line, list[Phrase]]:
    signals = yaml.safe_load((FOLDER / "severity.yaml").read_text())["signals"]
    return {
        (signal["id"], line): parse_phrases(line)
        for signal in signals
        for line in signal.get("says", ())
    }


def _found_in(
    lines: dict[Line, list[Phrase]], alerts: Iterable[RecordedAlert]
) -> dict[Line, set[int]]:
    """The places of the alerts in which each line is found."""
    vocabularies = {
        line: Vocabulary(("", phrase) for phrase in found) for line, found in lines.items()
    }
    places = defaultdict(set)
    for index, alert in enumerate(alerts):
        text = prose(alert.labels, alert.annotations)
        for line, vocabulary in vocabularies.items():
            if vocabulary.said(text):
                places[line].add(index)
    return places


def _with(policy: Policy, lines: dict[Line, list[Phrase]]) -> Policy:
    phrases = [(signal, phrase) for (signal, _), found in lines.items() for phrase in found]
    signals = Signals(Vocabulary(phrases), policy.signals.matchers)
    return replace(policy, signals=signals, text_vote=None)
