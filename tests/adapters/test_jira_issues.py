"""Jira, Cloud and Data Center, against a stand-in over real HTTP."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters import jira_issues
from bot.adapters.jira_issues import JiraIssues, JiraProject
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.ticket import TicketRef
from tests.support.jira import EMAIL, PROJECT, TOKEN, Jira
from tests.support.tickets import a_ticket

HOSTILE = "[~admin] {NoFormat} h1. Boo [go|https://evil] {html}<script>{html} !http://x/y.png!"


@pytest.fixture(params=["Cloud", "Data Center"])
def jira(request: pytest.FixtureRequest) -> Iterator[Jira]:
    tracker = Jira(cloud=request.param == "Cloud")
    with tracker.served():
        yield tracker


@pytest.fixture
def issues(jira: Jira) -> JiraIssues:
    return issues_of(jira)


def issues_of(jira: Jira, token: str = TOKEN, key: str = PROJECT, kind: str = "Task") -> JiraIssues:
    return JiraIssues(JiraProject(jira.url, key, kind), token, EMAIL if jira.cloud else None, 5.0)


def test_a_ticket_is_entered_and_found_again(jira: Jira, issues: JiraIssues) -> None:
    ticket = a_ticket()
    assert issues.find(ticket) is None
    ref = issues.create(ticket)
    assert ref == TicketRef(issues.place, "OPS-1", "OPS-1", f"{jira.url}/browse/OPS-1")
    assert issues.find(ticket) == ref
    assert issues.find(replace(ticket, marker="tocsin-fedcba")) is None
    issue = jira.issues["OPS-1"]
    assert issue["summary"] == ticket.title
    assert issue["labels"] == ["tocsin", ticket.marker]
    assert "https://tocsin.example/incidents/7" in issue["description"]


def test_it_is_changed_closed_and_reopened(jira: Jira, issues: JiraIssues) -> None:
    ref = issues.create(a_ticket())
    issues.update(ref, a_ticket(title="P1 Worse"))
    assert (jira.issues["OPS-1"]["summary"], jira.state("OPS-1")) == ("P1 Worse", "To Do")
    issues.close(ref, a_ticket(title="Over"))
    assert (jira.issues["OPS-1"]["summary"], jira.state("OPS-1")) == ("Over", "Done")
    issues.update(ref, a_ticket(title="Still over"))
    assert jira.state("OPS-1") == "Done"
    issues.reopen(ref, a_ticket())
    assert (jira.issues["OPS-1"]["summary"], jira.state("OPS-1")) == (a_ticket().title, "To Do")


def test_what_is_there_is_not_moved_again(jira: Jira, issues: JiraIssues) -> None:
    """The answer to the transition was lost, or a person was faster."""
    ref = issues.create(a_ticket())
    jira.issues["OPS-1"]["status"] = "In Progress"
    issues.reopen(ref, a_ticket(title="Open"))
    assert (jira.issues["OPS-1"]["summary"], jira.state("OPS-1")) == ("Open", "In Progress")
    for _ in range(2):
        issues.close(ref, a_ticket())
    assert [one for one in jira.writes() if one.endswith("/transitions")] == [
        "POST /rest/api/2/issue/OPS-1/transitions"
    ]


def test_a_workflow_without_a_way_is_named(jira: Jira, issues: JiraIssues) -> None:
    ref = issues.create(a_ticket())
    jira.workflow["To Do"] = ("In Progress", "In Progress")
    with pytest.raises(PermanentError, match="workflow of OPS offers Tocsin no transition into"):
        issues.close(ref, a_ticket())


def test_an_answer_that_got_lost_leaves_a_ticket_to_be_found(
    jira: Jira, issues: JiraIssues
) -> None:
    ticket = a_ticket()
    jira.lose_next_answer()
    with pytest.raises(TemporaryError, match="Jira gave no answer: ConnectionError"):
        issues.create(ticket)
    assert jira.writes() == ["POST /rest/api/2/issue"], "it is not repeated here"
    assert issues.find(ticket) is not None


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [(500, {}, None), (503, {}, None), (429, {"retry_after": "12"}, 12.0), (429, {}, None)],
)
def test_what_may_pass_is_temporary_and_asked_once(
    jira: Jira, issues: JiraIssues, status: int, headers: dict[str, str], wait: float | None
) -> None:
    jira.fail_next(status, **headers)
    with pytest.raises(TemporaryError, match=f"Jira answered {status}: No") as caught:
        issues.create(a_ticket())
    assert caught.value.retry_after == wait
    assert len(jira.writes()) == 1


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (400, "check TOCSIN_JIRA_PROJECT, TOCSIN_JIRA_ISSUE_TYPE"),
        (401, "TOCSIN_JIRA_TOKEN is wrong, expired or not TOCSIN_JIRA_EMAIL’s"),
        (403, "grant CREATE_ISSUES, EDIT_ISSUES, TRANSITION_ISSUES"),
        (404, "It is gone"),
    ],
)
def test_what_a_person_must_put_right_says_so(
    jira: Jira, issues: JiraIssues, status: int, says: str
) -> None:
    jira.fail_next(status)
    with pytest.raises(PermanentError, match=says) as caught:
        issues.create(a_ticket())
    assert TOKEN not in str(caught.value)
    assert "Authorization" not in str(caught.value)


@pytest.mark.parametrize("body", [[3], {"keys": "x"}, "text"])
def test_something_else_than_jira_is_temporary(
    jira: Jira, issues: JiraIssues, body: object
) -> None:
    jira.fail_next(200, body)
    with pytest.raises(TemporaryError):
        issues.create(a_ticket())


def test_a_connection_that_breaks_is_temporary_even_the_first(
    jira: Jira, issues: JiraIssues
) -> None:
    jira.hang_up()
    with pytest.raises(TemporaryError, match="Jira gave no answer"):
        issues.find(a_ticket())
    assert issues.find(a_ticket()) is None


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(TemporaryError, match="Timeout"):
            JiraIssues(JiraProject(address, PROJECT, "Task"), TOKEN, EMAIL, 0.2).find(a_ticket())


def test_what_alerts_wrote_stays_text(jira: Jira, issues: JiraIssues) -> None:
    issues.create(a_ticket(title="One\ntwo", text=HOSTILE))
    issue = jira.issues["OPS-1"]
    assert issue["summary"] == "One two"
    before, inside, after = issue["description"].split("{noformat}")
    assert "[~" not in inside
    assert "{\u200bNoFormat}" in inside
    assert not any(one in before + after for one in ("evil", "html", "h1", "!"))


@given(st.text())
def test_no_text_ends_its_block(text: str) -> None:
    description = jira_issues._description(a_ticket(text=text))
    assert description.lower().count("{noformat") == 2
    description.encode()


def test_verify_names_the_project(issues: JiraIssues) -> None:
    assert issues.verify() == "issues of Operations (OPS) in Jira, as Tocsin"


def test_verify_says_what_is_missing(jira: Jira, issues: JiraIssues) -> None:
    with pytest.raises(PermanentError, match="OPS has no Story; it has Task, Bug"):
        issues_of(jira, kind="Story").verify()
    with pytest.raises(PermanentError, match="TOCSIN_JIRA_TOKEN is wrong"):
        issues_of(jira, token="wrong").verify()
    with pytest.raises(PermanentError, match="may not see it"):
        issues_of(jira, key="NONE").verify()
    jira.lacks = {"EDIT_ISSUES"}
    with pytest.raises(PermanentError, match="Tocsin lacks EDIT_ISSUES in the project OPS"):
        issues.verify()
