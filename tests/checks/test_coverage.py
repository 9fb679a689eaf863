"""`tocsin check --oncall` and `tocsin oncall`, against the stand-ins for PagerDuty and Slack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.sandbox.pagerduty import SandboxPagerDuty, pagerduty_app
from bot.sandbox.slack import SandboxSlack, slack_app
from bot.settings import Settings
from tests.support.serve import serve

KEY = "0123456789abcdef0123456789abcdef"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def slack() -> SandboxSlack:
    return SandboxSlack(
        events_url="", base_url="", signing_secret="unused", bot_token="xoxb-test", now=now
    )


@pytest.fixture
def pager() -> SandboxPagerDuty:
    return SandboxPagerDuty(now=now, routing_keys={KEY})


@pytest.fixture(autouse=True)
def _configured(
    slack: SandboxSlack, pager: SandboxPagerDuty, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    routes = [Mount("/slack", slack_app(slack)), Mount("/pagerduty", pagerduty_app(pager))]
    with serve(Starlette(routes=routes)) as url:
        for name, value in {
            "SLACK_BOT_TOKEN": "xoxb-test",
            "SLACK_API_URL": f"{url}/slack/api/",
            "PAGERDUTY_ROUTING_KEY": KEY,
            "PAGERDUTY_API_TOKEN": "token",
            "PAGERDUTY_API_URL": f"{url}/pagerduty",
        }.items():
            monkeypatch.setenv(name, value)
        yield


def tocsin(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_no_gap_is_said_too() -> None:
    checked = tocsin("check", "--oncall")
    assert checked.exit_code == 0, checked.output
    assert checked.stdout.startswith("ok   on call: somebody is on call at every level")


def test_each_gap_is_a_failure(slack: SandboxSlack) -> None:
    state = slack.dump()
    state["users"]["U00000ANA"]["email"] = "ana@elsewhere.test"
    slack.load(state)
    checked = tocsin("check", "--oncall")
    assert checked.exit_code == 1
    assert checked.stdout.splitlines() == [
        "FAIL on call: Ana Lopez is on call, and no Slack user has their e-mail address "
        "ana@example.test."
    ]


def test_a_pager_that_refuses_is_a_failure(pager: SandboxPagerDuty, slack: SandboxSlack) -> None:
    slack.fail_next("users.lookupByEmail", "missing_scope")
    checked = tocsin("check", "--oncall", "--json")
    assert checked.exit_code == 1
    (finding,) = json.loads(checked.stdout)
    assert "tocsin slack manifest" in finding["says"]
    pager.scopes = set()
    assert "FAIL on call: " in tocsin("check", "--oncall").stdout


def test_who_is_on_call_on_the_command_line() -> None:
    said = tocsin("oncall")
    assert said.exit_code == 0, said.output
    assert "On call for Sandbox service" in said.stdout
    assert "Level 1: Ana Lopez" in said.stdout
    data = json.loads(tocsin("oncall", "sandbox", "service", "--json").stdout)
    assert [one["person"]["name"] for one in data["on_call"]] == ["Ana Lopez", "Ben Okafor"]
    assert KEY not in json.dumps(data)


def test_an_unknown_service_is_refused_with_the_nearest() -> None:
    refused = tocsin("oncall", "Sandbox", "servise")
    assert refused.exit_code == 1
    assert "Did you mean “Sandbox service”?" in refused.output
