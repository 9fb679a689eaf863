"""Pictures that steps made: on the incident's page, and by their own address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bot.app.attachments import Attachments
from bot.app.record import record_run
from bot.domain.actor import TOCSIN
from bot.domain.plan import Attachment, StepOutcome
from bot.domain.run_events import RunState, StepFinished, StepStarted
from bot.entrypoints.api import api
from bot.entrypoints.attachment import LONGEST, attachment_response
from bot.entrypoints.pages import Place
from tests.support.examples import run
from tests.support.incident_pages import Site
from tests.support.serve import serve

TOKEN = "token"
TIMEOUT = 10
PICTURE = Attachment("graph.png", "image/png", b"\x89PNG and more")
SCRIPT = Attachment("graph.svg", "image/svg+xml", b"<svg onload='alert(1)'/>")
LOG = Attachment("job.log", "text/plain", b"<script>alert(1)</script> \xff")
SUMMARY = 'Graph of <b>"up"</b>: 1 line.'


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An incident with a run that has drawn a graph."""
    made = Site.at(tmp_path)
    made.take_in()
    made.incident()
    now = made.clock.now()
    outcome = StepOutcome(SUMMARY, attachments=(PICTURE, SCRIPT, LOG))
    with made.store.transaction() as tx:
        found = tx.new_run(run(RunState.RUNNING, incident_id=1))
        events = (StepStarted("look"), StepFinished("look", outcome))
        record_run(tx, found, events, TOCSIN, now)
    return made


@pytest.fixture
def url(site: Site) -> Iterator[str]:
    with site.served() as address:
        yield address


def get(address: str, token: str | None = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.get(address, headers=headers, timeout=TIMEOUT)


def test_the_picture_is_on_the_page_of_its_incident(url: str) -> None:
    page = get(f"{url}/incidents/1").text
    assert 'src="/attachments/1"' in page
    assert 'alt="Graph of &lt;b&gt;&#34;up&#34;&lt;/b&gt;: 1 line."' in page


def test_it_is_a_picture_and_nothing_else(url: str) -> None:
    answer = get(f"{url}/attachments/1")
    assert (answer.status_code, answer.content) == (200, PICTURE.content)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("page", ["/incidents/1", "/runs/1"])
def test_a_log_is_linked_and_what_can_not_be_shown_is_not(url: str, page: str) -> None:
    shown = get(f"{url}{page}").text
    assert '<a href="/attachments/3">job.log</a>' in shown
    assert "/attachments/2" not in shown


def test_a_log_is_plain_text_in_which_nothing_runs(url: str) -> None:
    answer = get(f"{url}/attachments/3")
    assert answer.text == "<script>alert(1)</script> \N{REPLACEMENT CHARACTER}"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_of_a_log_that_is_too_long_the_rest_is_counted() -> None:
    long = Attachment("job.log", "text/plain", b"x" * (LONGEST + 7), id=1)
    body = bytes(attachment_response(long).body)
    assert body.endswith("x\n… 7 more bytes are not shown.\n".encode())


@pytest.mark.parametrize("number", ["2", "4", "0", "x", "1.png", "99999999999"])
def test_there_is_nothing_else_to_see(url: str, number: str) -> None:
    answer = get(f"{url}/attachments/{number}")
    assert answer.status_code == 404
    assert "onload" not in answer.text


def test_without_the_token_nothing_is_shown(site: Site) -> None:
    with site.served(Place(token=TOKEN)) as url:
        assert get(f"{url}/attachments/1").status_code == 401
        assert get(f"{url}/attachments/1", TOKEN).content == PICTURE.content


def test_the_api_names_it_and_gives_it(site: Site) -> None:
    ask = site.ask
    served = api(ask.incidents, ask.runs, TOKEN, attachments=Attachments(site.store))
    with serve(served) as url:
        steps = get(f"{url}/api/v1/runs/1", TOKEN).json()["steps"]
        assert [step["attachments"] for step in steps if step["id"] == "look"] == [[1, 2, 3]]
        answer = get(f"{url}/api/v1/attachments/1", TOKEN)
        assert answer.content == PICTURE.content
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert get(f"{url}/api/v1/attachments/2", TOKEN).status_code == 404
        assert get(f"{url}/api/v1/attachments/1").status_code == 401
