"""What a load balancer is told about listener and worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.domain.errors import TemporaryError
from bot.domain.replicas import Pulse
from bot.entrypoints.health import Health
from tests.support.databases import sqlite_database


def answer(folder: Path, inbox_size: Callable[[], int], pulse: Pulse) -> tuple[int, Any]:
    store = SqlStore(database.create(sqlite_database(folder)), lambda *_: None)
    health = Health(store, inbox_size, lambda: pulse)
    client = TestClient(Starlette(routes=[Route("/healthz", health.ready)]))
    found = client.get("/healthz")
    return found.status_code, found.json()


@pytest.mark.parametrize("pulse", Pulse)
def test_alerts_are_taken_whatever_the_worker_does(tmp_path: Path, pulse: Pulse) -> None:
    told = {"status": "ok", "inbox": 3, "worker": pulse.value}
    assert answer(tmp_path, lambda: 3, pulse) == (200, told)


def test_without_an_inbox_it_is_not_ready(tmp_path: Path) -> None:
    def refuses() -> int:
        raise TemporaryError("the disk is full")

    status, told = answer(tmp_path, refuses, Pulse.OK)
    assert (status, told) == (503, {"status": "unavailable", "error": "the disk is full"})
