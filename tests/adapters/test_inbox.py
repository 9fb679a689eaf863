"""The inbox: what it acknowledged is there, whatever happens to process or disk."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import psycopg
import pytest

from bot.adapters.inbox import BATCH, MAX_WAITING, MAX_WAITING_BYTES, Inbox
from bot.adapters.inbox_connection import inbox_file
from bot.domain.errors import PermanentError, TemporaryError
from bot.ports import Source
from tests.support.postgres import PostgresServer, postgres

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres() as running:
        yield running


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/tocsin.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database without an inbox."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    server: PostgresServer = request.getfixturevalue("server")
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS inbox")
    return server.url


@contextmanager
def opened(database_url: str) -> Iterator[Inbox]:
    inbox = Inbox(database_url)
    try:
        yield inbox
    finally:
        inbox.close()


def keep(inbox: Inbox, *bodies: bytes) -> None:
    """Add the bodies all at once, and wait until all are acknowledged."""

    async def main() -> None:
        await asyncio.gather(*[inbox.add(Source.ALERTMANAGER, body) for body in bodies])

    asyncio.run(main())


def bodies_in(inbox: Inbox) -> list[bytes]:
    return [row.body for row in inbox.read(limit=100_000)]


@contextmanager
def locked(sqlite_url: str) -> Iterator[None]:
    """Hold the write lock of the inbox's file."""
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///").replace(".db", ".inbox.db"))
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


def test_rows_are_read_in_the_order_they_came(database_url: str) -> None:
    before = time.time()
    with opened(database_url) as inbox:
        keep(inbox, b"first")
        keep(inbox, b"\x00\xff second")
        keep(inbox, b"third")
        rows = inbox.read(limit=2)

    assert [row.body for row in rows] == [b"first", b"\x00\xff second"]
    assert rows[0].id < rows[1].id
    assert {row.source for row in rows} == {Source.ALERTMANAGER}
    assert before <= rows[0].received_at <= rows[1].received_at <= time.time()


def test_the_source_is_kept(database_url: str) -> None:
    async def add(inbox: Inbox) -> None:
        await inbox.add(Source.PAGERDUTY, b"{}")

    with opened(database_url) as inbox:
        asyncio.run(add(inbox))
        assert [row.source for row in inbox.read(limit=1)] == [Source.PAGERDUTY]


def test_another_process_puts_durably_and_among_what_webhooks_bring(database_url: str) -> None:
    with opened(database_url) as listener, opened(database_url) as worker:
        keep(listener, b"webhook")
        worker.put(Source.RECONCILE, b"found")
        keep(listener, b"another")
        rows = listener.read(limit=4)

    assert [row.body for row in rows] == [b"webhook", b"found", b"another"]
    assert rows[1].source is Source.RECONCILE
    assert abs(rows[1].received_at - time.time()) < 60


def test_what_cannot_be_put_is_said(sqlite_url: str) -> None:
    with opened(sqlite_url) as inbox:
        with locked(sqlite_url), pytest.raises(TemporaryError, match="locked"):
            inbox.put(Source.API, b"[]")

        assert bodies_in(inbox) == []


def test_what_is_removed_is_gone_and_its_id_is_not_used_again(database_url: str) -> None:
    with opened(database_url) as inbox:
        keep(inbox, b"a", b"b")
        first, second = (row.id for row in inbox.read(limit=2))
        inbox.remove([second])
        assert [row.id for row in inbox.read(limit=2)] == [first]
        inbox.remove([first, second])
        inbox.remove([])
        assert inbox.size() == 0

    with opened(database_url) as inbox:
        keep(inbox, b"c")
        (row,) = inbox.read(limit=2)
        assert row.id > second


def test_what_is_in_the_inbox_outlives_the_process(database_url: str) -> None:
    with opened(database_url) as inbox:
        keep(inbox, b"a", b"b")

    with opened(database_url) as inbox:
        assert sorted(bodies_in(inbox)) == [b"a", b"b"]
        assert inbox.size() == 2


def test_processes_that_start_at_once_all_get_their_inbox(database_url: str) -> None:
    number = 8
    together = Barrier(number)

    def start(_: int) -> int:
        together.wait()
        with opened(database_url) as inbox:
            return inbox.size()

    with ThreadPoolExecutor(number) as threads:
        assert list(threads.map(start, range(number))) == [0] * number


def test_what_waits_together_is_committed_together(sqlite_url: str) -> None:
    commits = []
    inbox = Inbox(sqlite_url, on_commit=lambda: commits.append(1))
    bodies = [b"%d" % number for number in range(3 * BATCH)]

    async def main() -> None:
        with locked(sqlite_url):
            waiting = [inbox.add(Source.ALERTMANAGER, body) for body in bodies]
        await asyncio.gather(*waiting)

    asyncio.run(main())
    inbox.close()

    # The first commit may have begun with one body; the rest make at most three more.
    assert 1 <= len(commits) <= 4
    with opened(sqlite_url) as inbox:
        assert bodies_in(inbox) == bodies


def test_a_callback_that_fails_stops_nothing(sqlite_url: str) -> None:
    def fail() -> None:
        raise OSError("nobody listens")

    inbox = Inbox(sqlite_url, on_commit=fail)
    keep(inbox, b"a")
    keep(inbox, b"b")

    assert bodies_in(inbox) == [b"a", b"b"]
    inbox.close()


def test_closing_commits_what_is_waiting(database_url: str) -> None:
    bodies = [b"%d" % number for number in range(2 * BATCH)]

    async def main() -> None:
        inbox = Inbox(database_url)
        for body in bodies:
            inbox.add(Source.ALERTMANAGER, body)
        inbox.close()

    asyncio.run(main())

    with opened(database_url) as inbox:
        assert bodies_in(inbox) == bodies


def test_a_sender_that_gave_up_disturbs_no_other(sqlite_url: str) -> None:
    async def main(inbox: Inbox) -> None:
        with locked(sqlite_url):
            impatient = inbox.add(Source.ALERTMANAGER, b"impatient")
            patient = inbox.add(Source.ALERTMANAGER, b"patient")
            impatient.cancel()
        await patient

    with opened(sqlite_url) as inbox:
        asyncio.run(main(inbox))
        assert b"patient" in bodies_in(inbox)


def test_all_that_a_killed_process_acknowledged_is_there(database_url: str) -> None:
    command = [sys.executable, "-m", "tests.support.inbox_writer", database_url]
    writer = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline() for _ in range(500)]
    writer.kill()
    acknowledged += writer.stdout.readlines()
    writer.wait()

    with opened(database_url) as inbox:
        kept = bodies_in(inbox)
    assert len(kept) == len(set(kept))
    assert {line.strip() for line in acknowledged} <= set(kept)


def test_a_full_disk_is_reported_and_survived(tmp_path: Path) -> None:
    with small_disk(tmp_path), opened(f"sqlite:///{tmp_path}/tocsin.db") as inbox:
        ballast = tmp_path / "ballast"
        fill(ballast)
        with pytest.raises(TemporaryError, match="full"):
            keep(inbox, b"x" * 100_000)

        ballast.unlink()
        keep(inbox, b"afterwards")
        assert bodies_in(inbox) == [b"afterwards"]


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a file system of one megabyte on the folder."""
    options = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    mounted = subprocess.run(["mount", *options], check=False, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small file system can't be mounted here: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(file: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        write_without_end(file)


def write_without_end(file: Path) -> None:
    with file.open("wb", buffering=0) as writing:
        while True:
            writing.write(bytes(4096))


def test_a_file_that_can_t_grow_is_reported_and_survived(sqlite_url: str) -> None:
    with opened(sqlite_url) as inbox:
        keep(inbox, b"before")
        with files_limited_to(200_000), pytest.raises(TemporaryError):
            keep(inbox, b"x" * 400_000)

        keep(inbox, b"afterwards")
        assert bodies_in(inbox) == [b"before", b"afterwards"]


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_database_locked_for_long_is_reported_and_survived(sqlite_url: str) -> None:
    with opened(sqlite_url) as inbox:
        with locked(sqlite_url), pytest.raises(TemporaryError, match="locked"):
            keep(inbox, b"during")

        keep(inbox, b"afterwards")
        assert bodies_in(inbox) == [b"afterwards"]


def test_a_read_only_database_is_reported_and_survived(server: PostgresServer) -> None:
    with opened(server.url) as inbox, psycopg.connect(server.url, autocommit=True) as operator:
        operator.execute("SET default_transaction_read_only = off")
        operator.execute("TRUNCATE inbox")
        operator.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        operator.execute("SELECT pg_reload_conf()")
        try:
            with pytest.raises(TemporaryError, match="read-only"):
                keep_until_refused(inbox)
        finally:
            operator.execute("ALTER SYSTEM RESET default_transaction_read_only")
            operator.execute("SELECT pg_reload_conf()")

        keep_until_accepted(inbox, b"afterwards")
        assert bodies_in(inbox)[-1] == b"afterwards"


def test_a_restart_of_the_server_is_reported_and_survived(server: PostgresServer) -> None:
    with opened(server.url) as inbox:
        keep(inbox, b"before")
        server.stop()
        try:
            with pytest.raises(TemporaryError):
                keep(inbox, b"during")
        finally:
            server.start()

        keep(inbox, b"afterwards")
        assert bodies_in(inbox)[-2:] == [b"before", b"afterwards"]


def keep_until_refused(inbox: Inbox) -> None:
    """Add until it fails: a running server takes a setting over a moment later."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        keep(inbox, b"before")


def keep_until_accepted(inbox: Inbox, body: bytes) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            return keep(inbox, body)
        except TemporaryError:
            if time.monotonic() > deadline:
                raise


@pytest.mark.parametrize(
    ("number", "body"),
    [(MAX_WAITING, b"small"), (4, bytes(MAX_WAITING_BYTES // 4))],
    ids=["requests", "bytes"],
)
def test_what_may_wait_is_bounded(sqlite_url: str, number: int, body: bytes) -> None:
    async def main(inbox: Inbox) -> None:
        with locked(sqlite_url):
            waiting = [inbox.add(Source.ALERTMANAGER, body) for _ in range(number)]
            with pytest.raises(TemporaryError, match="waiting"):
                inbox.add(Source.ALERTMANAGER, b"one too many")
        await asyncio.gather(*waiting)
        await inbox.add(Source.ALERTMANAGER, b"afterwards")

    with opened(sqlite_url) as inbox:
        asyncio.run(main(inbox))
        assert inbox.size() == number + 1


def test_an_inbox_that_can_t_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(TemporaryError, match="unable to open"):
        Inbox(f"sqlite:///{tmp_path}/missing/tocsin.db")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/tocsin"])
def test_only_databases_that_keep_what_they_hold_are_taken(url: str) -> None:
    with pytest.raises(PermanentError, match="TOCSIN_DATABASE_URL"):
        Inbox(url)


@pytest.mark.parametrize(
    ("database", "inbox"),
    [("var/tocsin.db", "var/tocsin.inbox.db"), ("/data/tocsin", "/data/tocsin.inbox")],
)
def test_the_inbox_lies_beside_the_database(database: str, inbox: str) -> None:
    assert inbox_file(Path(database)) == Path(inbox)
