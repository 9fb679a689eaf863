"""Declaring incidents, and what is on record about the pager, on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.cli.person import operator
from bot.domain.page import UnknownPagerEvent
from bot.domain.page_test import PageTest, PageTestState
from tests.support.databases import sqlite_database
from tests.support.examples import NOW

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SqlStore:
    """The installation's, in which nothing has happened."""
    url = sqlite_database(tmp_path)
    monkeypatch.setenv("TOCSIN_DATABASE_URL", url)
    monkeypatch.setenv("TOCSIN_RUNBOOKS", str(REPOSITORY / "runbooks"))
    monkeypatch.setenv("TOCSIN_POLICY", str(REPOSITORY / "policy"))
    return SqlStore(database.create(url), lambda *_: None)


def tocsin(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def read(*words: str) -> Any:
    result = tocsin(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.usefixtures("store")
def test_an_incident_is_declared_and_says_by_whom() -> None:
    said = tocsin("incident", "declare", "p1", "Checkout", "is", "down", "--service", "checkout")
    assert said.stdout == "INC-1 declared as P1: Checkout is down\n"
    again = read("incident", "declare", "P2", "Checkout is down")
    assert (again["id"], again["classification"]["rule"]) == (2, "declared")
    (first, *_) = read("incident", "timeline", "1")["entries"]
    assert (first["actor"], first["text"]) == (operator().name, "Declared as P1: Checkout is down.")
    assert "A person opened it and chose its level" in tocsin("incident", "why", "1").stdout
    assert f"{operator().name} declared it." in tocsin("incident", "show", "1").stdout


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("high", "x"), "“high” is no level"),
        (("P1", " "), "The title is missing"),
        (("P1", "x" * 201), "longer than 200 characters"),
    ],
)
def test_what_can_not_be_declared_is_said(words: tuple[str, ...], said: str) -> None:
    result = tocsin("incident", "declare", *words)
    assert result.exit_code == 1
    assert said in result.output
    assert read("incident", "list", "--all") == []


def test_tests_of_pages_are_listed(store: SqlStore) -> None:
    assert tocsin("page", "tests").stdout.startswith("None: policy/routing.yaml has no page_test")
    failed = PageTest(
        0, "0 10 * * 1 UTC", NOW, PageTestState.FAILED, result="Nobody \x1b is paged."
    )
    with store.transaction() as tx:
        tx.save_page_test(failed)
        tx.save_page_test(PageTest(0, "0 10 * * 1 UTC", NOW))
    waiting, done = tocsin("page", "tests").stdout.splitlines()
    assert waiting.endswith("waiting")
    assert "failed: Nobody" in done
    assert "\x1b" not in done
    assert [one["id"] for one in read("page", "tests")] == [2, 1]


def test_unknown_events_of_the_pager_are_listed(store: SqlStore) -> None:
    assert tocsin("page", "unknown").stdout == "None.\n"
    with store.transaction() as tx:
        tx.keep_pager_event(UnknownPagerEvent("E1", "incident.something.new", "{}", NOW))
    assert "incident.something.new (E1)" in tocsin("page", "unknown").stdout
    assert read("page", "unknown")[0]["body"] == "{}"


@pytest.mark.usefixtures("store")
def test_follow_ups_are_worked_from_the_command_line() -> None:
    tocsin("incident", "declare", "p1", "Checkout is down")
    said = tocsin("incident", "follow-up", "INC-1", "Add", "an", "index.")
    assert said.stdout == "INC-1, follow-up 1: noted.\n"
    assert tocsin("incident", "tickets").stdout == "Add an index. (INC-1, follow-up 1)\n"
    assert [one["follow_up"] for one in read("incident", "tickets")] == [1]
    assert tocsin("incident", "done", "1", "1").stdout == "INC-1, follow-up 1 is done.\n"
    assert tocsin("incident", "tickets").stdout == "Nothing is left to do.\n"
    assert not read("incident", "done", "1", "1", "--undo")["done"]
    refused = tocsin("incident", "done", "1", "2")
    assert refused.exit_code != 0
    assert "its follow-ups are 1 to 1" in refused.output
