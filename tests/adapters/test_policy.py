from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bot.adapters.policy import PolicyProblems, load_policy
from bot.domain.classify import Severity, classify

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
        ("[]", "1: “the file”: Input should be a valid dictionary"),
        ("default: P1\nrules: []\n", "2: “rules”: List should have at least 1 item"),
        ("default: P1\nrules: 5\n", "2: “rules”: Input should be a valid list"),
        ("default: P1\nrules: [5]\n", "2: “rules 1”: Input should be a valid dictionary"),
        ("default: P1\n", "1: “rules” is missing."),
        ("default: P1\ndefault: P2\nrules: []\n", "2: “default” is given twice."),
    ],
)
def test_a_file_of_another_shape_is_refused(file: Path, text: str, said: str) -> None:
    assert problems(file, text)[0].startswith(said)


def test_a_file_that_is_not_there_is_a_problem_that_names_it(file: Path) -> None:
    with pytest.raises(PolicyProblems, match=r"severity\.yaml:1: No such file or directory\."):
        load_policy(file)
