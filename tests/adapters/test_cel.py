from __future__ import annotations

from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.cel import LONGEST, CelExpression, facts_named
from bot.domain.errors import InvalidInput
from bot.domain.facts import Context, FactValue

NOW = datetime(2025, 3, 1, 3, 0, tzinfo=UTC)
LABELS = {"severity": "warning", "team": "pay"}
ANNOTATIONS = {"summary": "Slow"}
CONTEXT = Context(
    {
        "pods-not-ready": FactValue("pods-not-ready", 0.75, NOW, "measured"),
        "unknown": FactValue("unknown", None, NOW, "no such series"),
    },
    firing=20,
    flaps=3,
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("labels.team == 'pay'", True),
        ("labels['team'] == 'shop'", False),
        ("annotations.summary.startsWith('Slow') && firing >= 20 && flaps == 3", True),
        ("labels.team.matches('^p.y$')", True),
        ("facts['pods-not-ready'] >= 0.5", True),
        ("facts['pods-not-ready'] >= 0.8", False),
        ("'unknown' in facts", False),
        ("labels.exists(name, labels[name] == 'warning')", True),
        ("labels.?missing.orValue('x') == 'x' || true", None),
    ],
)
def test_labels_annotations_facts_and_counts_decide(text: str, holds: bool | None) -> None:
    if holds is None:
        with pytest.raises(InvalidInput, match="is not CEL that can be used"):
            CelExpression(text)
        return
    expression = CelExpression(text)
    assert expression.holds(LABELS, ANNOTATIONS, CONTEXT) is holds
    expected = None if holds else f"{text} does not hold"
    assert expression.objection(LABELS, ANNOTATIONS, CONTEXT) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("labels.missing == 'x'", 'Key not found in map : "missing"'),
        ("labels.missing != 'x'", 'Key not found in map : "missing"'),
        ("!(labels.missing == 'x')", 'Key not found in map : "missing"'),
        ("facts['unknown'] < 1.0", 'Key not found in map : "unknown"'),
        ("10 / (firing - 20) == 0", "divide by zero"),
        ("labels.team.matches('(' + labels.team)", "invalid regular expression"),
    ],
)
def test_what_fails_does_not_hold_and_says_why(text: str, why: str) -> None:
    expression = CelExpression(text)
    assert not expression.holds(LABELS, ANNOTATIONS, CONTEXT)
    said = expression.objection(LABELS, ANNOTATIONS, CONTEXT)
    assert said is not None
    assert said.startswith(f"{text} does not hold: ")
    assert why in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nope == 1", "undeclared reference to 'nope' (at character 1)."),
        ("firing >", "mismatched input '<EOF>' (at character 9)."),
        ("", "(at character 1)."),
        ("facts['x'] > 1", "applied to '(double, int)' (at character 12)."),
        ("labels.team == 1", "applied to '(string, int)' (at character 13)."),
        ("firing + 1", "must be true or false; it is of type int."),
        ("labels.team", "must be true or false; it is of type string."),
        ("dyn(true)", "must be true or false; it is of type dyn."),
        ("true || " * LONGEST + "true", f"longer than {LONGEST} characters."),
        ("(" * 400 + "true" + ")" * 400, "is not CEL that can be used"),
    ],
)
def test_what_can_not_be_used_is_refused_when_it_is_read(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        CelExpression(text)
    assert said in str(caught.value)
    assert "INVALID_ARGUMENT" not in str(caught.value)


_texts = st.dictionaries(st.text(), st.text())


@given(_texts, _texts)
def test_no_alert_makes_it_fail(labels: dict[str, str], annotations: dict[str, str]) -> None:
    expression = CelExpression("labels.all(name, labels[name].size() >= 0)")
    assert expression.holds(labels, annotations, CONTEXT)


def test_a_zero_character_does_not_end_a_text() -> None:
    assert not CelExpression("labels.team == 'pay'").holds({"team": "pay\0x"}, {}, CONTEXT)


def test_text_that_is_no_unicode_does_not_hold() -> None:
    expression = CelExpression("labels.team == 'pay' || firing > 0")
    assert not expression.holds({"team": "\ud800"}, {}, CONTEXT)
    assert expression.objection({"team": "\ud800"}, {}, CONTEXT) is not None


def test_a_count_beyond_its_numbers_does_not_hold() -> None:
    assert not CelExpression("firing > 0").holds({}, {}, Context(firing=2**70))


def test_the_facts_that_it_names_are_known() -> None:
    text = """facts['a'] > 1.0 && "b-c" in facts && facts.d < 2.0 && labels['e'] == 'f'"""
    assert facts_named(text) == {"a", "b-c", "d"}
    assert facts_named("firing >") == frozenset()


def test_several_threads_may_use_it() -> None:
    expression = CelExpression("labels.team == 'pay' && facts['pods-not-ready'] > 0.5")
    start = Barrier(4)
    found: list[bool] = []

    def evaluate() -> None:
        start.wait()
        found.extend(expression.holds(LABELS, ANNOTATIONS, CONTEXT) for _ in range(500))

    threads = [Thread(target=evaluate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 2000
