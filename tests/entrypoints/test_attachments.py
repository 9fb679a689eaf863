"""Pictures that steps made: on the incident's page, and by their own address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bot.app.attachments import Attachments, keep_attachments
from bot.app.record import record_run
from bot.domain.actor import TOCSIN
from bot.domain.plan import Attachment, StepOutcome
from bot.domain.run_events import RunState, StepFinished, StepStarted
from bot.entrypoints.api import api
from bot.entrypoints.pages import Place
from tests.support.examples import run
from tests.support.incident_pages import Site
from tests.support.serve import serve

TOKEN = "token"
TIMEOUT = 10
PICTURE = Attachment("graph.png", "image/png", b"\x89PNG and more")
SCRIPT = Attachment("graph.svg", "image/svg+xml", b"<svg onload='alert(1)'/>")
SUMMARY = 'Graph of <b>"up"</b>: 1 line.'


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An incident with a run that has drawn a graph."""
    made = Site.at(tmp_path)
    made.take_in()
    made.incident()
    now = made.clock.now()
    outcome = StepOutcome(SUMMARY, attachments=(PICTURE, SCRIPT))
    with made.store.transaction() as tx:
        found = tx.new_run(run(RunState.RUNNING, incident_id=1))
        done = keep_attachments(tx, found.id, StepFinished("look", outcome), now)
        record_run(tx, found, (StepStarted("look"), done), TOCSIN, now)
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


@pytest.mark.parametrize("number", ["2", "3", "0", "x", "1.png", "99999999999"])
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
        assert [step["attachments"] for step in steps if step["id"] == "look"] == [[1, 2]]
        answer = get(f"{url}/api/v1/attachments/1", TOKEN)
        assert answer.content == PICTURE.content
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert get(f"{url}/api/v1/attachments/2", TOKEN).status_code == 404
        assert get(f"{url}/api/v1/attachments/1").status_code == 401
