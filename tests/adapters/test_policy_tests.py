from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.policy import load_policy
from bot.adapters.policy_tests import load_policy_tests
from bot.adapters.yaml_lines import FileProblems
from bot.domain.classify import Policy

POLICY = """
default: P1
rules:
  - id: warning
    level: P2
    reason: Only a warning.
    match: ['severity="warning"']
"""

TESTS = """tests:
  - name: a warning
    labels: {severity: warning}
    expect: {level: P2, rule: warning}
  - name: a warning by another name
    labels: {severity: warn}
    annotations: {summary: Slow}
    expect: {level: P2, rule: warning}
  - name: the same level by another rule
    labels: {severity: page}
    expect: {level: P1, rule: page}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "severity_test.yaml"


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    path = tmp_path / "severity.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return load_policy(path)


def test_each_case_that_fails_is_said_with_its_line(file: Path, policy: Policy) -> None:
    file.write_text(TESTS, encoding="utf-8")
    tests = load_policy_tests(file)
    assert len(tests) == 3
    assert [str(problem) for problem in tests.failures(policy)] == [
        f"{file}:5: “a warning by another name” should be P2 by rule warning, "
        "and is P1 by rule default.",
        f"{file}:9: “the same level by another rule” should be P1 by rule page, "
        "and is P1 by rule default.",
    ]


def test_nothing_is_said_of_cases_that_hold(file: Path, policy: Policy) -> None:
    file.write_text("".join(TESTS.splitlines(keepends=True)[:4]), encoding="utf-8")
    assert load_policy_tests(file).failures(policy) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: the file is empty."),
        ("tests: []\n", ":1: “tests”: List should have at least 1 item"),
        ("tests:\n  - name: x\n", ":2: “expect” is missing."),
        (TESTS.replace("level: P2", "level: P7", 1), ":4: “level”: Input should be 'P0'"),
        (TESTS.replace("labels", "label", 1), ":3: “label” is not known here."),
        (TESTS.replace("severity: warn}", "severity: 1}"), ":6: “severity”: Input should be a"),
    ],
)
def test_a_file_that_does_not_validate_is_refused_by_line(file: Path, text: str, said: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FileProblems) as caught:
        load_policy_tests(file)
    assert str(caught.value).startswith(f"{file}{said}")


def test_a_file_that_is_not_there_is_a_problem_that_names_it(file: Path) -> None:
    with pytest.raises(FileProblems, match=r"severity_test\.yaml:1: No such file or directory\."):
        load_policy_tests(file)


WITH_FACTS = """
default: P1
facts:
  - {id: share, meaning: x, query: up}
rules:
  - id: half
    level: P0
    reason: x
    facts: ['share >= 0.5', 'firing >= 2', 'flaps >= 1']
"""

CASES = """tests:
  - name: all three
    facts: {share: 0.5}
    firing: 2
    flaps: 1
    expect: {level: P0, rule: half}
  - name: without the fact
    firing: 2
    flaps: 1
    expect: {level: P1, rule: default}
  - name: alone
    facts: {share: 1}
    flaps: 1
    expect: {level: P1, rule: default}
"""


def test_cases_may_give_facts(tmp_path: Path, file: Path) -> None:
    path = tmp_path / "severity.yaml"
    path.write_text(WITH_FACTS, encoding="utf-8")
    policy = load_policy(path)
    file.write_text(CASES, encoding="utf-8")
    assert load_policy_tests(file).failures(policy) == []
    file.write_text(CASES.replace("share: 0.5", "shore: 0.5"), encoding="utf-8")
    assert [str(problem) for problem in load_policy_tests(file).failures(policy)] == [
        f"{file}:2: “all three” gives a fact that the policy doesn't have: shore."
    ]
