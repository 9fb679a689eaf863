"""After SIGKILL: how long until a page goes out that was accepted before, restart included.

Once the worker alone is killed, and once the whole program. The worker is stopped first, so
that what was accepted has surely not been worked in when the kill comes.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from bench.paging import NO_STORM, Receiver, page_webhook, paging_to, post, receiving
from bench.servers import Running, running

GOAL = 30.0
"""Seconds from the kill to the page, at most (issue 4, "Speed")."""


def run(rounds: int, folder: Path) -> dict[str, Any]:
    """Measure, print the lines and return the figures."""
    figures: dict[str, Any] = {}
    with receiving() as receiver:
        server = paging_to(receiver, folder, {"storm": NO_STORM})
        with running(server) as started:
            for name, kill in (("worker", _kill_worker), ("program", Running.restart)):
                times = [_after(started, receiver, f"{name}{n}-", kill) for n in range(rounds)]
                figures[f"{name}_s"] = times
                print(
                    f"from SIGKILL of the {name} to the page: median {median(times):.1f} s, at"
                    f" most {max(times):.1f} s (goal: at most {GOAL:g} s;"
                    f" {'met' if max(times) <= GOAL else 'NOT MET'})"
                )
    return figures


def _after(
    started: Running, receiver: Receiver, name: str, kill: Callable[[Running], None]
) -> float:
    """Seconds from the kill to the page that was accepted right before it."""
    mark = f"Recovery-{name}"
    os.kill(started.child("worker"), signal.SIGSTOP)
    post(started.server, page_webhook(mark))
    killed = time.perf_counter()
    kill(started)
    return receiver.wait_for(mark.encode()) - killed


def _kill_worker(started: Running) -> None:
    os.kill(started.child("worker"), signal.SIGKILL)
