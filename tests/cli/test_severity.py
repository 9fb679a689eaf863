from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.adapters import database
from bot.adapters.durable import DurableQueue
from bot.adapters.schema import migrate
from bot.adapters.store import SqlStore
from bot.cli.severity import severity
from bot.domain.backtest import Occurrence
from bot.domain.classify import Severity
from bot.sandbox.prometheus import SandboxPrometheus, prometheus_app
from tests.support.serve import serve

POLICY = """
default: P1
facts:
  - {id: down, meaning: Share., query: 'down{job="${job}"}'}
rules:
  - id: all-down
    level: P0
    reason: All are down.
    facts: ['down >= 1']
  - id: absent
    level: P0
    reason: It is gone.
    match: ['expression=~"absent"']
  - id: warning
    level: P2
    reason: Only a warning.
    match: ['severity="warning"']
"""
OTHER = POLICY.replace("level: P2", "level: P1")

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs ``tocsin severity …`` with a policy and a database of its own."""
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "severity.yaml").write_text(POLICY)
    settings = {
        "TOCSIN_POLICY": str(tmp_path / "policy"),
        "TOCSIN_DATABASE_URL": f"sqlite:///{tmp_path}/tocsin.db",
    }

    def command(*arguments: object, **more: str) -> Result:
        return CliRunner().invoke(severity, [str(one) for one in arguments], env=settings | more)

    return command


def alert(name: str, **more: object) -> dict[str, object]:
    return {"labels": {"alertname": name, "severity": "warning", "job": "api"}, **more}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "alerts.jsonl"
    alerts = [alert("Slow", expected="P2"), alert("Gone\u2028ö", expr="absent(up)")]
    path.write_text("\n".join(map(json.dumps, alerts)))
    return path


def test_explaining_asks_prometheus(run: Run, file: Path) -> None:
    metrics = SandboxPrometheus()
    metrics.set('down{job="api"}', [({}, 1.0)])
    with serve(prometheus_app(metrics)) as url:
        found = run("explain", file, PROMETHEUS_URL=url)
    assert "Slow: P0 by rule all-down: All are down.\n" in found.stdout
    assert "    fact down is 1 (measured), 20" in found.stdout
    assert found.exit_code == 0


def test_explaining_works_without_prometheus(run: Run, file: Path) -> None:
    found = run("explain", file)
    assert "Slow: P2 by rule warning: Only a warning.\n" in found.stdout
    assert "    fact down is not known (no Prometheus is configured), 20" in found.stdout
    data = json.loads(run("explain", file, "--json").stdout)
    assert [one["classification"]["rule"] for one in data] == ["warning", "absent"]
    assert [one["fact"] for one in data[0]["facts"]] == ["down"]


def test_a_backtest_prints_one_object_an_alert_and_nothing_else(run: Run, file: Path) -> None:
    found = run("backtest", file, "--json")
    assert [json.loads(line) for line in found.stdout.splitlines()] == [
        {"alertname": "Slow", "level": "P2", "rule": "warning"},
        {"alertname": "Gone\u2028ö", "level": "P0", "rule": "absent"},
    ]
    (file.parent / "empty.jsonl").write_text("")
    assert run("backtest", file.parent / "empty.jsonl", "--json").stdout == ""


def test_a_backtest_compares_with_people(run: Run, file: Path) -> None:
    found = run("backtest", file)
    assert "the same level: 1 of 1 (100.0%)" in found.stdout
    assert "before" not in found.stdout


@pytest.mark.parametrize("folder", [True, False])
def test_a_backtest_compares_with_another_policy(
    run: Run, file: Path, tmp_path: Path, folder: bool
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "severity.yaml").write_text(OTHER)
    found = run("backtest", file, "--against", other if folder else other / "severity.yaml")
    assert "Slow: P1 by rule warning → P2 by rule warning\n" in found.stdout
    assert "pages: of these 2 alerts, +0 -1\n" in found.stdout


@pytest.fixture
def stored(tmp_path: Path) -> None:
    """Three alerts in the database: of yesterday, of two weeks ago, and of last year."""
    engine = database.create(f"sqlite:///{tmp_path}/tocsin.db")
    migrate(engine)
    store = SqlStore(engine, DurableQueue(engine).enqueue)
    now = datetime.now(UTC)
    labels = {"alertname": "Slow", "severity": "warning"}
    with store.transaction() as tx:
        tx.save_occurrences(
            [
                Occurrence(now - timedelta(days=days), labels, {}, Severity.P1, days)
                for days in (365, 15, 1)
            ]
        )


@pytest.mark.usefixtures("stored")
def test_a_backtest_of_what_is_stored_counts_pages_by_the_week(run: Run, tmp_path: Path) -> None:
    found = run("backtest", "--stored", "30d").stdout
    assert found.count("Slow: P1 by what decided then → P2 by rule warning\n") == 2
    assert "pages per week: +0.0 -1.0 (0 more and 2 fewer in 2.0 weeks)" in found
    assert run("backtest", "--stored", "30d", "--json").stdout.count("\n") == 2
    (tmp_path / "other.yaml").write_text(OTHER)
    against = run("backtest", "--stored", "99w", "--against", tmp_path / "other.yaml").stdout
    assert against.count("Slow: P1 by rule warning → P2 by rule warning\n") == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "either a FILE, or --stored 30d"),
        (["x.jsonl", "--stored", "30d"], "either a FILE, or --stored 30d"),
        (["--stored", "30"], "“30” is not a time that --stored takes; write 12h, 30d or 4w."),
        (["--stored", "0d"], "“0d” is not a time"),
        (["nowhere.jsonl"], "nowhere.jsonl can’t be read"),
        (["--stored", "1d", "--against", "nowhere.yaml"], "nowhere.yaml:1: No such file"),
    ],
)
def test_what_can_not_be_done_is_said(run: Run, arguments: list[str], said: str) -> None:
    found = run("backtest", *arguments)
    assert found.exit_code == 1
    assert said in found.stderr


def test_a_malformed_line_is_named(run: Run, file: Path) -> None:
    file.write_text(file.read_text() + "\n{")
    found = run("backtest", file, "--json")
    assert (found.exit_code, found.stdout) == (1, "")
    assert f"{file}:3: this is not JSON" in found.stderr
