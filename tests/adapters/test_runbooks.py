from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.runbook_lock import write_lock
from bot.adapters.runbooks import RunbookFolder
from bot.domain.errors import InvalidInput, NotFound
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
    problems = library(folder).problems
    assert [f"{problem.source}:{problem.line}" for problem in problems] == [
        "LOCK:4",
        "restart/2.0.0.yaml:1",
        "restart/2.0.0.yaml:4",
        "rollback/1.0.0.yaml:26",
        "rollback/1.0.0.yml:1",
    ]


def test_a_bad_file_is_refused_with_its_reasons_and_the_others_keep_working(folder: Path) -> None:
    add(folder, "restart/2.0.0.yaml", good(version="2.0.0").replace("risk: low", "risk: mild"))
    write_lock(folder)
    found = library(folder)
    with pytest.raises(InvalidInput) as caught:
        found.get("restart@2.0.0")
    assert str(caught.value).startswith(
        "Runbook restart@2.0.0 is refused:\nrestart/2.0.0.yaml:4: “risk”: Input should be"
    )
    assert found.get("restart").reference == "restart@1.10.0"
    assert found.get("rollback").reference == "rollback@1.0.0"


def test_a_changed_release_is_refused_naming_both_digests(folder: Path) -> None:
    path = folder / "rollback/1.0.0.yaml"
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes() + b"\n")
    after = hashlib.sha256(path.read_bytes()).hexdigest()
    found = library(folder)
    assert found.names() == ["restart"]
    for reference in ("rollback", "rollback@1.0.0"):
        with pytest.raises(InvalidInput, match=f"refused:\n.*{before} but now has {after}"):
            found.get(reference)


def test_what_is_used_in_place_of_a_refused_newest_says_so(folder: Path) -> None:
    add(folder, "restart/1.11.0.yaml", "- no runbook\n")
    add(folder, "restart/0.1.0.yaml", "- no runbook\n")
    write_lock(folder)
    used = library(folder).get("restart")
    assert used.reference == "restart@1.10.0"
    assert used.passed_over.startswith("a newer one is refused, restart/1.11.0.yaml:1: ")
    assert "0.1.0" not in used.passed_over
    assert library(folder).get("restart@1.10.0").passed_over == ""
    assert library(folder).get("rollback").passed_over == ""


def test_a_release_that_is_gone_is_refused_as_such(folder: Path) -> None:
    (folder / "restart/1.10.0.yaml").unlink()
    with pytest.raises(InvalidInput, match=r"restart/1\.10\.0\.yaml was released, but the file"):
        library(folder).get("restart@1.10.0")


def test_a_link_to_outside_is_refused_alone(folder: Path, tmp_path_factory: Any) -> None:
    outside = add(tmp_path_factory.mktemp("outside"), "restart/2.0.0.yaml")
    (folder / "restart/2.0.0.yaml").symlink_to(outside)
    found = library(folder)
    with pytest.raises(InvalidInput, match="this links to outside the folder"):
        found.get("restart@2.0.0")
    assert found.get("restart").version == "1.10.0"


def test_without_a_lock_it_is_said_what_to_do(folder: Path) -> None:
    (folder / "LOCK").unlink()
    found = library(folder)
    assert len(found.problems) == 1
    for reference in ("restart", "restart@1.9.0"):
        with pytest.raises(InvalidInput, match="there is no LOCK, so no runbook here is released"):
            found.get(reference)
    with pytest.raises(NotFound, match="There is no runbook that can be used:\nLOCK:1: "):
        found.get("other")


def test_a_deprecated_version_says_why_and_is_not_the_default(folder: Path) -> None:
    before = library(folder).get("restart@1.10.0")
    add(folder, "restart/deprecated.yaml", "1.10.0: It restarts too much; use restart@1.9.0.\n")
    found = library(folder)
    assert found.problems == ()
    assert found.get("restart").reference == "restart@1.9.0"
    deprecated = found.get("restart@1.10.0")
    assert deprecated.deprecated == "It restarts too much; use restart@1.9.0."
    assert deprecated.digest == before.digest


def test_when_all_are_deprecated_the_newest_is_the_default(folder: Path) -> None:
    add(folder, "rollback/deprecated.yaml", "1.0.0: It is not needed any more.\n")
    assert library(folder).get("rollback").deprecated == "It is not needed any more."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1.0.1: Use another.\n", "1: there is no rollback@1.0.1."),
        ("1.0.0:\n", "1: “1.0.0”: Input should be a valid string."),
        ("- 1.0.0\n", "1: “the file” has to hold keys with values."),
        ("1.0.0: &a Use another.\n", "1: anchors and aliases"),
    ],
)
def test_a_wrong_deprecation_is_told_and_refuses_nothing(
    folder: Path, text: str, said: str
) -> None:
    add(folder, "rollback/deprecated.yaml", text)
    found = library(folder)
    (problem,) = found.problems
    assert str(problem).startswith(f"rollback/deprecated.yaml:{said}")
    assert found.get("rollback").deprecated == ""


def test_drafts_and_rehearsals_are_not_offered_to_run(folder: Path) -> None:
    add(folder, "restart/draft.yaml", "half of")
    add(folder, "restart/rehearsal.yaml", "cluster:")
    found = library(folder)
    assert found.problems == ()
    with pytest.raises(NotFound, match="has no version “draft”"):
        found.get("restart@draft")


def test_a_folder_without_runbooks_is_an_empty_library(tmp_path: Path) -> None:
    assert library(tmp_path).names() == []
    with pytest.raises(NotFound, match="There is no runbook “restart”"):
        library(tmp_path).get("restart")
