"""The check of where tickets are kept, and the settings that say it."""

from __future__ import annotations

import pytest

from bot.checks.tickets import check_tickets
from bot.domain.errors import PermanentError
from bot.settings import Settings, missing
from tests.support import github, jira
from tests.support.github import GitHub
from tests.support.jira import Jira

GITHUB = {"github_repository": github.REPOSITORY, "github_token": github.TOKEN}
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


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"github_repository": "octo/shop"}, "TOCSIN_GITHUB_TOKEN: one is of no use alone"),
        ({"github_token": "x"}, "TOCSIN_GITHUB_TOKEN: one is of no use alone"),
        ({"jira_url": "https://jira"}, "both are needed with TOCSIN_JIRA_URL"),
        ({**GITHUB, **JIRA, "jira_url": "https://jira"}, "unset one, a ticket has one place"),
    ],
)
def test_half_of_it_stops_the_start(given: dict[str, str], says: str) -> None:
    (sentence,) = missing(settings(sandbox=True, **given))
    assert says in sentence


def test_a_whole_one_does_not() -> None:
    assert missing(settings(sandbox=True, **GITHUB)) == ()
    assert missing(settings(sandbox=True, **JIRA, jira_url="https://jira.example")) == ()
