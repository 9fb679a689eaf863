"""A PostgreSQL server of the tests' own, on loopback, that they may stop and break."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class PostgresServer:
    """A running server; `url` names its database."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"postgresql://tocsin@127.0.0.1:{port}/postgres"
        self._folder = folder
        # No machine dies here, so nobody has to wait for the disk.
        self._options = f"-c fsync=off -c port={port} -c listen_addresses=127.0.0.1 -k {folder}"

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        log = self._folder / "log"
        _run(
            *("pg_ctl", "start", "--wait", "--silent", "-D", self._folder / "data"),
            *("-l", log, "-o", self._options),
        )

    def stop(self) -> None:
        """Stop it as a crash would."""
        _run("pg_ctl", "stop", "--wait", "--mode=immediate", "-D", self._folder / "data")


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """Start a new, empty server; skips the test where PostgreSQL is not installed."""
    missing = [name for name in ("initdb", "pg_ctl") if shutil.which(name, path=_path()) is None]
    if missing:
        pytest.skip(f"PostgreSQL's server is missing: {', '.join(missing)} not found")
    # Not pytest's tmp_path: the server may have to run as another user, who can't go there.
    with tempfile.TemporaryDirectory(prefix="tocsin-postgres-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        _run("initdb", "-D", folder / "data", "-U", "tocsin", "--auth=trust", "--no-sync")
        server = PostgresServer(folder, _free_port())
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _run(program: str, *arguments: str | Path) -> None:
    # PostgreSQL refuses to run as root.
    command = [shutil.which(program, path=_path()) or program, *map(str, arguments)]
    user = "nobody" if os.geteuid() == 0 else None
    subprocess.run(command, check=True, cwd="/", user=user, stdout=subprocess.DEVNULL)


def _path() -> str:
    """Where to look for programs; Debian keeps the server's out of PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return os.pathsep.join([os.environ.get("PATH", ""), *map(str, debian)])


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
