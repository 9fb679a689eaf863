"""``tocsin page test``: the whole way of a page, through real processes and the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import Tocsin, kept
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tocsin]:
    """A running installation in which all vendors are stand-ins."""
    folder: Path = tmp_path_factory.mktemp("sandbox")
    tocsin = Tocsin(folder, {"TOCSIN_SANDBOX": "1"})
    with kept(tocsin):
        tocsin.start()
        yield tocsin


def test_a_page_that_arrives_is_confirmed_and_leaves_nothing_behind(sandbox: Tocsin) -> None:
    done = sandbox.run("page", "test", "--json", "--timeout", "50")
    told = json.loads(done.stdout)
    assert done.returncode == 0, told
    assert told["missing"] is None
    assert "PagerDuty" in told["confirmed"]
    shown = sandbox.json("incident", "show", told["incident"], "--json")
    assert shown["title"].startswith("TocsinPageTest: tocsin in page-test-")
    assert shown["classification"]["level"] == "P1"
    assert shown["state"] == "resolved"


def test_each_test_has_an_incident_of_its_own(sandbox: Tocsin) -> None:
    first, second = (sandbox.json("page", "test", "--json")["incident"] for _ in range(2))
    assert first != second


def test_it_says_what_keeps_a_page_from_being_sent(sandbox: Tocsin) -> None:
    window = sandbox.json("maintenance", "add", "10m", "service=tocsin", "Moving.", "--json")
    try:
        done = sandbox.run("page", "test", "--timeout", "3")
    finally:
        sandbox.run("maintenance", "end", str(window["id"]))
    assert done.returncode == 1
    assert done.stdout == "Nobody is paged: a maintenance window covers all that fires.\n"


def test_it_says_when_nothing_runs(tmp_path: Path) -> None:
    stopped = Tocsin(tmp_path, {"TOCSIN_SANDBOX": "1"})
    done = stopped.run("page", "test", "--timeout", "0.5")
    assert done.returncode == 1
    assert "does `tocsin serve` run?" in done.stdout


def test_what_nobody_took_in_time_wakes_nobody_later(tmp_path: Path) -> None:
    tocsin = Tocsin(tmp_path, {"TOCSIN_SANDBOX": "1"})
    with kept(tocsin):
        tocsin.run("page", "test", "--timeout", "0")
        tocsin.start()
        (incident,) = eventually(
            lambda: tocsin.json("incident", "list", "--all", "--json"),
            lambda found: found and found[0]["state"] == "resolved",
        )
        story = tocsin.json("incident", "timeline", str(incident["id"]), "--json")["entries"]
    assert "PageSent" not in [entry["kind"] for entry in story]
