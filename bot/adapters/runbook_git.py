"""Runbooks from a git repository, pinned to one commit.

A commit's id is a hash over all that it holds, so whoever reviewed that commit knows
what can run; a branch or a tag may be moved by others, so neither is taken. Files are
read from git's objects, each checked against its id, and never from a work tree: there
are no links to follow and no hooks to run.

What was fetched stays in a bare repository beside the database. With the commit in it,
nothing is asked of the network.
"""

from __future__ import annotations

import re
import stat
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from dulwich.client import HttpGitClient, HTTPProxyUnauthorized, HTTPUnauthorized
from dulwich.errors import (
    ApplyDeltaError,
    ChecksumMismatch,
    FileFormatException,
    GitProtocolError,
    NotGitRepository,
)
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree
from dulwich.repo import Repo
from urllib3.exceptions import HTTPError

from bot.adapters.runbook_release import LOCK, Refused, Released, check_size, collect
from bot.domain.errors import InvalidInput, PermanentError, TemporaryError

SETTING = "TOCSIN_RUNBOOKS_GIT"

PATIENCE = 10.0
"""Seconds that the git server may be silent; paging waits for this at a first start."""

_PINNED = re.compile(r"(?P<url>.+)@(?P<commit>[0-9a-f]{40})(:(?P<path>[^:]+))?")
_BROKEN = (
    ApplyDeltaError,
    AssertionError,
    ChecksumMismatch,
    EOFError,
    FileFormatException,
    HTTPError,
    KeyError,
    OSError,
    ValueError,
    zlib.error,
)
"""What dulwich raises on an answer or a repository that is damaged or cut short."""

Kind = TypeVar("Kind", bound=ShaFile)


@dataclass(frozen=True, slots=True)
class Pin:
    """A commit of a repository, and the folder of the runbooks in it (empty: the top)."""

    url: str
    commit: str
    path: str = ""
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def parse_pin(text: str) -> Pin:
    """What ``https://HOST/REPOSITORY.git@COMMIT[:FOLDER]`` says; raises `InvalidInput`."""
    match = _PINNED.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"{SETTING} must be URL@COMMIT or URL@COMMIT:FOLDER, with the 40 hexadecimal digits of "
            "a commit: a branch or a tag can be moved, and then other steps would run than "
            "those that were reviewed."
        )
    parts = urlsplit(match["url"])
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise InvalidInput(f"{SETTING} must begin with https:// (or http://).")
    place = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
    return Pin(
        url=f"{parts.scheme}://{place}{parts.path}",
        commit=match["commit"],
        path=(match["path"] or "").strip("/"),
        username=parts.username and unquote(parts.username),
        password=parts.password and unquote(parts.password),
    )


def released_commit(pin: Pin, kept: Path) -> Released:
    """The files at the commit, fetched into the bare repository `kept` if they aren't there.

    Raises `TemporaryError` for a server that can't be reached or breaks off, and
    `PermanentError` for one that refuses or lacks the commit, or a damaged `kept`.
    """
    try:
        with _opened(kept) as repository:
            return _released(repository, _tree(repository, pin))
    except (BufferError, *_BROKEN) as error:  # BufferError: what can't be read won't close
        raise PermanentError(f"{kept} is damaged; delete it, and it is fetched anew.") from error


def _opened(kept: Path) -> Repo:
    try:
        if (kept / "HEAD").exists():
            return Repo(str(kept))
        kept.mkdir(parents=True, exist_ok=True)
        return Repo.init_bare(str(kept))
    except (NotGitRepository, *_BROKEN) as error:
        raise PermanentError(
            f"{kept} can’t be used as a git repository ({type(error).__name__})."
        ) from error


def _fetch(pin: Pin, commit: ObjectID, repository: Repo) -> None:
    """Fetch the commit, by itself or with the branches and tags that may hold it."""
    client = HttpGitClient(
        pin.url, username=pin.username, password=pin.password, timeout=PATIENCE, quiet=True
    )
    try:
        client.fetch(b"", repository, determine_wants=partial(_wants, commit))
    except (HTTPUnauthorized, HTTPProxyUnauthorized, NotGitRepository) as error:
        why = "there is no such repository" if isinstance(error, NotGitRepository) else "refused"
        raise PermanentError(f"{pin.url}: {why}.") from error
    except (GitProtocolError, *_BROKEN) as error:
        raise TemporaryError(f"{pin.url} can’t be fetched ({type(error).__name__}).") from error
    if commit not in repository.object_store:
        raise PermanentError(f"{pin.url} has no commit {pin.commit} on any branch or tag.")


def _wants(
    commit: ObjectID, references: Mapping[bytes, ObjectID], depth: int | None = None
) -> list[ObjectID]:
    """A commit that no reference names is refused by most servers, so then all are fetched."""
    if commit in references.values():
        return [commit]
    return [found for name, found in references.items() if name.startswith(b"refs/")]


def _object(repository: Repo, name: ObjectID, kind: type[Kind]) -> Kind:
    """The object with that id. Raises one of `_BROKEN` if it is missing, another or damaged."""
    number, content = repository.object_store.get_raw(name)
    found = ShaFile.from_raw_string(number, content, verify_sha=name)
    if not isinstance(found, kind):
        raise ValueError(f"{name!r} is no {kind.type_name.decode()}")
    return found


def _tree(repository: Repo, pin: Pin) -> Tree:
    """The folder of the runbooks at the commit, which is fetched if it is not there yet."""
    commit = ObjectID(pin.commit.encode())
    if commit not in repository.object_store:
        _fetch(pin, commit, repository)
    tree = _object(repository, _object(repository, commit, Commit).tree, Tree)
    for name in filter(None, pin.path.split("/")):
        entry = {entry.path: entry for entry in tree.iteritems()}.get(name.encode())
        if entry is None or not stat.S_ISDIR(entry.mode):
            raise PermanentError(f"there is no folder {pin.path} in that commit.")
        tree = _object(repository, entry.sha, Tree)
    return tree


@dataclass(frozen=True, slots=True)
class _File:
    mode: int
    blob: ObjectID


def _released(repository: Repo, folder: Tree) -> Released:
    files = dict(_files(repository, folder))
    return collect(files, lambda source: _content(repository, files[source]))


def _files(repository: Repo, folder: Tree) -> Iterator[tuple[str, _File]]:
    """The LOCK, and whatever lies in the folder's own folders; what is hidden is passed over."""
    for place, entry in _entries(folder):
        if place == LOCK:
            yield LOCK, entry
        elif stat.S_ISDIR(entry.mode):
            for name, inner in _entries(_object(repository, entry.blob, Tree)):
                yield f"{place}/{name}", inner


def _entries(tree: Tree) -> Iterator[tuple[str, _File]]:
    for entry in tree.iteritems():
        name = entry.path.decode("utf-8", "replace")
        if not name.startswith("."):
            yield name, _File(entry.mode, entry.sha)


def _content(repository: Repo, file: _File) -> bytes:
    if not stat.S_ISREG(file.mode):
        raise Refused("this is not a file")
    content = _object(repository, file.blob, Blob).as_raw_string()
    check_size(len(content))
    return content
