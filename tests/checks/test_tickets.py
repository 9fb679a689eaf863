"""The check of where tickets are kept, and the settings that say it."""

from __future__ import annotations

import pytest

from bot.checks.tickets import check_tickets
from bot.domain.errors import PermanentError
from bot.required_settings import missing
from bot.sandbox.pagerduty import SandboxPagerDuty, pagerduty_app
from bot.settings import Settings
from tests.support import github, jira
from tests.support.examples import NOW
from tests.support.github import GitHub
from tests.support.jira import Jira
from tests.support.serve import serve

GITHUB = {"github_repository": github.REPOSITORY, "github_token": github.TOKEN}
TICKET_KEY = "0123456789abcdef0123456789abcdef"
PAGERDUTY = {"pagerduty_routing_key": "5" * 32, "pagerduty_ticket_routing_key": TICKET_KEY}
JIRA = {"jira_project": jira.PROJECT, "jira_token": jira.TOKEN, "jira_email": jira.EMAIL}


def settings(**given: object) -> Settings:
    """Settings with nothing set but these fields."""
    aliases = {name: str(one.validation_alias) for name, one in Settings.model_fields.items()}
    return Settings.model_validate({aliases[name]: value for name, value in given.items()})


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)


def test_without_a_tracker_they_are_on_our_own_list() -> None:
    assert "Tocsin’s own list" in check_tickets(settings())


def test_githubs_repository_is_named_and_a_bad_token_too() -> None:
    hub = GitHub()
    with hub.served():
        assert check_tickets(settings(**GITHUB, github_url=hub.url)).startswith("issues of octo")
        wrong = {**GITHUB, "github_token": "wrong"}
        with pytest.raises(PermanentError, match="TOCSIN_GITHUB_TOKEN is wrong"):
            check_tickets(settings(**wrong, github_url=hub.url))


def test_jiras_project_is_named() -> None:
    tracker = Jira()
    with tracker.served():
        said = check_tickets(settings(**JIRA, jira_url=tracker.url))
    assert said == "issues of Operations (OPS) in Jira, as Tocsin"


def test_pagerdutys_key_is_tried_and_a_wrong_one_named() -> None:
    pager = SandboxPagerDuty(now=lambda: NOW, routing_keys={TICKET_KEY})
    with serve(pagerduty_app(pager)) as url:
        there = {**PAGERDUTY, "pagerduty_events_url": url}
        said = check_tickets(settings(**there))
        assert said.startswith("incidents of PagerDuty, which accepts PAGERDUTY_TICKET_ROUTING_KEY")
        wrong = {**there, "pagerduty_ticket_routing_key": "f" * 32}
        with pytest.raises(PermanentError, match=r"^PAGERDUTY_TICKET_ROUTING_KEY: "):
            check_tickets(settings(**wrong))
    assert pager.incidents() == []


def test_a_tracker_goes_before_pagerduty() -> None:
    hub = GitHub()
    with hub.served():
        said = check_tickets(settings(**PAGERDUTY, **GITHUB, github_url=hub.url))
    assert said.startswith("issues of octo")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"github_repository": "octo/shop"}, "TOCSIN_GITHUB_TOKEN: one is of no use alone"),
        ({"github_token": "x"}, "TOCSIN_GITHUB_TOKEN: one is of no use alone"),
        ({"jira_url": "https://jira"}, "both are needed with TOCSIN_JIRA_URL"),
        ({**GITHUB, **JIRA, "jira_url": "https://jira"}, "unset one, a ticket has one place"),
        (
            {"pagerduty_ticket_routing_key": TICKET_KEY},
            "PAGERDUTY_ROUTING_KEY: needed with PAGERDUTY_TICKET_ROUTING_KEY",
        ),
        (
            {"pagerduty_routing_key": TICKET_KEY, "pagerduty_ticket_routing_key": TICKET_KEY},
            "set another key than for pages",
        ),
        (
            {**PAGERDUTY, "pagerduty_fallback_routing_key": TICKET_KEY},
            "set another key than for pages",
        ),
    ],
)
def test_half_of_it_stops_the_start(given: dict[str, str], says: str) -> None:
    (sentence,) = missing(settings(sandbox=True, **given))
    assert says in sentence


def test_a_whole_one_does_not() -> None:
    assert missing(settings(sandbox=True, **GITHUB)) == ()
    assert missing(settings(sandbox=True, **JIRA, jira_url="https://jira.example")) == ()
    assert missing(settings(sandbox=True, **PAGERDUTY)) == ()
