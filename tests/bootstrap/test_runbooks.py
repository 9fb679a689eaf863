from __future__ import annotations

import hashlib
import socket
from pathlib import Path

import pytest
from dulwich.repo import Repo

from bot.bootstrap.runbooks import runbooks
from bot.domain.errors import InvalidInput, NotFound
from bot.settings import Settings
from tests.support.git_server import commit, git_server
from tests.support.runbook_folder import good


@pytest.fixture
def remote(tmp_path: Path) -> Repo:
    return Repo.init_bare(str(tmp_path / "remote.git"), mkdir=True)


@pytest.fixture
def pinned(remote: Repo) -> str:
    lock = f"{hashlib.sha256(good().encode()).hexdigest()}  restart/1.0.0.yaml\n"
    return commit(remote, {"LOCK": lock.encode(), "restart/1.0.0.yaml": good().encode()})


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_DATABASE_URL", f"sqlite:///{tmp_path}/var/tocsin.db")


def test_they_come_from_the_pinned_commit(
    tmp_path: Path, remote: Repo, pinned: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with git_server(Path(remote.path)) as url:
        monkeypatch.setenv("TOCSIN_RUNBOOKS_GIT", f"{url}@{pinned}")
        assert runbooks(Settings()).names() == ["restart"]
    assert (tmp_path / "var/runbooks.git/HEAD").exists()
    assert runbooks(Settings()).problems == ()


def test_an_unreachable_server_leaves_an_empty_library_that_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("TOCSIN_RUNBOOKS_GIT", f"http://me:s3cret@127.0.0.1:{port}/r.git@{'0' * 40}")
    found = runbooks(Settings())
    with pytest.raises(NotFound, match=r"TOCSIN_RUNBOOKS_GIT:1: .* can’t be fetched") as caught:
        found.get("restart")
    assert "s3cret" not in str(caught.value)


def test_a_branch_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_RUNBOOKS_GIT", "https://example.com/ops.git@main")
    with pytest.raises(InvalidInput, match="a branch or a tag can be moved"):
        runbooks(Settings())
