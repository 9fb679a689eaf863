"""The access policy's file: what it may say, every mistake by its line, and who is in force."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.access import AccessFile, parse_access
from bot.adapters.yaml_lines import FileProblems
from bot.domain.access import nobody_overrides
from bot.domain.access_policy import ApprovalRule, Role
from bot.domain.approval import Asked, requirement
from bot.domain.errors import InvalidInput
from bot.domain.runbook import Risk

SHIPPED = Path(__file__).resolve().parents[2] / "policy" / "access.yaml"
GOOD = """\
roles:
  viewer: ["*"]
  responder: [U012AB3CD, "@sre"]
people:
  ana: [U012AB3CD, "os:1000"]
kinds:
  security: ["@sec-team"]
environments:
  staging: ["*-staging", "dev-?"]
rules:
  - id: staging
    environments: [staging]
    needs: {}
  - id: high
    risks: [high, medium]
    runbooks: ["failover*"]
    namespaces: [payments]
    needs: {security: 2, approver: 1}
    valid_for: 90m
"""


def test_all_that_it_can_say_is_read() -> None:
    policy = parse_access(GOOD.encode(), "access.yaml")
    assert policy.roles == {Role.VIEWER: ("*",), Role.RESPONDER: ("U012AB3CD", "@sre")}
    assert policy.people == {"ana": ("U012AB3CD", "os:1000")}
    assert policy.kinds == {"security": ("@sec-team",)}
    assert policy.environments == {"staging": ("*-staging", "dev-?")}
    staging, high = policy.rules
    assert staging == ApprovalRule("staging", {}, environments=("staging",))
    assert high == ApprovalRule(
        "high",
        {"security": 2, "approver": 1},
        runbooks=("failover*",),
        risks=(Risk.HIGH, Risk.MEDIUM),
        namespaces=("payments",),
        valid_for=timedelta(minutes=90),
    )
    assert len(policy.digest) == 64


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("viewer: ", "visitor: ", 2, "visitor"),
        ('["*"]', '["**"]', 2, "pattern"),
        ('["*"]', "everybody", 2, "list"),
        ('"@sre"', '"#sre"', 3, "pattern"),
        ('"os:1000"', '"os 1000"', 5, "pattern"),
        ("security: [", "Security Team: [", 7, "Security Team"),
        ("dev-?", "Dev_1", 9, "pattern"),
        ("id: staging", "id: Staging!", 11, "pattern"),
        ("[staging]\n", "[production]\n", 12, "there is no environment “production”"),
        ("[staging]\n", "[]\n", 12, "at least 1"),
        ("    needs: {}\n", "", 11, "needs"),
        ("[high, medium]", "[huge]", 15, "Input should be"),
        ("security: 2", "security: 0", 18, "greater than or equal to 1"),
        ("security: 2", "security: 11", 18, "less than or equal to 10"),
        ("security: 2", 'security: "2"', 18, "integer"),
        ("security: 2", "business_owner: 2", 18, "there is no kind “business_owner”"),
        ("90m", "0m", 19, "0"),
        ("90m", "soon", 19, "duration"),
        ("90m", "90m\n    until: never", 20, "until"),
        ("roles:", "role:", 1, "role"),
    ],
)
def test_every_mistake_is_said_with_its_line(before: str, after: str, line: int, said: str) -> None:
    assert before in GOOD
    with pytest.raises(FileProblems) as caught:
        parse_access(GOOD.replace(before, after, 1).encode(), "access.yaml")
    problems = [str(one) for one in caught.value.problems]
    assert any(one.startswith(f"access.yaml:{line}: ") and said in one for one in problems), (
        problems
    )


def test_all_mistakes_are_said_at_once() -> None:
    text = GOOD.replace("[staging]\n", "[nowhere]\n").replace("security: 2", "nobody: 2")
    with pytest.raises(FileProblems) as caught:
        parse_access(text.encode(), "access.yaml")
    assert [one.line for one in caught.value.problems] == [12, 18]


def test_a_change_is_in_force_at_once_and_a_mistake_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "access.yaml"
    path.write_text(GOOD)
    file = AccessFile(path)
    assert file.current().roles[Role.VIEWER] == ("*",)
    path.write_text(GOOD.replace('["*"]', "[UNEW]"))
    assert file.current().roles[Role.VIEWER] == ("UNEW",)
    for broken in (GOOD.replace("roles", "rolls"), "", "a: [", "\x00"):
        path.write_text(broken)
        assert file.current().roles[Role.VIEWER] == ("UNEW",)
    path.unlink()
    assert file.current().roles[Role.VIEWER] == ("UNEW",)
    path.write_text(GOOD)
    assert file.current().roles[Role.VIEWER] == ("*",)


@pytest.mark.parametrize("content", [None, b"", b"roles: x"])
def test_without_a_policy_nobody_may_do_anything(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "access.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"Nobody may act on runs: .*access\.yaml:1: "):
        AccessFile(path).current()


@pytest.mark.parametrize(
    ("risk", "namespace", "needs"),
    [
        (Risk.HIGH, "payments", {"approver": 1}),
        (Risk.HIGH, "web-staging", {}),
        (Risk.MEDIUM, "payments", {}),
        (Risk.NONE, "payments", {}),
    ],
)
def test_as_shipped_high_risk_needs_one_approver(
    risk: Risk, namespace: str, needs: dict[str, int]
) -> None:
    policy = parse_access(SHIPPED.read_bytes(), "access.yaml")
    asked = Asked("any", risk, frozenset({namespace}))
    assert requirement(policy, asked).needs == needs


def test_as_shipped_nobody_breaks_the_glass() -> None:
    """Everybody may declare a P0; who may then do without approvals has to be named first."""
    assert nobody_overrides(parse_access(SHIPPED.read_bytes(), "access.yaml"))
