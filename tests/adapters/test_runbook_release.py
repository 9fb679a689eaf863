from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.adapters.runbook_release import RunbookProblems, released_files
from bot.adapters.yaml_lines import LARGEST
from tests.support.runbook_folder import add, good


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "runbooks"
    add(place, "restart/1.0.0.yaml")
    return place


def problems(folder: Path) -> list[str]:
    return [str(problem) for problem in released_files(folder).problems]


def test_files_are_found_by_name_and_version(folder: Path) -> None:
    add(folder, "fail-over/0.10.2.yaml")
    released = released_files(folder)
    assert sorted(released.files) == ["fail-over/0.10.2.yaml", "restart/1.0.0.yaml"]
    assert released.files["restart/1.0.0.yaml"] == good().encode()
    assert released.problems == ()


def test_what_is_hidden_or_beside_the_runbooks_is_passed_over(folder: Path) -> None:
    add(folder, ".git/1.0.0.yaml")
    add(folder, "restart/.1.0.1.yaml.swp")
    add(folder, "README.md", "about")
    assert list(released_files(folder).files) == ["restart/1.0.0.yaml"]
    assert problems(folder) == []


@pytest.mark.parametrize(
    "name",
    ["restart/1.0.yaml", "restart/1.0.0.yml", "restart/01.0.0.yaml", "restart/v1.0.0.yaml",
     "restart/1.0.0-rc.1.yaml", "Restart/1.0.0.yaml", "restart/notes.txt"],
)  # fmt: skip
def test_a_file_of_another_name_is_told_not_forgotten(folder: Path, name: str) -> None:
    add(folder, name, good())
    assert problems(folder) == [
        f"{name}:1: a runbook's file is called name/version.yaml, like restart/1.0.0.yaml."
    ]


def test_a_folder_that_looks_like_a_file_is_told(folder: Path) -> None:
    (folder / "restart/2.0.0.yaml").mkdir()
    assert problems(folder) == ["restart/2.0.0.yaml:1: this is not a file."]


def test_a_named_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "restart/2.0.0.yaml")
    assert problems(folder) == ["restart/2.0.0.yaml:1: this is not a file."]


def test_a_link_to_outside_is_not_followed(folder: Path, tmp_path: Path) -> None:
    outside = add(tmp_path, "elsewhere/2.0.0.yaml")
    (folder / "restart/2.0.0.yaml").symlink_to(outside)
    (folder / "stolen").symlink_to(outside.parent)
    assert problems(folder) == [
        f"{source}:1: this links to outside the folder, so it is not read."
        for source in ("restart/2.0.0.yaml", "stolen/2.0.0.yaml")
    ]
    assert list(released_files(folder).files) == ["restart/1.0.0.yaml"]


def test_a_link_to_inside_is_followed(folder: Path) -> None:
    """Kubernetes mounts a ConfigMap that way: through a hidden folder."""
    add(folder, "..data/rollback/1.0.0.yaml", good("rollback"))
    (folder / "rollback").symlink_to("..data/rollback")
    assert "rollback/1.0.0.yaml" in released_files(folder).files


def test_a_link_to_itself_is_told(folder: Path) -> None:
    link = folder / "restart/2.0.0.yaml"
    link.symlink_to(link)
    (problem,) = problems(folder)
    assert problem.startswith("restart/2.0.0.yaml:1: ")


def test_a_link_to_nothing_is_told(folder: Path) -> None:
    (folder / "restart/2.0.0.yaml").symlink_to("3.0.0.yaml")
    assert problems(folder) == ["restart/2.0.0.yaml:1: this is not a file."]


def test_a_large_file_is_told_and_not_read(folder: Path) -> None:
    with (folder / "restart/2.0.0.yaml").open("wb") as file:
        file.truncate(1024**4)  # a terabyte of nothing
    assert problems(folder) == [f"restart/2.0.0.yaml:1: the file is larger than {LARGEST} bytes."]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunbookProblems, match="there is no such folder of runbooks"):
        released_files(tmp_path / "nowhere")
