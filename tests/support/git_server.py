"""A bare git repository, served over HTTP on this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import make_server

from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo
from dulwich.server import BackendRepo, DictBackend
from dulwich.web import WSGIRequestHandlerLogger, WSGIServerLogger, make_wsgi_chain

MAIN = Ref(b"refs/heads/main")
FILE, LINK, FOLDER = 0o100644, 0o120000, 0o040000

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def commit(
    repository: Repo, files: Mapping[str, bytes], links: Mapping[str, bytes] | None = None
) -> str:
    """Commit exactly these files and symbolic links onto main; returns the commit's id."""
    entries = {path: (FILE, content) for path, content in files.items()}
    entries |= {path: (LINK, target) for path, target in (links or {}).items()}
    made = Commit()
    made.tree = _tree(repository, entries)
    made.author = made.committer = b"Somebody <somebody@example.com>"
    made.author_time = made.commit_time = 0
    made.author_timezone = made.commit_timezone = 0
    made.message = b"Runbooks"
    if MAIN in repository.refs:
        made.parents = [repository.refs[MAIN]]
    repository.object_store.add_object(made)
    repository.refs[MAIN] = made.id
    return made.id.decode()


def _tree(repository: Repo, entries: Mapping[str, tuple[int, bytes]]) -> ObjectID:
    tree = Tree()
    below: dict[str, dict[str, tuple[int, bytes]]] = {}
    for path, (mode, content) in entries.items():
        first, slash, rest = path.partition("/")
        if slash:
            below.setdefault(first, {})[rest] = (mode, content)
        else:
            blob = Blob.from_string(content)
            repository.object_store.add_object(blob)
            tree.add(first.encode(), mode, blob.id)
    for name, inner in below.items():
        tree.add(name.encode(), FOLDER, _tree(repository, inner))
    repository.object_store.add_object(tree)
    return tree.id


@contextmanager
def git_server(folder: Path, around: Callable[[Wsgi], Wsgi] = lambda app: app) -> Iterator[str]:
    """Serve the bare repository in a folder; `around` wraps the server to make it misbehave.

    Yields the repository's address.
    """
    served: dict[str, BackendRepo] = {"/runbooks.git": Repo(str(folder))}
    app = around(make_wsgi_chain(DictBackend(served)))
    server = make_server(
        "127.0.0.1",
        0,
        app,
        server_class=WSGIServerLogger,
        handler_class=WSGIRequestHandlerLogger,
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/runbooks.git"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
