from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from dulwich.objects import Commit, ObjectID
from dulwich.repo import Repo

from bot.adapters.runbook_git import Pin, parse_pin, released_commit
from bot.adapters.runbooks import Runbooks
from bot.domain.errors import InvalidInput, PermanentError, TemporaryError
from bot.steps.registry import step_kinds
from tests.support.git_server import Wsgi, commit, git_server
from tests.support.runbook_folder import good

A_COMMIT = "0123456789abcdef0123456789abcdef01234567"


def lock(files: Mapping[str, bytes]) -> bytes:
    lines = [f"{hashlib.sha256(files[it]).hexdigest()}  {it}\n" for it in sorted(files)]
    return "".join(lines).encode()


RESTART = {"restart/1.0.0.yaml": good().encode()}
FILES = {"LOCK": lock(RESTART), **RESTART, "README.md": b"Ours.", ".ci/run.yaml": b"a: b"}


@pytest.fixture
def remote(tmp_path: Path) -> Repo:
    return Repo.init_bare(str(tmp_path / "remote.git"), mkdir=True)


@pytest.fixture
def url(remote: Repo) -> Iterator[str]:
    with git_server(Path(remote.path)) as address:
        yield address


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "var" / "runbooks.git"


# --- the setting ------------------------------------------------------------------------


def test_a_pin_names_a_repository_a_commit_and_a_folder() -> None:
    assert parse_pin(f"https://example.com/ops.git@{A_COMMIT}") == Pin(
        "https://example.com/ops.git", A_COMMIT
    )
    assert parse_pin(f"https://me:s%40fe@example.com:8443/ops@{A_COMMIT}:ops/books/") == Pin(
        "https://example.com:8443/ops", A_COMMIT, "ops/books", "me", "s@fe"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://example.com/ops.git",
        "https://example.com/ops.git@main",
        "https://example.com/ops.git@v1.0.0",
        f"https://example.com/ops.git@{A_COMMIT[:12]}",
        f"https://example.com/ops.git@{A_COMMIT.upper()}",
        f"https://example.com/ops.git@{A_COMMIT}\n",
    ],
)
def test_what_can_be_moved_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^TOCSIN_RUNBOOKS_GIT must be .*can be moved"):
        parse_pin(text)


@pytest.mark.parametrize("url", ["file:///etc", "git@example.com:ops", "ssh://example.com/ops"])
def test_only_http_is_spoken(url: str) -> None:
    with pytest.raises(InvalidInput, match="TOCSIN_RUNBOOKS_GIT must begin with https://"):
        parse_pin(f"{url}@{A_COMMIT}")


def test_a_token_is_not_shown() -> None:
    assert "s3cret" not in repr(parse_pin(f"https://me:s3cret@example.com/ops@{A_COMMIT}"))


# --- fetching ---------------------------------------------------------------------------


def test_the_runbooks_of_the_commit_are_read(remote: Repo, url: str, kept: Path) -> None:
    pinned = commit(remote, FILES)
    released = released_commit(Pin(url, pinned), kept)
    assert (released.files, released.lock, released.problems) == (RESTART, FILES["LOCK"], ())
    assert Runbooks(released, step_kinds()).get("restart").text == good()


def test_it_stays_with_the_commit_when_the_branch_moves(remote: Repo, url: str, kept: Path) -> None:
    pinned = commit(remote, FILES)
    later = commit(remote, {"LOCK": b""})
    assert released_commit(Pin(url, pinned), kept).files == RESTART
    assert released_commit(Pin(url, later), kept).files == {}


def test_the_runbooks_may_be_in_a_folder(remote: Repo, url: str, kept: Path) -> None:
    pinned = commit(remote, {f"ops/books/{path}": content for path, content in FILES.items()})
    assert released_commit(Pin(url, pinned, "ops/books"), kept).files == RESTART
    for path in ("ops/none", "ops/books/LOCK", "../ops"):
        with pytest.raises(PermanentError, match=f"there is no folder {path} in that commit"):
            released_commit(Pin(url, pinned, path), kept)


def test_what_was_fetched_is_used_without_the_server(remote: Repo, kept: Path) -> None:
    pinned = commit(remote, FILES)
    with git_server(Path(remote.path)) as url:
        released_commit(Pin(url, pinned), kept)
    assert released_commit(Pin(url, pinned), kept).files == RESTART


def test_links_and_large_files_are_refused_and_the_others_read(
    remote: Repo, url: str, kept: Path
) -> None:
    large = {"restart/3.0.0.yaml": b"#" * 100_000}
    link = {"restart/2.0.0.yaml": b"/etc/passwd"}
    released = released_commit(Pin(url, commit(remote, {**FILES, **large}, link)), kept)
    assert released.files == RESTART
    assert [str(problem) for problem in released.problems] == [
        "restart/2.0.0.yaml:1: this is not a file.",
        "restart/3.0.0.yaml:1: the file is larger than 65536 bytes.",
    ]


# --- what goes wrong --------------------------------------------------------------------


def test_a_commit_that_is_not_there_is_told(remote: Repo, url: str, kept: Path) -> None:
    commit(remote, FILES)
    with pytest.raises(PermanentError, match=f"has no commit {A_COMMIT} on any branch or tag"):
        released_commit(Pin(url, A_COMMIT), kept)


def test_an_id_that_is_no_commit_is_told(remote: Repo, url: str, kept: Path) -> None:
    pinned = commit(remote, FILES)
    made = remote[ObjectID(pinned.encode())]
    assert isinstance(made, Commit)
    tree = made.tree.decode()
    released_commit(Pin(url, pinned), kept)
    with pytest.raises(PermanentError, match="is damaged; delete it"):
        released_commit(Pin(url, tree), kept)


def test_a_repository_that_is_not_there_is_told(remote: Repo, url: str, kept: Path) -> None:
    with pytest.raises(PermanentError, match="there is no such repository"):
        released_commit(Pin(url.replace("runbooks", "other"), commit(remote, FILES)), kept)


def test_a_server_that_is_not_there_is_temporary(kept: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(TemporaryError, match="can’t be fetched"):
        released_commit(Pin(f"http://127.0.0.1:{port}/runbooks.git", A_COMMIT), kept)


def cut_after(length: int) -> Any:
    """A server that ends each answer after so many bytes, as if it were complete."""

    def around(app: Wsgi) -> Wsgi:
        def cut(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            whole = b"".join(app(environ, start))
            return [whole[:length]]

        return cut

    return around


def test_an_answer_that_is_cut_short_is_temporary_and_leaves_nothing(
    remote: Repo, kept: Path
) -> None:
    pinned = commit(remote, FILES)
    for length in (*range(0, 400, 7), *range(400, 1500, 50)):
        with git_server(Path(remote.path), cut_after(length)) as url:
            try:
                found = released_commit(Pin(url, pinned), kept)
            except (TemporaryError, PermanentError):
                assert ObjectID(pinned.encode()) not in Repo(str(kept)).object_store
                continue
            assert found.files == RESTART
            return
    raise AssertionError("no answer was long enough")


def test_what_is_damaged_on_the_disk_is_noticed(remote: Repo, url: str, kept: Path) -> None:
    pinned = commit(remote, FILES)
    released_commit(Pin(url, pinned), kept)
    (pack,) = kept.glob("objects/pack/*.pack")
    pack.chmod(0o600)
    content = bytearray(pack.read_bytes())
    for place in range(20, len(content) - 20):
        content[place] ^= 1
    pack.write_bytes(content)
    with pytest.raises(PermanentError, match="is damaged; delete it, and it is fetched anew"):
        released_commit(Pin(url, pinned), kept)
