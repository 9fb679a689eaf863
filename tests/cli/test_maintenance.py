"""Windows, silences, levels and explanations on the command line."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.app.record import open_incident
from bot.cli.person import operator
from bot.domain.actor import ALERTMANAGER
from bot.domain.dedup import KnownAlert
from bot.domain.incident_events import IncidentOpened
from tests.support.databases import sqlite_database
from tests.support.examples import NOW, alert, change, classification

REPOSITORY = Path(__file__).resolve().parents[2]
HOSTILE = "Down \x1b[2J\u202e now"


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database with one incident, whose title would clear a terminal."""
    url = sqlite_database(tmp_path)
    monkeypatch.setenv("TOCSIN_DATABASE_URL", url)
    monkeypatch.setenv("TOCSIN_RUNBOOKS", str(REPOSITORY / "runbooks"))
    monkeypatch.setenv("TOCSIN_POLICY", str(REPOSITORY / "policy"))
    store = SqlStore(database.create(url), lambda *_: None)
    with store.transaction() as tx:
        opened = IncidentOpened("g", HOSTILE, HOSTILE, classification(), "key")
        incident = open_incident(tx, (opened, change(fired=1, firing=1)), ALERTMANAGER, NOW)
        tx.save_alerts([KnownAlert(alert(annotations={"summary": HOSTILE}), incident.id)])


def tocsin(*words: str) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output
    return result


def read(*words: str) -> Any:
    result = CliRunner().invoke(app, [*words, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_window_from_beginning_to_end() -> None:
    added = tocsin(
        "maintenance", "add", "2h", "in=30m", 'service=~"api|web"', "Database", "upgrade"
    )
    assert added.stdout.startswith("MW-1 planned: Database upgrade\n")
    assert 'service=~"api|web"' in added.stdout
    assert f"By: {operator().name}" in added.stdout
    (listed,) = read("maintenance", "list")
    assert listed["reference"] == "MW-1"
    assert listed["matchers"] == ['service=~"api|web"']
    assert listed["created_by"]["kind"] == "person"
    assert "MW-1 planned" in tocsin("maintenance", "list").stdout
    assert tocsin("maintenance", "end", "mw-1").stdout == "MW-1 has ended.\n"
    assert read("maintenance", "list") == []
    assert len(read("maintenance", "list", "--all")) == 1
    shown = read("maintenance", "show", "1")
    assert (shown["hides"], shown["hid"]) == ([], [])
    assert "MW-1 over" in tocsin("maintenance", "show", "1").stdout


def test_an_incident_is_silenced() -> None:
    said = tocsin("incident", "silence", "INC-1", "90m", "Known", "problem").stdout
    assert said.startswith("MW-1 active: Known problem")
    assert 'alertname="HighErrorRate"' in said
    assert read("maintenance", "show", "1")["incident_id"] == 1


def test_a_level_is_set_by_the_operating_system_s_user() -> None:
    assert tocsin("incident", "severity", "1", "p3", "Only staging").stdout == "INC-1: P1 → P3.\n"
    story = read("incident", "timeline", "1")["entries"]
    assert "Set from P1 to P3 by hand. Only staging" in [one["text"] for one in story]
    assert story[2]["actor"] == operator().name
    by = operator().name
    assert f"Only staging (set by {by})" in tocsin("incident", "show", "1").stdout


def test_why_is_explained() -> None:
    said = tocsin("incident", "why", "1").stdout
    assert said.startswith("Why INC-1 is P1\n")
    assert "It is P1." in said
    assert "The text of the policy that decided is gone" in said
    why = read("incident", "why", "1")
    assert why["ruling"]["classification"]["rule"] == "rule-P1"
    assert why["paging"][:2] == ["Nobody was paged.", "The page is on its way."]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("maintenance", "add", "2h", "why"), "needs a matcher"),
        (("maintenance", "add", "long", "a=b", "why"), "“long” is no length of time"),
        (("maintenance", "show", "7"), "There is no maintenance window MW-7."),
        (("maintenance", "end", "INC-7"), "“INC-7” is not a number."),
        (("incident", "severity", "1", "P9", "x"), "“P9” is no level"),
        (("incident", "silence", "1", "x"), "“x” is no length of time"),
        (("incident", "why", "7"), "There is no incident INC-7. The newest is INC-1."),
    ],
)
def test_mistakes_are_one_sentence_and_exit_status_1(words: tuple[str, ...], said: str) -> None:
    result = tocsin(*words)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert read("maintenance", "list", "--all") == []


def test_the_operator_is_who_runs_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")
    assert getpass.getuser() == "somebody-else"
    assert operator().name != "somebody-else"
