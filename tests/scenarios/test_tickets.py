"""What wakes nobody is a ticket, where the team keeps its work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot.adapters.github_issues import GitHubIssues
from bot.adapters.jira_issues import JiraIssues, JiraProject
from bot.adapters.pagerduty import PagerDutyPager
from bot.adapters.pagerduty_rest import PagerDutyRecords
from bot.app.pager_limits import LimitedPager
from bot.app.pager_tickets import PagerTickets
from bot.domain.errors import TemporaryError
from bot.domain.incident import IncidentState
from bot.domain.token_bucket import TRIGGERS
from bot.sandbox.pagerduty.records import Incident as PagerDutyIncident
from tests.support import github, jira
from tests.support.github import GitHub
from tests.support.harness import Harness
from tests.support.jira import Jira
from tests.support.stand_ins import ROUTING_KEY
from tests.support.tickets import a_ticket

LOW_KEY = "7" * 32


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


class PagerDuty:
    """PagerDuty with a second service, whose incidents are the tickets."""

    def __init__(self, h: Harness) -> None:
        url = f"{h.url}/stand-ins/pagerduty"
        pager = LimitedPager(PagerDutyPager(LOW_KEY, url), lambda: h.clock.now().timestamp())
        self.tickets = PagerTickets(pager, LOW_KEY, PagerDutyRecords("token", url))
        self._account = h.pager

    def of(self, routing_key: str) -> list[PagerDutyIncident]:
        return [one for one in self._account.incidents() if one.routing_key == routing_key]

    def ticket(self) -> PagerDutyIncident:
        (made,) = self.of(LOW_KEY)
        return made

    def states(self) -> list[str]:
        """How the tickets stand, oldest first."""
        return [one.status for one in self.of(LOW_KEY)]

    def pages(self) -> list[PagerDutyIncident]:
        return self.of(ROUTING_KEY)

    def told(self) -> list[dict[str, Any]]:
        """The events about tickets."""
        bodies = [one.body for one in self._account.ledger if isinstance(one.body, dict)]
        return [one for one in bodies if one.get("routing_key") == LOW_KEY]


@pytest.fixture
def low(h: Harness) -> PagerDuty:
    """The team keeps its tickets in a PagerDuty service of low urgency."""
    h.pager.routing_keys = {ROUTING_KEY, LOW_KEY}
    made = PagerDuty(h)
    h.keep_tickets_in(made.tickets)
    return made


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


def test_what_follows_from_an_incident_is_not_forgotten(h: Harness, hub: GitHub) -> None:
    """After a bad night ana writes down what is to be done; ben does it, weeks after its end."""
    h.alert("HighErrorRate", severity="critical")
    h.resolve("HighErrorRate")
    h.fast_forward(minutes=30)
    h.command("ana", "/incident follow-up INC-1 Alert on the slope, not on the end.")
    (issue,) = hub.issues
    assert issue["title"] == "Alert on the slope, not on the end. (INC-1, follow-up 1)"
    assert f"{h.url}/incidents/1" in issue["body"]
    assert issue["html_url"] in h.message().text
    assert issue["html_url"] in h.command("ben", "/incident tickets")

    h.command("ben", "/incident done INC-1 1")
    assert issue["state"] == "closed"
    assert h.timeline()[-2:] == [
        "ben: Follow-up 1 is done.",
        f"Tocsin: Ticket octo/shop#1 of follow-up 1 is closed: {issue['html_url']}",
    ]
    assert "Nothing is left to do." in h.command("ben", "/incident tickets")
    h.command("ben", "/incident undone INC-1 1")
    assert issue["state"] == "open"
    assert len(hub.issues) == 1


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


def test_a_tickets_life_at_pagerduty(h: Harness, low: PagerDuty) -> None:
    """Where neither is set: an incident of a service that wakes nobody."""
    h.alert("DiskFillingUp", severity="warning")
    ticket = low.ticket()
    assert (ticket.status, ticket.severity, ticket.urgency) == ("triggered", "warning", "low")
    assert ticket.title.startswith("P2 DiskFillingUp")
    assert ticket.client_url == f"{h.url}/incidents/1"
    name = f"{ticket.dedup_key} in PagerDuty"
    assert name in h.message().text
    assert f"Tocsin: Ticket {name} is entered." in h.timeline()
    assert f"The ticket is {name}." in h.command("ben", "/incident why 1")

    h.click("Acknowledge")
    assert "acknowledged by ana" in low.told()[-1]["payload"]["custom_details"]["ticket"]
    assert h.incident().state is IncidentState.ACKNOWLEDGED

    h.resolve("DiskFillingUp")
    h.fast_forward(minutes=30)
    assert low.states() == ["resolved"]

    h.click("Reopen")
    assert low.states() == ["resolved", "triggered"]
    h.click("Resolve")
    h.command("ana", "/incident close 1")
    assert low.states() == ["resolved", "resolved"]
    assert h.queue.waiting() == []


def test_a_ticket_at_pagerduty_that_becomes_critical_pages_besides(
    h: Harness, low: PagerDuty
) -> None:
    h.alert("DiskFillingUp", severity="warning")
    h.alert("DiskFillingUp", severity="critical")
    assert low.states() == ["triggered"]
    assert low.ticket().urgency == "low"
    (page,) = low.pages()
    assert (page.urgency, page.dedup_key) == ("high", h.incident().dedup_key)
    assert "Tocsin: The page is confirmed by PagerDuty’s webhook." in h.timeline()


@pytest.mark.parametrize("names_keys", [True, False], ids=["keys", "alerts"])
def test_what_people_do_to_a_ticket_at_pagerduty_is_theirs(
    h: Harness, low: PagerDuty, names_keys: bool
) -> None:
    """Its webhooks move neither the incident nor its page, and it stays as people left it."""
    h.pager.incident_keys = names_keys
    h.alert("DiskFillingUp", severity="warning")
    h.alert("DiskFillingUp", severity="critical")
    ticket, (page,) = low.ticket(), low.pages()
    h.pager.acknowledge(ticket.id, "Dana Doe")
    h.settle()
    assert (h.incident().state, page.status) == (IncidentState.TRIGGERED, "triggered")
    h.pager.resolve(ticket.id, "Dana Doe")
    h.settle()
    assert (h.incident().state, page.status) == (IncidentState.TRIGGERED, "triggered")
    h.click("Acknowledge")
    assert low.states() == ["resolved"]
    assert page.status == "acknowledged"
    assert not any("Dana" in line for line in h.timeline())


def test_pagerduty_loses_an_answer(h: Harness, low: PagerDuty) -> None:
    h.pager.lose_response_next()
    h.alert("DiskFillingUp", severity="warning")
    assert any("Try 1 to create the ticket failed" in one for one in h.timeline())
    h.fast_forward(60)
    assert low.states() == ["triggered"]
    assert h.queue.waiting() == []


def test_pagerduty_loses_an_answer_and_then_it_is_over(h: Harness, low: PagerDuty) -> None:
    """What may stand there is closed, and not left to whoever looks at it tomorrow."""
    h.pager.lose_response_next()
    h.alert("DiskFillingUp", severity="warning")
    h.click("Resolve")
    h.fast_forward(60)
    assert low.states() == ["resolved"]


def test_pagerduty_limits_its_tickets_and_no_page(h: Harness, low: PagerDuty) -> None:
    h.pager.fail_next(429, retry_after=90)
    h.alert("DiskFillingUp", severity="warning")
    h.alert("HighErrorRate", severity="critical")
    assert [one.status for one in low.pages()] == ["triggered"]
    h.fast_forward(80)
    assert low.states() == []
    h.fast_forward(15)
    assert low.states() == ["triggered"]


def test_a_storm_of_tickets_takes_nothing_from_the_pages(h: Harness, low: PagerDuty) -> None:
    """Each key has its own budget: tickets wait for room, and the page goes out at once."""
    ticket = a_ticket()
    ref = low.tickets.create(ticket)
    for _ in range(TRIGGERS.capacity - 1):
        low.tickets.update(ref, ticket)
    with pytest.raises(TemporaryError, match="no more in a minute"):
        low.tickets.update(ref, ticket)
    h.alert("HighErrorRate", severity="critical")
    assert [one.status for one in low.pages()] == ["triggered"]


def test_without_a_tracker_the_incident_is_the_ticket(h: Harness) -> None:
    h.alert("DiskFillingUp", severity="warning")
    assert any("Ticket entered; a response is due by" in line for line in h.timeline())
    assert "memory" not in h.message().text
    assert h.queue.waiting() == []
