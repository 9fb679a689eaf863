"""Checks of what wakes people, on settings and the stand-in for PagerDuty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.checks.finding import Warned
from bot.checks.paging import (
    check_confirmation,
    check_notifiers,
    check_pagerduty,
    check_routing,
)
from bot.domain.errors import InvalidInput, PermanentError
from bot.sandbox.pagerduty import SandboxPagerDuty, pagerduty_app
from bot.settings import Settings
from tests.support.clock import FakeClock
from tests.support.serve import serve

KEY = SecretStr("0123456789abcdef0123456789abcdef")
SMTP = "mail=mailto://user:password@smtp.example.test?to=ops@example.test"
ROUTING = "fallback:\n  - notifier: {}\n"


def settings(**given: object) -> Settings:
    """Settings with nothing set but these fields."""
    aliases = {name: str(one.validation_alias) for name, one in Settings.model_fields.items()}
    return Settings.model_validate({aliases[name]: value for name, value in given.items()})


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)


@pytest.fixture
def pager() -> SandboxPagerDuty:
    return SandboxPagerDuty(now=FakeClock().now, routing_keys={KEY.get_secret_value()})


@pytest.fixture
def connected(pager: SandboxPagerDuty) -> Iterator[Settings]:
    with serve(pagerduty_app(pager)) as url:
        yield settings(
            pagerduty_routing_key=KEY, pagerduty_api_token="token", pagerduty_api_url=url
        )


def test_the_tokens_owner_is_named(connected: Settings, pager: SandboxPagerDuty) -> None:
    assert check_pagerduty(connected) == "the REST API accepts the token of Tocsin"
    pager.token_owner = None
    with pytest.raises(Warned, match="PAGERDUTY_FROM_EMAIL"):
        check_pagerduty(connected)


def test_each_missing_scope_is_named(connected: Settings, pager: SandboxPagerDuty) -> None:
    pager.scopes = {"incidents.read", "users.read", "services.read"}
    with pytest.raises(PermanentError, match=r"oncalls\.read, escalation_policies\.read\."):
        check_pagerduty(connected)


def test_without_a_token_it_is_said_what_is_lost() -> None:
    with pytest.raises(Warned, match="nobody knows who is on call"):
        check_pagerduty(settings(pagerduty_routing_key=KEY))
    with pytest.raises(InvalidInput, match="PAGERDUTY_ROUTING_KEY"):
        check_pagerduty(settings())


@pytest.mark.parametrize(
    ("given", "ways"),
    [
        ({"pagerduty_webhook_secret": "secret"}, "by webhooks"),
        ({"pagerduty_api_token": "token"}, "by the REST API"),
        (
            {"pagerduty_webhook_secret": "secret", "pagerduty_api_token": "token"},
            "by webhooks and the REST API",
        ),
    ],
)
def test_what_can_confirm_a_page_is_named(given: dict[str, str], ways: str) -> None:
    assert check_confirmation(settings(pagerduty_routing_key=KEY, **given)) == ways


def test_that_nothing_can_confirm_a_page_is_said_plainly() -> None:
    with pytest.raises(Warned, match="nothing can confirm a page"):
        check_confirmation(settings(pagerduty_routing_key=KEY))


def test_notifiers_are_named_without_their_addresses() -> None:
    said = check_notifiers(settings(notifiers=SMTP))
    assert said.startswith("mail (")
    assert "password" not in said
    assert check_notifiers(settings()) == "none"
    with pytest.raises(InvalidInput, match="no service of Apprise"):
        check_notifiers(settings(notifiers="sms=nonsense://x"))


def routing(folder: Path, text: str) -> Path:
    (folder / "routing.yaml").write_text(text)
    return folder


def test_a_notifier_that_is_not_set_is_refused(tmp_path: Path) -> None:
    folder = routing(tmp_path, ROUTING.format("pager-duty-2"))
    with pytest.raises(InvalidInput, match="TOCSIN_NOTIFIERS does not have: “pager-duty-2”"):
        check_routing(settings(policy=folder, notifiers=SMTP))


def test_a_second_key_that_is_not_set_is_a_warning(tmp_path: Path) -> None:
    folder = routing(tmp_path, ROUTING.format("mail") + "escalations: []\n")
    given = {"policy": folder, "notifiers": SMTP}
    assert "digest" in check_routing(settings(**given))
    routing(tmp_path, "fallback:\n  - pagerduty: secondary\nescalations: []\n")
    with pytest.raises(Warned, match="PAGERDUTY_FALLBACK_ROUTING_KEY is not set"):
        check_routing(settings(**given))
    assert "digest" in check_routing(settings(**given, pagerduty_fallback_routing_key=KEY))
