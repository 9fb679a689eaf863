from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.runbook_lock import write_lock
from bot.adapters.runbook_release import RunbookProblems
from bot.adapters.runbooks import RunbookFolder
from bot.domain.errors import NotFound
from bot.steps.registry import step_kinds
from tests.support.runbook_folder import add, good


def library(folder: Path) -> RunbookFolder:
    return RunbookFolder(folder, step_kinds())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for source in ("restart/1.9.0", "restart/1.10.0", "restart/0.20.0", "rollback/1.0.0"):
        add(tmp_path, f"{source}.yaml")
    write_lock(tmp_path)
    return tmp_path


def test_runbooks_are_listed_with_their_versions_newest_first(folder: Path) -> None:
    found = library(folder)
    assert found.names() == ["restart", "rollback"]
    assert found.versions("restart") == ["1.10.0", "1.9.0", "0.20.0"]


def test_the_newest_is_meant_unless_a_version_is_given(folder: Path) -> None:
    found = library(folder)
    assert found.get("restart").reference == "restart@1.10.0"
    assert found.get("restart@1.9.0").reference == "restart@1.9.0"


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("restrat", "There is no runbook “restrat”; did you mean restart?"),
        ("zzz", "There is no runbook “zzz”; there are: restart, rollback."),
        ("", "There is no runbook “”; there are: restart, rollback."),
        ("restart@2.0.0", "Runbook restart has no version “2.0.0”; there are: 1.10.0, 1.9.0, "),
        ("restart@1.9.0@1.9.0", "Runbook restart has no version “1.9.0@1.9.0”"),
        ("../restart", "There is no runbook “../restart”; did you mean restart?"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(
    folder: Path, reference: str, said: str
) -> None:
    with pytest.raises(NotFound) as caught:
        library(folder).get(reference)
    assert str(caught.value).startswith(said)


def test_versions_of_what_is_not_there_are_not_found(folder: Path) -> None:
    with pytest.raises(NotFound, match="did you mean rollback"):
        library(folder).versions("rolback")


def test_everything_wrong_with_every_file_is_said_at_once(folder: Path) -> None:
    add(folder, "restart/2.0.0.yaml", good(version="2.0.0").replace("risk: low", "risk: mild"))
    add(folder, "rollback/1.0.0.yaml", good("rollback").replace("minimum: 2", "minimum: 0"))
    add(folder, "rollback/1.0.0.yml")
    with pytest.raises(RunbookProblems) as caught:
        library(folder)
    starts = [f"{problem.source}:{problem.line}" for problem in caught.value.problems]
    assert starts == [
        "LOCK:4",
        "restart/2.0.0.yaml:1",
        "restart/2.0.0.yaml:4",
        "rollback/1.0.0.yaml:26",
        "rollback/1.0.0.yml:1",
    ]
    assert str(caught.value).count("\n") == 4


def test_a_folder_without_runbooks_is_an_empty_library(tmp_path: Path) -> None:
    assert library(tmp_path).names() == []
    with pytest.raises(NotFound, match="There is no runbook “restart”"):
        library(tmp_path).get("restart")
