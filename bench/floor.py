"""The floor: the least that a durable receiver of webhooks must do, as a yardstick.

A bare ASGI application under the same server, with the same group commit (one writer
thread, SQLite in WAL with synchronous=FULL), and none of Tocsin's checks. By MODE:

    echo    read the body, answer
    raw     the body into a table, commit, answer
    dedup   parse it; the body, a row per group and a row per alert into tables,
            existing ones updated; commit, answer

Run by uvicorn as ``bench.floor:app`` (a factory), configured by FLOOR_MODE and FLOOR_DATABASE.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

GROUP = 256
"""Requests in one commit at most."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TABLES = """
CREATE TABLE IF NOT EXISTS webhook (id INTEGER PRIMARY KEY, at REAL, body BLOB);
CREATE TABLE IF NOT EXISTS alert_group (
    group_key TEXT PRIMARY KEY, status TEXT, at REAL, seen INTEGER
);
CREATE TABLE IF NOT EXISTS alert (
    fingerprint TEXT PRIMARY KEY, group_key TEXT, status TEXT, severity TEXT,
    first REAL, last REAL, seen INTEGER, labels TEXT
) WITHOUT ROWID;
"""
ADD_WEBHOOK = "INSERT INTO webhook (at, body) VALUES (?, ?)"
ADD_GROUP = """
INSERT INTO alert_group VALUES (?, ?, ?, 1)
ON CONFLICT (group_key) DO UPDATE SET status = excluded.status, at = excluded.at, seen = seen + 1
"""
ADD_ALERT = """
INSERT INTO alert VALUES (?, ?, ?, ?, ?, ?, 1, ?)
ON CONFLICT (fingerprint) DO UPDATE
SET status = excluded.status, last = excluded.last, seen = seen + 1
"""


class Mode(StrEnum):
    """How much is done with a webhook."""

    ECHO = "echo"
    RAW = "raw"
    DEDUP = "dedup"


@dataclass(frozen=True, slots=True)
class Request:
    body: bytes
    parsed: Any
    committed: asyncio.Future[None]


class Writer:
    """Commits what is waiting, all of it at once."""

    def __init__(self, mode: Mode, database: str) -> None:
        self._mode = mode
        self._database = database
        self._queue: queue.SimpleQueue[Request] = queue.SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def add(self, body: bytes) -> asyncio.Future[None]:
        parsed = json.loads(body) if self._mode is Mode.DEDUP else None
        committed = asyncio.get_running_loop().create_future()
        self._queue.put(Request(body, parsed, committed))
        return committed

    def _run(self) -> None:
        connection = sqlite3.connect(self._database, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(TABLES)
        while True:
            group = self._next_group()
            self._commit(connection, group)
            group[0].committed.get_loop().call_soon_threadsafe(acknowledge, group)

    def _next_group(self) -> list[Request]:
        group = [self._queue.get()]
        while len(group) < GROUP and not self._queue.empty():
            group.append(self._queue.get())
        return group

    def _commit(self, connection: sqlite3.Connection, group: list[Request]) -> None:
        now = time.time()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(ADD_WEBHOOK, [(now, request.body) for request in group])
        if self._mode is Mode.DEDUP:
            for request in group:
                deduplicate(connection, request.parsed, now)
        connection.execute("COMMIT")


def deduplicate(connection: sqlite3.Connection, webhook: Any, now: float) -> None:
    key = webhook["groupKey"]
    connection.execute(ADD_GROUP, (key, webhook["status"], now))
    connection.executemany(ADD_ALERT, [alert_row(alert, key, now) for alert in webhook["alerts"]])


def alert_row(alert: Any, key: str, now: float) -> tuple[object, ...]:
    labels = alert["labels"]
    severity = labels.get("severity")
    return (
        *(alert["fingerprint"], key, alert["status"], severity, now, now),
        json.dumps(labels),
    )


def acknowledge(group: list[Request]) -> None:
    for request in group:
        request.committed.set_result(None)


class Floor:
    """The receiver as an ASGI application."""

    def __init__(self, mode: Mode, database: str) -> None:
        self._writer = None if mode is Mode.ECHO else Writer(mode, database)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        body = await read(receive)
        if self._writer is not None:
            await self._writer.add(body)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"11")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"ok":true}'})


async def read(receive: Receive) -> bytes:
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return bytes(body)


def app() -> Floor:
    """The application that the environment describes, for ``uvicorn --factory``."""
    return Floor(Mode(os.environ["FLOOR_MODE"]), os.environ["FLOOR_DATABASE"])
