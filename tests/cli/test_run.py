"""Runs on the command line: asked for, approved, called off, shown."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.app.record import record_run
from bot.cli.person import operator
from bot.domain.actor import TOCSIN
from bot.domain.approval import Requirement
from bot.domain.run_events import RunEvent, RunPlanned, RunStarted, RunState
from tests.support.databases import sqlite_database
from tests.support.examples import NOW, plan_of

REPOSITORY = Path(__file__).resolve().parents[2]
CHECKOUT = "payments/checkout"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SqlStore:
    """The installation's, in which nothing has happened."""
    url = sqlite_database(tmp_path)
    monkeypatch.setenv("TOCSIN_DATABASE_URL", url)
    monkeypatch.setenv("TOCSIN_RUNBOOKS", str(REPOSITORY / "runbooks"))
    monkeypatch.setenv("TOCSIN_POLICY", str(REPOSITORY / "policy"))
    return SqlStore(database.create(url), lambda *_: None)


def tocsin(*words: str) -> Result:
    return CliRunner().invoke(app, ["runbook", *words])


def read(*words: str) -> Any:
    result = tocsin(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def happens(store: SqlStore, *events: RunEvent) -> None:
    """What the worker writes down about run 1."""
    with store.transaction() as tx:
        record_run(tx, tx.run(1), events, TOCSIN, NOW)


def planned(store: SqlStore, needs: dict[str, int]) -> RunPlanned:
    with store.read() as reader:
        book = reader.run(1).runbook
    return RunPlanned(plan_of(book), Requirement("rule", needs, timedelta(weeks=5200)))


@pytest.mark.usefixtures("store")
def test_a_run_is_asked_for_and_listed() -> None:
    said = tocsin("run", "restart", CHECKOUT)
    assert said.stdout == "Run 1 is being planned: restart@1.0.0 payments/checkout\n"
    (one,) = read("runs")
    assert (one["state"], one["requested_by"]["name"]) == ("planning", operator().name)
    assert read("status", "run-1")["runbook"] == "restart@1.0.0"
    assert "State: planning" in tocsin("status", "1").stdout


def test_a_plan_that_needs_nobody_is_started(store: SqlStore) -> None:
    tocsin("run", "restart", CHECKOUT)
    happens(store, planned(store, {}))
    assert read("approve", "1")["state"] == "ready"
    happens(store, RunStarted())
    assert read("pause", "1")["state"] == "waiting"
    assert read("resume", "1")["state"] == "running"
    assert read("abort", "1", "wrong", "one", "--keep")["aborted"] == {
        "reason": f"by {operator().name}: wrong one",
        "undo": False,
    }


def test_one_s_own_run_is_not_approved(store: SqlStore) -> None:
    tocsin("run", "failover", CHECKOUT)
    happens(store, planned(store, {"approver": 1}))
    refused = tocsin("approve", "1")
    assert refused.exit_code == 1
    assert f"{operator().id} on the command line is nobody that the chat knows" in refused.stderr
    assert read("status", "1")["missing"] == {"approver": 1}


def test_glass_is_broken_by_whom_the_policy_names_and_in_a_p0_only(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tocsin("run", "failover", CHECKOUT)
    happens(store, planned(store, {"approver": 1}))
    refused = tocsin("override", "1", "Nobody", "is", "awake.")
    assert refused.exit_code == 1
    assert "Nobody may override approvals: write whom you trust" in refused.stderr

    shipped = (REPOSITORY / "policy" / "access.yaml").read_text()
    named = shipped.replace("commander: []", f'commander: ["{operator().id}"]')
    (tmp_path / "access.yaml").write_text(named)
    monkeypatch.setenv("TOCSIN_POLICY", str(tmp_path))
    assert "belongs to an open P0" in tocsin("override", "1", "Nobody", "is", "awake.").stderr


def test_a_run_that_is_called_off_ended_badly(store: SqlStore) -> None:
    tocsin("run", "restart", CHECKOUT)
    assert read("cancel", "1")["result"] == f"Called off by {operator().name}."
    assert tocsin("status", "1").exit_code == 1
    with store.read() as reader:
        assert reader.run(1).state is RunState.CANCELLED


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "restrat", CHECKOUT), "did you mean restart?"),
        (("run", "restart"), "workload"),
        (("status", "x"), "“x” is not a number."),
        (("status", "9"), "There is no run 9"),
        (("done", "9"), "There is no run 9"),
        (("failed", "9"), "There is no run 9"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(words: tuple[str, ...], said: str) -> None:
    refused = tocsin(*words)
    assert refused.exit_code == 1
    assert said in refused.stderr
