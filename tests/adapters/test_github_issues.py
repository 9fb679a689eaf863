"""GitHub Issues, against a stand-in over real HTTP, and against what can go wrong with it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters import github_issues
from bot.adapters.github_issues import PAGE_SIZE, GitHubIssues
from bot.adapters.ticket_errors import SECONDARY_LIMIT
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.ticket import TicketRef
from tests.support.github import REPOSITORY, TOKEN, GitHub
from tests.support.tickets import a_ticket

HOSTILE = "@octo/everyone ```\n<img src=x onerror=alert(1)> [go](https://evil) #1 octo/shop#2"


@pytest.fixture(scope="module")
def server() -> Iterator[GitHub]:
    tracker = GitHub()
    with tracker.served():
        yield tracker


@pytest.fixture
def hub(server: GitHub) -> GitHub:
    """The stand-in as it is in the beginning; the address stays."""
    address = server.url
    server.__init__()  # type: ignore[misc]
    server.url = address
    return server


@pytest.fixture
def issues(hub: GitHub) -> GitHubIssues:
    return GitHubIssues(REPOSITORY, TOKEN, hub.url, timeout=5)


def recent(**changes: object):  # type: ignore[no-untyped-def]
    return a_ticket(since=datetime.now(UTC), **changes)


def test_a_ticket_is_entered_and_found_again(hub: GitHub, issues: GitHubIssues) -> None:
    ticket = recent()
    assert issues.find(ticket) is None
    ref = issues.create(ticket)
    assert ref == TicketRef(
        issues.place, "1", "octo/shop#1", "https://github.com/octo/shop/issues/1"
    )
    assert issues.find(ticket) == ref
    assert issues.find(replace(ticket, marker="tocsin-fedcba")) is None
    (issue,) = hub.issues
    assert issue["title"] == ticket.title
    assert issue["labels"] == [{"name": "tocsin"}]
    assert "https://tocsin.example/incidents/7" in issue["body"]


def test_it_is_found_among_many(hub: GitHub, issues: GitHubIssues) -> None:
    first = recent()
    ref = issues.create(first)
    for number in range(PAGE_SIZE + 5):
        issues.create(replace(first, marker=f"tocsin-{number}"))
    assert issues.find(first) == ref


def test_what_is_older_than_the_incident_is_not_looked_at(
    hub: GitHub, issues: GitHubIssues
) -> None:
    ticket = recent()
    issues.create(ticket)
    hub.issues[0]["updated_at"] = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    assert issues.find(ticket) is None


def test_a_marker_in_a_text_is_no_marker(issues: GitHubIssues) -> None:
    ticket = recent()
    issues.create(replace(ticket, marker="tocsin-other", text=f"a\n<!-- {ticket.marker} -->\nb"))
    assert issues.find(ticket) is None


def test_it_is_changed_closed_and_reopened(hub: GitHub, issues: GitHubIssues) -> None:
    ref = issues.create(recent())
    hub.issues[0]["labels"].append({"name": "theirs"})
    issues.update(ref, recent(title="P1 Worse"))
    assert (hub.issues[0]["title"], hub.issues[0]["state"]) == ("P1 Worse", "open")
    issues.close(ref, recent(title="Over"))
    assert (hub.issues[0]["title"], hub.issues[0]["state"]) == ("Over", "closed")
    issues.update(ref, recent(title="Still over"))
    assert hub.issues[0]["state"] == "closed"
    issues.reopen(ref, recent())
    issues.reopen(ref, recent())
    assert hub.issues[0]["state"] == "open"
    assert {"name": "theirs"} in hub.issues[0]["labels"]


def test_an_answer_that_got_lost_leaves_a_ticket_to_be_found(
    hub: GitHub, issues: GitHubIssues
) -> None:
    ticket = recent()
    hub.lose_next_answer()
    with pytest.raises(TemporaryError, match="GitHub gave no answer: ConnectionError"):
        issues.create(ticket)
    assert hub.writes() == ["POST /repos/octo/shop/issues"], "it is not repeated here"
    assert issues.find(ticket) is not None


@pytest.mark.parametrize(
    ("status", "message", "headers", "wait"),
    [
        (500, "Server Error", {}, None),
        (503, "Unavailable", {"retry_after": "7"}, 7.0),
        (429, "Too many requests", {"retry_after": "90"}, 90.0),
        (403, "You have exceeded a secondary rate limit.", {"retry_after": "30"}, 30.0),
        (403, "You have exceeded a secondary rate limit.", {}, SECONDARY_LIMIT),
    ],
)
def test_what_may_pass_is_temporary_and_asked_once(
    hub: GitHub,
    issues: GitHubIssues,
    status: int,
    message: str,
    headers: dict[str, str],
    wait: float | None,
) -> None:
    hub.fail_next(status, {"message": message}, **headers)
    with pytest.raises(TemporaryError, match=f"GitHub answered {status}: ") as caught:
        issues.create(recent())
    assert caught.value.retry_after == wait
    assert len(hub.writes()) == 1


def test_the_hours_limit_says_when_it_ends(hub: GitHub, issues: GitHubIssues) -> None:
    reset = str(int(time.time()) + 100)
    message = {"message": "API rate limit exceeded for user ID 1."}
    hub.fail_next(403, message, x_ratelimit_remaining="0", x_ratelimit_reset=reset)
    with pytest.raises(TemporaryError) as caught:
        issues.create(recent())
    assert caught.value.retry_after == pytest.approx(100, abs=10)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "TOCSIN_GITHUB_TOKEN is wrong, expired or revoked"),
        (403, "For octo/shop, give the owner of TOCSIN_GITHUB_TOKEN write access"),
        (404, "check TOCSIN_GITHUB_REPOSITORY"),
        (410, "The issue was deleted, or issues are switched off in octo/shop"),
        (422, "GitHub answered 422: No."),
    ],
)
def test_what_a_person_must_put_right_says_so(
    hub: GitHub, issues: GitHubIssues, status: int, says: str
) -> None:
    hub.fail_next(status)
    with pytest.raises(PermanentError, match=says) as caught:
        issues.create(recent())
    assert TOKEN not in str(caught.value)


def test_a_repository_that_was_renamed_is_named(hub: GitHub, issues: GitHubIssues) -> None:
    ref = issues.create(recent())
    hub.fail_next(307, {"message": "Moved Permanently", "url": "https://api.github.com/x"})
    with pytest.raises(PermanentError, match="octo/shop was renamed"):
        issues.update(ref, recent())


@pytest.mark.parametrize("body", [[], {"number": "x"}, {"data": 3}, "text"])
def test_something_else_than_github_is_temporary(
    hub: GitHub, issues: GitHubIssues, body: object
) -> None:
    hub.fail_next(200, body or [3])
    with pytest.raises(TemporaryError, match="no answer that can be read"):
        issues.create(recent())


def test_a_connection_that_breaks_is_temporary(hub: GitHub, issues: GitHubIssues) -> None:
    hub.hang_up()
    with pytest.raises(TemporaryError, match="GitHub gave no answer"):
        issues.find(recent())


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(TemporaryError, match="Timeout"):
            GitHubIssues(REPOSITORY, TOKEN, address, timeout=1).create(recent())


def test_a_token_that_can_be_none_is_refused_without_being_shown() -> None:
    with pytest.raises(PermanentError, match="TOCSIN_GITHUB_TOKEN") as caught:
        GitHubIssues(REPOSITORY, "sec ret\n")
    assert "sec" not in str(caught.value)


def test_what_alerts_wrote_stays_text(hub: GitHub, issues: GitHubIssues) -> None:
    issues.create(recent(title=HOSTILE, text=HOSTILE))
    (issue,) = hub.issues
    assert issue["title"].startswith("@\u200bocto/everyone ``` <img")
    before, _, rest = issue["body"].partition("````text\n")
    inside, _, after = rest.partition("\n````\n")
    assert inside == HOSTILE
    assert not any(one in before + after for one in ("@", "evil", "img", "#1"))


@given(st.text(), st.text())
def test_no_text_ends_its_block(title: str, text: str) -> None:
    body = github_issues._body(a_ticket(title=title, text=text))
    lines = body.splitlines()
    fence = next(line for line in lines if line.startswith("```")).removesuffix("text")
    assert lines.count(fence) == 1
    assert not any(
        line.strip().startswith(fence)
        for line in lines[lines.index(f"{fence}text") + 1 :]
        if line != fence
    )
    body.encode()


def test_verify_names_the_repository(issues: GitHubIssues) -> None:
    assert issues.verify() == "issues of octo/shop on GitHub"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"archived": True}, "octo/shop is archived"),
        ({"has_issues": False}, "has its issues switched off"),
        ({"permissions": {"pull": True}}, "it can’t set labels there"),
    ],
)
def test_verify_says_what_is_missing(
    hub: GitHub, issues: GitHubIssues, changes: dict[str, object], says: str
) -> None:
    hub.repository.update(changes)
    with pytest.raises(PermanentError, match=says):
        issues.verify()


def test_verify_says_whose_fault_it_is(hub: GitHub) -> None:
    with pytest.raises(PermanentError, match="TOCSIN_GITHUB_TOKEN is wrong"):
        GitHubIssues(REPOSITORY, "wrong", hub.url).verify()
    with pytest.raises(PermanentError, match="octo/nothing"):
        GitHubIssues("octo/nothing", TOKEN, hub.url).verify()
