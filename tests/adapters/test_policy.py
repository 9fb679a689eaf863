from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.policy import PolicyProblems, load_policy
from bot.domain.classify import Severity, classify
from bot.domain.facts import Context, Fact, FactValue

GOOD = r"""
default: P1
rules:
  - id: outage
    level: P0
    reason: It is down.
    match:
      - 'severity=~"critical|page"'
      - 'text=~"\bdown\b"'
  - id: warning
    level: P2
    reason: Only a warning.
    match: ['severity="warning"']
"""

SIGNALLED = r"""
default: P1
signals:
  - id: leaderless
    says: [no leader/master, leader*]
  - id: warned
    marked: ['severity="warning"', 'priority="4"']
  - id: planned
    says: [planned]
rules:
  - id: outage
    level: P0
    reason: Nobody leads.
    when: [leaderless]
    unless: [planned, warned]
  - id: planned
    level: P3
    reason: Somebody wants it so.
    when: [planned]
    match: ['tier="test"']
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "severity.yaml"


def problems(file: Path, text: str) -> list[str]:
    """What is said about the text, without the folder's name."""
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyProblems) as caught:
        load_policy(file)
    return [str(problem).removeprefix(f"{file}:") for problem in caught.value.problems]


def test_a_policy_is_read_with_its_digest(file: Path) -> None:
    file.write_text(GOOD, encoding="utf-8")
    policy = load_policy(file)
    assert [rule.id for rule in policy.rules] == ["outage", "warning"]
    assert policy.default is Severity.P1
    assert policy.digest == hashlib.sha256(GOOD.encode()).hexdigest()
    assert [str(matcher) for matcher in policy.rules[0].matchers] == [
        'severity=~"critical|page"',
        r'text=~"\bdown\b"',
    ]


def test_what_was_read_decides(file: Path) -> None:
    file.write_text(GOOD, encoding="utf-8")
    policy = load_policy(file)
    assert classify(policy, {"severity": "page"}, {"summary": "Down!"}).level is Severity.P0
    assert classify(policy, {"severity": "page"}, {"summary": "downtown"}).level is Severity.P1
    assert classify(policy, {"severity": "warning"}, {}).level is Severity.P2


@pytest.mark.parametrize(
    ("labels", "summary", "rule"),
    [
        ({}, "There is no master", "outage"),
        ({}, "Leaders are rare", "outage"),
        ({"severity": "warning"}, "no leader", "default"),
        ({"priority": "4"}, "no leader", "default"),
        ({}, "no leader, as planned", "default"),
        ({"tier": "test"}, "no leader, as planned", "planned"),
        ({"tier": "test"}, "all is well", "default"),
    ],
)
def test_signals_are_read_with_their_phrases_and_matchers(
    file: Path, labels: dict[str, str], summary: str, rule: str
) -> None:
    file.write_text(SIGNALLED, encoding="utf-8")
    assert classify(load_policy(file), labels, {"summary": summary}).rule == rule


def test_all_that_is_wrong_with_signals_is_said_at_once_and_by_line(file: Path) -> None:
    text = r"""default: P1
signals:
  - id: one
    says: [Down, ".. up", 5]
    marked: ['severity']
  - id: one
    says: []
  - id: two
  - {id: [], says: [x]}
rules:
  - id: first
    level: P1
    reason: x
    when: [one, three]
    unless: [four, {}]
  - id: second
    level: P1
    reason: x
    unless: [one]
"""
    assert problems(file, text) == [
        "4: a phrase is a text; put it in single quotes.",
        "4: “.. up” is not a phrase: words come before and after each ..",
        "4: “Down”: “Down” is not a word in lower case, or its * comes before 3 letters.",
        '5: “severity” is not a matcher; write it like severity="critical".',
        "6: the id “one” is another signal's already.",
        "7: “says”: List should have at least 1 item after validation, not 0.",
        "8: no rule asks for the signal “two”.",
        "8: this needs a condition: “says” or “marked”.",
        "9: “id”: Input should be a valid string.",
        "14: there is no signal “three”.",
        "15: there is no signal “four”.",
        "15: “unless 2”: Input should be a valid string.",
        "16: this needs a condition: “when”, “match”, “facts” or “cel”.",
    ]


def test_all_that_is_wrong_is_said_at_once_and_by_line(file: Path) -> None:
    text = r"""default: P3
colour: red
rules:
  - id: one
    level: P9
    reason: ""
    match:
      - 'severity'
      - 'text=~"("'
      - severity: critical
  - id: one
    level: P1
    match: []
  - id: default
    level: P1
    reason: x
    match: ['a="b"']
"""
    assert problems(file, text) == [
        "1: the default must be P0 or P1: what no rule knows has to page.",
        "2: “colour” is not known here.",
        "5: “level”: Input should be 'P0', 'P1', 'P2' or 'P3'.",
        "6: “reason”: String should have at least 1 character.",
        '8: “severity” is not a matcher; write it like severity="critical".',
        "9: “(” is not a regex that can be read: missing ), unterminated subpattern at position 0.",
        "10: a matcher is a text; put it in single quotes.",
        "11: the id “one” is another rule's already.",
        "11: “reason” is missing.",
        "13: “match”: List should have at least 1 item after validation, not 0.",
        "14: the id “default” is the name of what happens when no rule applies.",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: the file is empty."),
        ("[]", "1: “the file” has to hold keys with values."),
        ("default: P1\nrules: []\n", "2: “rules”: List should have at least 1 item"),
        ("default: P1\nrules: 5\n", "2: “rules”: Input should be a valid list"),
        ("default: P1\nrules: [5]\n", "2: “rules 1” has to hold keys with values."),
        ("default: P1\n", "1: “rules” is missing."),
        ("default: P1\ndefault: P2\nrules: []\n", "2: “default” is given twice."),
    ],
)
def test_a_file_of_another_shape_is_refused(file: Path, text: str, said: str) -> None:
    assert problems(file, text)[0].startswith(said)


def test_a_file_that_is_not_there_is_a_problem_that_names_it(file: Path) -> None:
    with pytest.raises(PolicyProblems, match=r"severity\.yaml:1: No such file or directory\."):
        load_policy(file)


# --- facts and CEL --------------------------------------------------------------------

WITH_FACTS = r"""
default: P1
facts:
  - id: not-ready
    meaning: Share.
    query: 'a{pod="${pod}"}'
    timeout: 0.5
    cache: 60
    fallback: 1
  - {id: burn, meaning: Budget., query: burn}
rules:
  - id: all
    level: P0
    reason: x
    match: ['severity="warning"']
    facts: ['not-ready >= 1', 'firing >= 2']
  - id: written
    level: P2
    reason: x
    cel: "labels.team == 'pay' && facts['burn'] < 1.0"
"""


def context(firing: int = 1, **facts: float) -> Context:
    at = datetime(2025, 3, 1, tzinfo=UTC)
    values = {
        name.replace("_", "-"): FactValue(name.replace("_", "-"), value, at, "measured")
        for name, value in facts.items()
    }
    return Context(values, firing)


def test_facts_and_expressions_are_read(file: Path) -> None:
    file.write_text(WITH_FACTS, encoding="utf-8")
    policy = load_policy(file)
    assert policy.facts == (
        Fact("not-ready", "Share.", 'a{pod="${pod}"}', 0.5, 60, 1),
        Fact("burn", "Budget.", "burn", 1, 15, None),
    )
    assert [sorted(rule.needs) for rule in policy.rules] == [["not-ready"], ["burn"]]


@pytest.mark.parametrize(
    ("labels", "known", "rule"),
    [
        ({"severity": "warning"}, context(2, not_ready=1), "all"),
        ({"severity": "warning"}, context(1, not_ready=1), "default"),
        ({"severity": "warning"}, context(2, not_ready=0.9), "default"),
        ({"severity": "warning"}, context(2), "default"),
        ({"team": "pay"}, context(burn=0.5), "written"),
        ({"team": "pay"}, context(burn=2), "default"),
        ({"team": "pay"}, context(), "default"),
        ({}, context(burn=0.5), "default"),
    ],
)
def test_facts_and_expressions_decide(
    file: Path, labels: dict[str, str], known: Context, rule: str
) -> None:
    file.write_text(WITH_FACTS, encoding="utf-8")
    assert classify(load_policy(file), labels, {}, known).rule == rule


def test_all_that_is_wrong_with_facts_is_said_at_once_and_by_line(file: Path) -> None:
    text = r"""default: P1
facts:
  - id: one
    meaning: x
    query: 'a{b=~"${c}"}'
    timeout: 3
    cache: -1
    fallback: .inf
  - {id: one, meaning: "", query: 5}
  - {id: firing, meaning: x, query: up}
  - {id: unused, meaning: x, query: up, colour: red}
rules:
  - id: first
    level: P1
    reason: x
    facts: ['one > 1', 'two > 1', 'firing > 1', 'one is high', 5]
  - id: second
    level: P1
    reason: x
    cel: labels.team == 1
  - id: third
    level: P1
    reason: x
    cel: facts['three'] > 1.0
  - id: fourth
    level: P1
    reason: x
    cel:
  - id: fifth
    level: P1
    reason: x
    facts: []
"""
    placeholder = 'a placeholder is a whole string after =, as in namespace="${namespace}".'
    assert problems(file, text) == [
        f"5: {placeholder}",
        "6: “timeout”: Input should be less than or equal to 2.",
        "7: “cache”: Input should be greater than or equal to 0.",
        "8: “fallback”: Input should be a finite number.",
        "9: a query is a text; put it in single quotes.",
        "9: the id “one” is another fact's already.",
        "9: “meaning”: String should have at least 1 character.",
        "10: no rule asks for the fact “firing”.",
        "10: the id “firing” is a number that needs no query.",
        "11: no rule asks for the fact “unused”.",
        "11: “colour” is not known here.",
        "16: a comparison is a text; put it in single quotes.",
        "16: there is no fact “two”.",
        "16: “one is high” is not a comparison; write it like pods-not-ready >= 0.5.",
        "20: “labels.team == 1” is not CEL that can be used: found no matching overload for "
        "'_==_' applied to '(string, int)' (at character 13).",
        "24: there is no fact “three”.",
        "28: a CEL expression is a text; put it in single quotes.",
        "32: “facts”: List should have at least 1 item after validation, not 0.",
    ]
