"""The pages of runs and runbooks over real HTTP: what they say, what they escape, who sees them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bot.domain.cluster import MARKER_ANNOTATION
from bot.domain.run import Run
from bot.domain.run_events import RunState
from bot.entrypoints.pages import Place
from tests.support.incident_pages import HOSTILE, Site
from tests.support.run_pages import awaiting, compensated, hostile, planning, succeeded, uncertain

TIMEOUT = 10
PAGES = ("/runs", "/runs/1", "/runbooks", "/runbooks/restart@1.0.0")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """An incident with a run in every situation."""
    made = Site.at(tmp_path_factory.mktemp("runs"))
    made.take_in()
    made.incident()
    return made


@pytest.fixture(scope="module")
def runs(site: Site) -> dict[str, Run]:
    makers = (awaiting, succeeded, compensated, planning, uncertain)
    return {make.__name__: make(site) for make in makers}


@pytest.fixture(scope="module")
def url(site: Site, runs: dict[str, Run]) -> Iterator[str]:
    with site.served() as address:
        yield address


def text(address: str, status: int = 200) -> str:
    """The words of the page, without its markup."""
    answer = requests.get(address, timeout=TIMEOUT)
    assert answer.status_code == status, answer.text
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", main).split()))


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("path", PAGES)
def test_without_the_token_nothing_is_shown(site: Site, path: str) -> None:
    with site.served(Place(token="token")) as locked:
        answer = requests.get(f"{locked}{path}", timeout=TIMEOUT)
        assert answer.status_code == 401
        assert "checkout" not in answer.text
        headers = {"Authorization": "Bearer token"}
        opened = requests.get(f"{locked}{path}", headers=headers, timeout=TIMEOUT)
        assert opened.status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_they_only_read_and_run_no_script(url: str, path: str) -> None:
    assert requests.post(f"{url}{path}", timeout=TIMEOUT).status_code == 405
    policy = requests.get(f"{url}{path}", timeout=TIMEOUT).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_who_is_to_approve_reads_what_changes_and_who_can(url: str, runs: dict[str, Run]) -> None:
    shown = text(f"{url}/runs/{runs['awaiting'].id}")
    for said in (
        "Only step 2 of 5 changes something.",
        "It usually takes about 40 s (1 earlier run).",
        "- spec.selector.role: active",
        "+ spec.selector.role: standby",
        "touches 3 pods, 2 of them ready",
        "is put back if a later step or check fails",
        "Security 1 needed, 1 lacking",
        "Approved by ben (approver)",
        "@sec (security); never ana, who asked for it",
        "/runbook approve 1",
        "/runbook cancel 1",
        "to=standby",
    ):
        assert said in shown


def test_the_diff_tells_what_comes_from_what_goes(url: str, runs: dict[str, Run]) -> None:
    page = requests.get(f"{url}/runs/{runs['awaiting'].id}", timeout=TIMEOUT).text
    assert '<li class="added">+ spec.selector.role: standby</li>' in page
    assert '<li class="removed">- spec.selector.role: active</li>' in page


def test_a_run_that_has_ended_says_what_it_did_and_offers_nothing(
    url: str, runs: dict[str, Run]
) -> None:
    shown = text(f"{url}/runs/{runs['succeeded'].id}")
    assert "Succeeded. Done and verified." in shown
    assert "took 7 s" in shown
    assert "What can be done now" not in shown


def test_a_compensated_run_says_why_and_what_was_put_back(url: str, runs: dict[str, Run]) -> None:
    shown = text(f"{url}/runs/{runs['compensated'].id}")
    assert "Compensated. The check failed." in shown
    assert "put back 2025-" in shown
    assert "checkout-7 is not ready" in shown


def test_an_uncertain_run_says_what_is_known_and_how_to_settle_it(
    url: str, runs: dict[str, Run]
) -> None:
    run = runs["uncertain"]
    shown = text(f"{url}/runs/{run.id}")
    assert "Uncertain. Step switch may have taken effect: it timed out." in shown
    assert "Seen last: the cluster does not answer" in shown
    assert f"{MARKER_ANNOTATION}: run-{run.id}/switch" in shown
    assert f"/runbook done {run.id} WORDS, or /runbook failed {run.id} WORDS" in shown


def test_a_run_without_a_plan_is_shown(url: str, runs: dict[str, Run]) -> None:
    assert "It is being planned." in text(f"{url}/runs/{runs['planning'].id}")


def test_only_a_run_that_moves_is_loaded_anew(url: str, runs: dict[str, Run]) -> None:
    refresh = 'http-equiv="refresh"'
    moving = f"{url}/runs/{runs['awaiting'].id}"
    assert refresh in requests.get(moving, timeout=TIMEOUT).text
    assert refresh not in requests.get(f"{moving}?refresh=off", timeout=TIMEOUT).text
    ended = f"{url}/runs/{runs['succeeded'].id}"
    assert refresh not in requests.get(ended, timeout=TIMEOUT).text


@pytest.mark.parametrize(
    ("show", "wanted"),
    [
        ("", {"awaiting", "succeeded", "compensated", "planning", "uncertain"}),
        ("needs people", {"awaiting", "uncertain"}),
        ("under way", {"planning"}),
        ("ended", {"succeeded", "compensated", "uncertain"}),
        (RunState.COMPENSATED.value, {"compensated"}),
    ],
)
def test_runs_are_found_by_their_state(
    url: str, runs: dict[str, Run], show: str, wanted: set[str]
) -> None:
    page = requests.get(f"{url}/runs", params={"show": show}, timeout=TIMEOUT).text
    found = {name for name, run in runs.items() if f'href="/runs/{run.id}"' in page}
    assert found == wanted


@pytest.mark.parametrize("path", ["/runs?show=nonsense", "/runs/99", "/runs/x", "/runbooks/none"])
def test_what_is_not_there_is_said(url: str, path: str) -> None:
    assert "There is no such page" in text(f"{url}{path}", 404)


def test_an_incident_links_its_runs(url: str, runs: dict[str, Run]) -> None:
    page = requests.get(f"{url}/incidents/1", timeout=TIMEOUT).text
    assert all(f'href="/runs/{run.id}"' in page for run in runs.values())


def test_the_library_names_each_runbook_with_its_versions_and_risk(url: str, site: Site) -> None:
    shown = text(f"{url}/runbooks")
    for runbook in site.ask.runs.runbooks():
        assert f"/runbook run {runbook.usage}" in shown
        assert runbook.digest[:12] in shown
    assert "risk high" in shown


def test_a_runbook_shows_its_text_as_it_was_released(url: str, site: Site) -> None:
    runbook, _ = site.ask.runs.runbook("restart@1.0.0")
    page = requests.get(f"{url}/runbooks/restart@1.0.0", timeout=TIMEOUT).text
    assert html.unescape(page.partition('tabindex="0">')[2].partition("</pre>")[0]) == runbook.text
    assert runbook.digest in page


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_texts_stay_text(tmp_path: Path, bad: str) -> None:
    site = Site.at(tmp_path)
    site.take_in()
    site.incident()
    run = hostile(site, bad)
    with site.served() as url:
        for path in (f"/runs/{run.id}", "/runs", "/incidents/1"):
            page = requests.get(f"{url}{path}", timeout=TIMEOUT).text
            assert "<script" not in page
            assert "<img src=x" not in page
            assert '" onmouseover=' not in page
            assert "\u202e" not in page
