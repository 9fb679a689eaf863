"""The check of the access policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from bot.checks.access import check_access
from bot.checks.finding import Warned
from bot.domain.errors import InvalidInput
from bot.settings import Settings, load
from tests.support.clock import FakeClock
from tests.support.serve import serve
from tests.support.stand_ins import BOT_TOKEN, SIGNING_SECRET, StandIns
from tests.support.swap import Swap

ROLES = 'roles: {responder: ["*"], commander: [U1], approver: ["@sre"]}\n'


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.setenv("TOCSIN_POLICY", str(tmp_path))
    return tmp_path / "access.yaml"


@pytest.fixture
def _slack(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Slack whose only user group is sre; set after all other settings were unset."""
    swap = Swap()
    with serve(swap) as url:
        swap.app = Starlette(routes=StandIns.at(url, FakeClock()).routes())
        monkeypatch.setenv("SLACK_BOT_TOKEN", BOT_TOKEN)
        monkeypatch.setenv("SLACK_SIGNING_SECRET", SIGNING_SECRET)
        monkeypatch.setenv("SLACK_API_URL", f"{url}/stand-ins/slack/api/")
        yield


@pytest.mark.usefixtures("_slack")
def test_a_group_that_slack_has_is_fine(path: Path) -> None:
    path.write_text(ROLES + "rules: [{id: all, needs: {approver: 1}}]")
    assert check_access(load()).startswith("1 rules, digest ")


@pytest.mark.usefixtures("_slack")
def test_a_group_that_slack_does_not_have_is_named(path: Path) -> None:
    path.write_text(ROLES.replace("@sre", "@sre-team"))
    with pytest.raises(InvalidInput, match="Slack has no user group @sre-team with anybody in it"):
        check_access(load())


def test_a_kind_that_nobody_can_give_is_named_with_its_rule(path: Path) -> None:
    path.write_text(
        ROLES + "kinds: {security: [], audit: []}\nrules: [{id: all, needs: {security: 1}}]"
    )
    with pytest.raises(InvalidInput, match="Rule all needs security, and nobody"):
        check_access(load())


def test_a_rule_that_needs_an_approver_needs_somebody_who_is(path: Path) -> None:
    path.write_text('roles: {responder: ["*"]}\nrules: [{id: all, needs: {approver: 1}}]')
    with pytest.raises(InvalidInput, match="Rule all needs approver"):
        check_access(load())


@pytest.mark.parametrize(
    ("commander", "said"),
    [("[]", "nobody can override a missing approval"), ('["*"]', "whoever declares a P0")],
)
def test_who_may_break_the_glass_is_to_be_named(path: Path, commander: str, said: str) -> None:
    roles = ROLES.replace("[U1]", commander).replace("@sre", "U2")
    path.write_text(roles + "rules: [{id: all, needs: {approver: 1}}]")
    with pytest.raises(Warned, match=f"^1 rules, digest .*; .*{said}"):
        check_access(load())


def test_no_rules_are_strict(path: Path) -> None:
    path.write_text(ROLES)
    with pytest.raises(Warned, match="every run needs an approver"):
        check_access(load())


@pytest.mark.parametrize("text", [None, "roles: x"])
def test_a_file_that_cannot_be_used_is_a_finding(path: Path, text: str | None) -> None:
    if text is not None:
        path.write_text(text)
    with pytest.raises(InvalidInput, match="Nobody may act on runs"):
        check_access(load())
