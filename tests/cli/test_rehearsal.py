"""`tocsin runbook test`: what it says, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.adapters.runbook_lock import write_lock
from tests.support.runbook_folder import add, good

CLUSTER = """\
cluster:
  - apiVersion: apps/v1
    kind: Deployment
    metadata: {name: shop, namespace: web}
    spec:
      replicas: 2
      selector: {matchLabels: {app: shop}}
      template:
        metadata: {labels: {app: shop}}
        spec: {containers: [{name: shop, image: "shop:1.0"}]}
parameters: {workload: web/shop}
rehearsals:
"""
GOES_WELL = "  - {name: goes well, expect: {state: succeeded, steps: {restart: done}}}\n"
FALLS_SHORT = "  - {name: falls short, expect: {state: failed}}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two released runbooks, of which one is rehearsed."""
    folder = tmp_path / "runbooks"
    add(folder, "restart/1.0.0.yaml")
    add(folder, "unrehearsed/1.0.0.yaml")
    write_lock(folder)
    monkeypatch.setenv("TOCSIN_RUNBOOKS", str(folder))
    monkeypatch.setenv("TOCSIN_DATABASE_URL", f"sqlite:///{tmp_path}/tocsin.db")
    add(folder, "restart/rehearsal.yaml", CLUSTER + GOES_WELL)
    return folder


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["runbook", "test", *words])


def test_what_goes_as_expected_ends_with_0() -> None:
    found = run()
    assert found.exit_code == 0
    assert found.stdout.splitlines() == [
        "✓ restart: goes well (succeeded after 30 s)",
        "1 of 1 rehearsals went as expected.",
    ]


def test_what_falls_short_ends_with_1_and_says_how(folder: Path) -> None:
    add(folder, "restart/rehearsal.yaml", CLUSTER + GOES_WELL + FALLS_SHORT)
    found = run("restart")
    assert found.exit_code == 1
    lines = found.stdout.splitlines()
    assert lines[1] == "✗ restart: falls short (succeeded after 30 s)"
    assert lines[2].startswith("    it ended succeeded, not failed: ")
    assert lines[-1] == "1 of 2 rehearsals went as expected."
    assert run("restart", "--only", "well").exit_code == 0


def test_json_has_each_rehearsal_with_its_problems(folder: Path) -> None:
    add(folder, "restart/rehearsal.yaml", CLUSTER + GOES_WELL + FALLS_SHORT)
    found = run("--json")
    assert found.exit_code == 1
    first, second = json.loads(found.stdout)
    assert first == {
        "runbook": "restart",
        "rehearsal": "goes well",
        "state": "succeeded",
        "seconds": 30.0,
        "problems": [],
    }
    assert len(second["problems"]) == 1


def test_nothing_rehearsed_is_no_success() -> None:
    found = run("--only", "no such name")
    assert found.exit_code == 1
    assert found.stdout == "0 of 0 rehearsals went as expected.\n"


@pytest.mark.parametrize("name", ["unrehearsed", "unknown"])
def test_a_runbook_without_rehearsals_is_named(name: str) -> None:
    found = run(name)
    assert found.exit_code == 1
    assert f"{name}/rehearsal.yaml" in found.stderr


def test_a_mistake_in_the_file_is_said_with_its_line(folder: Path) -> None:
    add(folder, "restart/rehearsal.yaml", CLUSTER + GOES_WELL.replace("succeeded", "happy"))
    found = run("restart")
    assert found.exit_code == 1
    assert "restart/rehearsal.yaml:13: " in found.stderr


def test_a_draft_is_rehearsed_before_its_release(folder: Path) -> None:
    text = good("restart", "0.0.0").replace("minimum: 2", "minimum: 3")
    draft = add(folder, "restart/draft.yaml", text)
    assert run("restart").exit_code == 0
    found = run("restart", "--draft")
    assert found.exit_code == 1
    assert found.stdout.startswith("✗ restart: goes well (refused after ")
    draft.write_text("name: restart\n")
    assert "restart/draft.yaml:1: " in run("restart", "--draft").stderr


def test_a_first_draft_is_rehearsed_although_nothing_is_released(folder: Path) -> None:
    add(folder, "again/draft.yaml", good("again", "0.0.0"))
    add(folder, "again/rehearsal.yaml", CLUSTER + GOES_WELL)
    found = run("again", "--draft")
    assert found.stdout.splitlines()[-1] == "1 of 1 rehearsals went as expected."
