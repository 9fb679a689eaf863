"""A policy file that changes, vanishes and comes back, on a real disk."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from threading import Thread

import pytest

from bot.adapters.policy import parse_policy
from bot.adapters.policy_folder import PolicyFile
from bot.adapters.yaml_lines import LARGEST
from bot.domain.classify import Policy
from bot.domain.errors import InvalidInput, TemporaryError

RULE = """default: P1
rules:
  - id: {id}
    level: P2
    reason: x
    match: ['severity="warning"']
"""
ONE, TWO = RULE.format(id="one"), RULE.format(id="two")
BAD = ONE.replace("level: P2", "level: P7")


class Watched:
    """A policy file, and what was kept and refused."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept: list[tuple[str, str]] = []
        self.refused: list[str] = []
        self.failing = False
        path.write_text(ONE)
        self.file: PolicyFile[Policy] = PolicyFile(path, parse_policy, self._keep, self._refuse)

    def _keep(self, digest: str, text: str) -> None:
        if self.failing:
            raise TemporaryError("The database is locked.")
        self.kept.append((digest, text))

    def _refuse(self, problem: str) -> None:
        self.refused.append(problem)

    @property
    def rule(self) -> str:
        return self.file.current.rules[0].id

    def looks(self, number: int = 2) -> list[bool]:
        return [self.file.look() for _ in range(number)]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "severity.yaml")


def kept(*texts: str) -> list[tuple[str, str]]:
    return [(hashlib.sha256(text.encode()).hexdigest(), text) for text in texts]


def test_it_is_read_and_kept_at_once(watched: Watched) -> None:
    assert watched.rule == "one"
    assert watched.kept == kept(ONE)
    assert watched.file.current.digest == watched.kept[0][0]
    assert watched.looks() == [False, False]
    assert watched.kept == kept(ONE)


def test_a_change_is_taken_in_and_kept(watched: Watched) -> None:
    watched.path.write_text(TWO)
    assert watched.looks(3) == [False, True, False]
    assert watched.rule == "two"
    assert watched.kept == kept(ONE, TWO)
    assert watched.refused == []


def test_a_change_of_the_same_size_and_time_is_seen(watched: Watched) -> None:
    before = watched.path.stat()
    watched.path.write_text(TWO)
    os.utime(watched.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert watched.path.stat().st_size == before.st_size
    assert watched.looks() == [False, True]


def test_what_is_invalid_is_refused_once_and_the_old_one_stays(watched: Watched) -> None:
    watched.path.write_text(BAD)
    assert watched.looks(4) == [False] * 4
    assert watched.rule == "one"
    (problem,) = watched.refused
    assert f"{watched.path}:4: “level”: Input should be" in problem
    assert "stays in use" in problem
    watched.path.write_text(BAD + "#\n")
    watched.looks(3)
    assert len(watched.refused) == 2
    assert watched.kept == kept(ONE)


def test_it_recovers_from_an_invalid_one(watched: Watched) -> None:
    watched.path.write_text(BAD)
    watched.looks()
    watched.path.write_text(TWO)
    assert watched.looks() == [False, True]
    assert watched.rule == "two"


def test_a_half_written_file_is_not_taken_even_if_it_is_valid(watched: Watched) -> None:
    longer = ONE + ONE.partition("rules:\n")[2].replace("one", "more")
    watched.path.write_text(longer)
    watched.looks()
    for end in (10, len(ONE), len(longer)):
        watched.path.write_text(longer.replace("more", "last")[:end])
        watched.file.look()
        assert [rule.id for rule in watched.file.current.rules] == ["one", "more"]
    watched.file.look()
    assert [rule.id for rule in watched.file.current.rules] == ["one", "last"]
    assert watched.refused == []


def test_a_file_that_vanishes_leaves_the_old_one_and_may_come_back(watched: Watched) -> None:
    watched.path.unlink()
    assert watched.looks(3) == [False] * 3
    (problem,) = watched.refused
    assert f"{watched.path}:1: No such file or directory." in problem
    assert watched.rule == "one"
    watched.path.write_text(TWO)
    assert watched.looks() == [False, True]
    assert watched.rule == "two"


def test_a_file_that_is_replaced_between_two_looks_is_not_missed(watched: Watched) -> None:
    watched.path.unlink()
    assert watched.looks(1) == [False]
    watched.path.write_text(ONE)
    assert watched.looks() == [False, False]
    assert watched.refused == []


def test_a_version_that_can_not_be_kept_is_not_used_and_tried_again(watched: Watched) -> None:
    watched.path.write_text(TWO)
    watched.failing = True
    assert watched.looks(1) == [False]
    with pytest.raises(TemporaryError):
        watched.file.look()
    assert watched.rule == "one"
    watched.failing = False
    assert watched.looks(1) == [True]
    assert watched.kept == kept(ONE, TWO)


def test_a_file_that_is_too_large_is_refused(watched: Watched) -> None:
    watched.path.write_text(ONE + "#" * LARGEST)
    watched.looks()
    assert f"larger than {LARGEST} bytes" in watched.refused[0]


def test_a_link_that_is_switched_is_followed(tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()
    (tmp_path / "v2").mkdir()
    (tmp_path / "v2" / "severity.yaml").write_text(TWO)
    link = tmp_path / "current"
    link.symlink_to("v1")
    watched = Watched(link / "severity.yaml")
    (tmp_path / "next").symlink_to("v2")
    (tmp_path / "next").rename(link)
    assert watched.looks() == [False, True]
    assert watched.rule == "two"


@pytest.mark.parametrize("text", [BAD, None])
def test_there_must_be_a_valid_one_to_begin_with(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "severity.yaml"
    if text is not None:
        path.write_text(text)
    kept: list[str] = []
    with pytest.raises(InvalidInput, match=r"severity\.yaml:"):
        PolicyFile(path, parse_policy, lambda digest, _: kept.append(digest), kept.append)
    assert kept == []


def test_readers_never_see_anything_but_a_valid_policy(watched: Watched) -> None:
    seen: set[str] = set()
    over = False

    def read() -> None:
        while not over:
            seen.add(watched.rule)

    reader = Thread(target=read)
    reader.start()
    for text in [TWO, BAD, ONE, TWO] * 10:
        watched.path.write_text(text)
        watched.looks()
    over = True
    reader.join()
    assert seen <= {"one", "two"}
    assert watched.rule == "two"


def test_a_start_with_a_bad_file_uses_the_version_before(tmp_path: Path) -> None:
    """Whoever restarts Tocsin at night has not edited the policy."""
    path = tmp_path / "severity.yaml"
    path.write_text(BAD)
    refused: list[str] = []
    file = PolicyFile(path, parse_policy, lambda *_: None, refused.append, TWO.encode)
    assert file.current.rules[0].id == "two"
    assert len(refused) == 1
    assert "severity.yaml:4" in refused[0]
    assert [file.look(), file.look()] == [False, False]
    assert len(refused) == 1, "it is said once"
    path.write_text(ONE)
    assert [file.look(), file.look()] == [False, True]
    assert file.current.rules[0].id == "one"


def test_a_first_start_with_a_bad_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "severity.yaml"
    path.write_text(BAD)
    with pytest.raises(InvalidInput, match=r"severity.yaml:4"):
        PolicyFile(path, parse_policy, lambda *_: None, lambda _: None)
