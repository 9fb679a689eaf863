from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.runbook_author import draft_problems, new_draft, release
from bot.adapters.runbook_file import RunbookReader
from bot.adapters.runbook_lock import write_lock
from bot.adapters.runbooks import RunbookFolder
from bot.domain.errors import InvalidInput
from bot.steps.registry import step_kinds
from tests.support.runbook_folder import add, good


@pytest.fixture(scope="module")
def reader() -> RunbookReader:
    return RunbookReader(step_kinds())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One released runbook."""
    add(tmp_path, "rollback/1.0.0.yaml")
    write_lock(tmp_path)
    return tmp_path


def library(folder: Path) -> RunbookFolder:
    return RunbookFolder(folder, step_kinds())


def test_a_new_draft_has_no_fault_and_is_not_offered(folder: Path, reader: RunbookReader) -> None:
    assert new_draft(folder, "my-own", None) == folder / "my-own/draft.yaml"
    assert list(draft_problems(folder, reader)) == []
    assert library(folder).names() == ["rollback"]
    assert library(folder).problems == ()


def test_a_released_draft_is_a_version_in_the_lock(folder: Path, reader: RunbookReader) -> None:
    new_draft(folder, "my-own", None)
    assert release(folder, "my-own", "1.2.0", reader) == folder / "my-own/1.2.0.yaml"
    found = library(folder)
    assert found.problems == ()
    assert found.get("my-own").reference == "my-own@1.2.0"
    assert not (folder / "my-own/draft.yaml").exists()


def test_the_draft_of_a_next_version_begins_with_the_newest(
    folder: Path, reader: RunbookReader
) -> None:
    newest = library(folder).get("rollback")
    assert new_draft(folder, "rollback", newest).read_text() == newest.text
    release(folder, "rollback", "1.1.0", reader)
    found = library(folder)
    assert found.versions("rollback") == ["1.1.0", "1.0.0"]
    assert found.get("rollback").text == newest.text.replace("1.0.0", "1.1.0")


@pytest.mark.parametrize(
    ("name", "version", "said"),
    [
        ("rollback", "1.0.0", "rollback/1.0.0.yaml is there already."),
        ("rollback", "2", "“2” is no version; write it like 1.2.0."),
        ("rollback", "../2.0.0", "is no version"),
        ("../rollback", "2.0.0", "“../rollback” is no name of a runbook"),
        ("restart", "2.0.0", "restart/draft.yaml can’t be read: No such file or directory."),
    ],
)
def test_what_can_t_be_released_is_said_and_changes_nothing(
    folder: Path, reader: RunbookReader, name: str, version: str, said: str
) -> None:
    add(folder, "rollback/draft.yaml", good("rollback"))
    before = (folder / "LOCK").read_bytes()
    with pytest.raises(InvalidInput) as caught:
        release(folder, name, version, reader)
    assert said in str(caught.value)
    assert (folder / "LOCK").read_bytes() == before
    assert (folder / "rollback/draft.yaml").exists()


def test_a_draft_with_faults_is_not_released(folder: Path, reader: RunbookReader) -> None:
    add(folder, "rollback/draft.yaml", good("rollback").replace("risk: low", "risk: mild"))
    with pytest.raises(InvalidInput, match=r"rollback/draft\.yaml:4: “risk”"):
        release(folder, "rollback", "1.1.0", reader)
    (problem,) = draft_problems(folder, reader)
    assert str(problem).startswith("rollback/draft.yaml:4: “risk”")
    assert not (folder / "rollback/1.1.0.yaml").exists()


def test_nothing_is_released_beside_a_changed_release(folder: Path, reader: RunbookReader) -> None:
    add(folder, "rollback/draft.yaml", good("rollback"))
    add(folder, "rollback/1.0.0.yaml", good("rollback").replace("minimum: 2", "minimum: 1"))
    with pytest.raises(InvalidInput, match="was released with the digest"):
        release(folder, "rollback", "1.1.0", reader)
    assert not (folder / "rollback/1.1.0.yaml").exists()


def test_a_draft_is_not_overwritten(folder: Path) -> None:
    new_draft(folder, "my-own", None)
    with pytest.raises(InvalidInput, match="is there already"):
        new_draft(folder, "my-own", None)
