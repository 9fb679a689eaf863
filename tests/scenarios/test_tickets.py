"""What wakes nobody is a ticket, where the team keeps its work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.adapters.github_issues import GitHubIssues
from bot.adapters.jira_issues import JiraIssues, JiraProject
from tests.support import github, jira
from tests.support.github import GitHub
from tests.support.harness import Harness
from tests.support.jira import Jira


@pytest.fixture
def hub(h: Harness) -> Iterator[GitHub]:
    """The team keeps its tickets in a repository."""
    tracker = GitHub()
    with tracker.served() as url:
        h.keep_tickets_in(GitHubIssues(github.REPOSITORY, github.TOKEN, url))
        yield tracker


@pytest.fixture
def board(h: Harness) -> Iterator[Jira]:
    """The team keeps its tickets in Jira, whose search is late."""
    tracker = Jira()
    tracker.indexes_at_once = False
    with tracker.served() as url:
        project = JiraProject(url, jira.PROJECT, "Task")
        h.keep_tickets_in(JiraIssues(project, jira.TOKEN, jira.EMAIL))
        yield tracker


def test_a_tickets_life(h: Harness, hub: GitHub) -> None:
    """A disk fills up: an issue, taken by ana, closed when it is over, open when it is back."""
    h.alert("DiskFillingUp", severity="warning")
    (issue,) = hub.issues
    assert issue["title"].startswith("P2 DiskFillingUp")
    assert f"{h.url}/incidents/1" in issue["body"]
    assert h.told_pager() == []
    assert issue["html_url"] in h.message().text
    assert any(f"Ticket octo/shop#1 is entered: {issue['html_url']}" in one for one in h.timeline())

    h.click("Acknowledge")
    assert "acknowledged by ana" in issue["body"]

    h.resolve("DiskFillingUp")
    h.fast_forward(minutes=30)
    assert issue["state"] == "closed"

    h.click("Reopen")
    assert issue["state"] == "open"
    assert len(hub.issues) == 1
    assert issue["html_url"] in h.command("ben", "/incident why 1")
    assert h.queue.waiting() == []


def test_a_ticket_that_becomes_critical_pages(h: Harness, hub: GitHub) -> None:
    """And it stays, and says so."""
    h.alert("DiskFillingUp", severity="warning")
    h.alert("DiskFillingUp", severity="critical")
    assert h.told_pager() == [("trigger", 202)]
    (issue,) = hub.issues
    assert (issue["state"], issue["title"][:3]) == ("open", "P1 ")
    assert "this ticket stays" in issue["body"]


def test_a_page_is_no_ticket(h: Harness, hub: GitHub) -> None:
    h.alert("HighErrorRate", severity="critical")
    assert (len(hub.ledger), h.pages()) == (0, ["triggered"])


def test_an_answer_that_got_lost_makes_no_second_ticket(h: Harness, board: Jira) -> None:
    """Jira has it, we don't know, and its search needs some seconds to show it."""
    board.lose_next_answer()
    h.alert("DiskFillingUp", severity="warning")
    assert any("Try 1 to create the ticket failed" in one for one in h.timeline())
    h.click("Acknowledge")
    h.fast_forward(10)
    board.index()
    h.fast_forward(60)
    assert list(board.issues) == ["OPS-1"]
    assert "acknowledged by ana" in board.issues["OPS-1"]["description"]
    assert "OPS-1" in h.message().text
    h.resolve("DiskFillingUp")
    h.fast_forward(minutes=30)
    assert board.state("OPS-1") == "Done"


def test_github_limits_us(h: Harness, hub: GitHub) -> None:
    """It is not asked again before it said, and pages go out all the same."""
    hub.fail_next(403, {"message": "You have exceeded a secondary rate limit."}, retry_after="90")
    h.alert("DiskFillingUp", severity="warning")
    h.alert("HighErrorRate", severity="critical")
    assert h.pages() == ["triggered"]
    h.fast_forward(80)
    assert len(hub.writes()) == 1
    h.fast_forward(15)
    assert len(hub.issues) == 1


def test_a_token_that_was_revoked(h: Harness, hub: GitHub) -> None:
    """It is said where people look and tried no more; with a new one the next change brings it."""
    url = hub.url
    h.keep_tickets_in(GitHubIssues(github.REPOSITORY, "revoked", url))
    h.alert("DiskFillingUp", severity="warning")
    h.fast_forward(minutes=60)
    assert len(hub.ledger) == 1
    assert "REFUSED: TOCSIN_GITHUB_TOKEN is wrong" in h.message().text
    assert any("The tracker refused to create the ticket" in one for one in h.timeline())
    h.keep_tickets_in(GitHubIssues(github.REPOSITORY, github.TOKEN, url))
    h.click("Acknowledge")
    h.fast_forward(60)
    assert len(hub.issues) == 1
    assert "REFUSED" not in h.message().text


def test_without_a_tracker_the_incident_is_the_ticket(h: Harness) -> None:
    h.alert("DiskFillingUp", severity="warning")
    assert any("Ticket entered; a response is due by" in line for line in h.timeline())
    assert "memory" not in h.message().text
    assert h.queue.waiting() == []
