from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from shutil import which

import pytest

from bot.adapters.runbook_lock import check_lock, write_lock
from bot.adapters.runbook_release import LOCK, RunbookProblems, released_files
from tests.support.runbook_folder import add


def problems(folder: Path) -> list[str]:
    check = check_lock(released_files(folder))
    return [str(problem) for problem in sorted({*check.refused.values(), *check.problems})]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two released runbooks."""
    add(tmp_path, "restart/1.0.0.yaml")
    add(tmp_path, "rollback/1.0.0.yaml")
    write_lock(tmp_path)
    return tmp_path


def test_what_is_locked_has_no_problems(folder: Path) -> None:
    assert problems(folder) == []


@pytest.mark.skipif(which("sha256sum") is None, reason="the program sha256sum is missing")
def test_the_lock_has_the_form_of_sha256sum(folder: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", LOCK], cwd=folder, check=True)


def test_a_changed_file_is_told_with_both_digests(folder: Path) -> None:
    path = folder / "restart/1.0.0.yaml"
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes() + b"\n")
    after = hashlib.sha256(path.read_bytes()).hexdigest()
    assert problems(folder) == [
        f"LOCK:1: restart/1.0.0.yaml was released with the digest {before} but now has {after}; "
        "put it back, and make a new version for the change."
    ]


def test_a_file_that_is_gone_is_told(folder: Path) -> None:
    (folder / "rollback/1.0.0.yaml").unlink()
    assert problems(folder) == ["LOCK:2: rollback/1.0.0.yaml was released, but the file is gone."]


def test_a_file_that_is_not_locked_is_told(folder: Path) -> None:
    add(folder, "restart/1.1.0.yaml")
    assert problems(folder) == [
        "restart/1.1.0.yaml:1: this file is not in LOCK: it is not released."
    ]


def test_without_a_lock_nothing_is_released(folder: Path) -> None:
    (folder / LOCK).unlink()
    assert problems(folder) == [
        "LOCK:1: there is no LOCK, so no runbook here is released; run: tocsin runbook lock"
    ]
    assert set(check_lock(released_files(folder)).refused) == {
        "restart/1.0.0.yaml",
        "rollback/1.0.0.yaml",
    }


@pytest.mark.parametrize(
    "line", ["", "hello", "0" * 64 + " restart/1.0.0.yaml", "0" * 64 + "  ../../etc/passwd"]
)
def test_a_line_that_can_t_be_read_is_told(folder: Path, line: str) -> None:
    lock = folder / LOCK
    lock.write_text(f"{lock.read_text()}{line}\n")
    assert problems(folder) == ["LOCK:3: a line is a SHA-256, two spaces and a file."]


def test_a_file_that_is_locked_twice_is_told(folder: Path) -> None:
    lock = folder / LOCK
    lock.write_text(lock.read_text() + "0" * 64 + "  restart/1.0.0.yaml\n")
    assert problems(folder) == ["LOCK:3: restart/1.0.0.yaml is given twice."]


def test_new_files_are_added_and_named(folder: Path) -> None:
    before = (folder / LOCK).read_text().splitlines()
    add(folder, "restart/1.1.0.yaml")
    assert write_lock(folder) == ("restart/1.1.0.yaml",)
    assert set(before) < set((folder / LOCK).read_text().splitlines())
    assert problems(folder) == []


def test_locking_again_changes_nothing(folder: Path) -> None:
    before = (folder / LOCK).read_bytes()
    assert write_lock(folder) == ()
    assert (folder / LOCK).read_bytes() == before


@pytest.mark.parametrize("damage", ["change", "remove", "garble"])
def test_what_was_released_is_not_released_differently(folder: Path, damage: str) -> None:
    match damage:
        case "change":
            add(folder, "restart/1.0.0.yaml", "name: other\n")
        case "remove":
            (folder / "restart/1.0.0.yaml").unlink()
        case "garble":
            (folder / LOCK).write_text("garbled\n")
    add(folder, "restart/1.1.0.yaml")
    before = (folder / LOCK).read_bytes()
    with pytest.raises(RunbookProblems):
        write_lock(folder)
    assert (folder / LOCK).read_bytes() == before
