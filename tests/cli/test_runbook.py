"""Runbooks on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.adapters.runbook_lock import write_lock
from bot.steps.registry import step_kinds
from tests.support.runbook_folder import add


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One released runbook."""
    folder = tmp_path / "runbooks"
    add(folder, "restart/1.0.0.yaml")
    write_lock(folder)
    monkeypatch.setenv("TOCSIN_RUNBOOKS", str(folder))
    monkeypatch.setenv("TOCSIN_DATABASE_URL", f"sqlite:///{tmp_path}/tocsin.db")
    return folder


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["runbook", *words])


def test_a_next_version_is_written_released_compared_and_deprecated(folder: Path) -> None:
    assert run("new", "restart").exit_code == 0
    draft = folder / "restart/draft.yaml"
    draft.write_text(draft.read_text().replace("risk: low", "risk: medium"))
    assert run("lint").stdout == "1 runbook and 1 draft have no fault.\n"
    assert run("release", "restart", "1.1.0").exit_code == 0
    difference = run("diff", "restart@1.0.0", "restart")
    assert difference.exit_code == 1
    assert {"-risk: low", "+risk: medium"} < set(difference.stdout.splitlines())
    assert run("diff", "restart", "restart@1.1.0").exit_code == 0
    add(folder, "restart/deprecated.yaml", "1.1.0: Use restart@1.0.0.\n")
    assert "DEPRECATED: Use restart@1.0.0." in run("show", "restart@1.1.0").stdout
    assert json.loads(run("show", "restart", "--json").stdout)["reference"] == "restart@1.0.0"


def test_lint_tells_the_faults_of_versions_and_drafts(folder: Path) -> None:
    add(folder, "restart/1.1.0.yaml")
    add(folder, "other/draft.yaml", "name: other\n")
    found = run("lint", "--json")
    assert found.exit_code == 1
    problems = json.loads(found.stdout)["problems"]
    assert problems[0] == "restart/1.1.0.yaml:1: this file is not in LOCK: it is not released."
    assert all(problem.startswith("other/draft.yaml:1: ") for problem in problems[1:])
    assert run("show", "restart").exit_code == 0


def test_the_list_tells_what_it_leaves_out(folder: Path) -> None:
    add(folder, "restart/1.1.0.yaml")
    found = run("list")
    assert found.stdout == "restart (1.0.0): Restart it.\n"
    assert "Not listed: restart/1.1.0.yaml:1: this file is not in LOCK" in found.stderr


def test_a_draft_that_is_a_link_to_outside_is_not_read(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    (folder / "other").mkdir()
    (folder / "other/draft.yaml").symlink_to(secret)
    found = run("lint")
    assert found.exit_code == 1
    assert "leads out of the folder of the runbooks" in found.stdout
    assert "a secret" not in found.stdout


def test_the_kinds_of_step_are_told_with_their_arguments() -> None:
    assert "kubernetes.job: Runs an image to completion" in run("kinds").stdout
    told = run("kinds", "kubernetes.scale").stdout
    assert "${steps.ID.previous_replicas}" in told
    assert "  workload: such as payments/checkout (required)\n" in told
    assert "  kind: one of Deployment, StatefulSet (default Deployment)\n" in told
    assert "  replicas: a whole number from 0 to 10000 (required)\n" in told
    assert json.loads(run("kinds", "wait", "--json").stdout)["changes"] is False
    found = run("kinds", "kubernetes.jop")
    assert found.exit_code == 1
    assert "Did you mean “kubernetes.job”?" in found.stderr


@pytest.mark.parametrize("kind", step_kinds())
def test_every_kind_of_step_is_told_whole(kind: str) -> None:
    told = run("kinds", kind)
    assert told.exit_code == 0
    for name in step_kinds()[kind].arguments.model_fields:
        assert f"  {name}: " in told.stdout
    assert "any value" not in told.stdout


def test_a_refused_one_says_why(folder: Path) -> None:
    add(folder, "restart/1.0.0.yaml", "changed: after its release\n")
    found = run("show", "restart")
    assert found.exit_code == 1
    assert "was released with the digest" in found.stderr


def test_the_schema_is_written_and_its_freshness_checked(folder: Path) -> None:
    assert run("schema", "--check").exit_code == 1
    assert run("schema").exit_code == 0
    assert run("schema", "--check").exit_code == 0
    assert json.loads((folder / "schema.json").read_text())["title"] == "Runbook"


def test_completion_names_the_parameters_that_there_are() -> None:
    found = run("complete", "restart", "workloat")
    assert found.exit_code == 1
    assert "restart@1.0.0 has no parameter “workloat”. Did you mean “workload”?" in found.stderr


def test_a_run_that_there_is_not_can_t_be_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_SANDBOX", "1")
    found = run("record", "7")
    assert (found.exit_code, found.stdout) == (1, "")
    assert "There is no run 7." in found.stderr
