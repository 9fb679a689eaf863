"""Accepted webhooks per second and their latency, against yardsticks on the same machine.

All servers are started once and all but the measured one are paused. Every cell of the
table is measured on one server right after the other, `rounds` times over, so that
whatever else the machine does hits all of them alike; medians are shown.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.floor import Mode
from bench.loadgen import Load, Measurement, measure
from bench.servers import Running, floor, listener, running, tocsin

ALERTS = (1, 10, 100)
CONNECTIONS = (1, 8, 32)
YARDSTICKS = ("raw", "dedup", "echo")

THROUGHPUT_GOAL = 0.6
"""Of a floor's webhooks a second, at least."""

LATENCY_GOAL = 2.0
"""Times a floor's p99 at 32 connections, at most."""

WARM_UP = Load(alerts=1, connections=2, seconds=0.5)


@dataclass(frozen=True, slots=True)
class Cell:
    """The medians of one server under one load."""

    server: str
    alerts: int
    connections: int
    per_second: float
    p50_ms: float
    p99_ms: float
    refused: int


def run(seconds: float, rounds: int, folder: Path) -> dict[str, Any]:
    """Measure everything, print the table and return its figures."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(running(server))
            for server in (tocsin(folder), listener(folder), *(floor(m, folder) for m in Mode))
        ]
        for server in servers:
            _warm_up(server)
            server.pause()
        cells = list(_cells(servers, seconds, rounds))
    table = _table(cells)
    print("\n".join(table))
    return {"cells": [asdict(cell) for cell in cells], "table": table}


def _warm_up(server: Running) -> None:
    warm = measure(server.server.target, WARM_UP)
    if warm.refused or not warm.accepted:
        raise RuntimeError(f"{server.server.name} does not accept webhooks: {warm}")


def _cells(servers: Sequence[Running], seconds: float, rounds: int) -> Iterable[Cell]:
    for alerts, connections in itertools.product(ALERTS, CONNECTIONS):
        load = Load(alerts, connections, seconds)
        taken: dict[str, list[Measurement]] = {server.server.name: [] for server in servers}
        for _ in range(rounds):
            for server in servers:
                taken[server.server.name].append(_measure_alone(server, load))
        for name, measurements in taken.items():
            yield _cell(name, load, measurements)


def _measure_alone(server: Running, load: Load) -> Measurement:
    server.resume()
    try:
        return measure(server.server.target, load)
    finally:
        server.pause()


def _cell(name: str, load: Load, measurements: Sequence[Measurement]) -> Cell:
    return Cell(
        server=name,
        alerts=load.alerts,
        connections=load.connections,
        per_second=median(m.per_second for m in measurements),
        p50_ms=median(m.p50_ms for m in measurements),
        p99_ms=median(m.p99_ms for m in measurements),
        refused=sum(m.refused for m in measurements),
    )


def _table(cells: Sequence[Cell]) -> list[str]:
    found = {(cell.server, cell.alerts, cell.connections): cell for cell in cells}
    ratios = "".join(f"{f'x {name}':>9}" for name in YARDSTICKS)
    latencies = "".join(f"{f'p99 x {name}':>12}" for name in YARDSTICKS)
    head = f"{'server':10}{'alerts':>7}{'conns':>6}{'per s':>9}{'p50 ms':>9}{'p99 ms':>9}"
    lines = [head + ratios + latencies]
    for cell in cells:
        others = [found[name, cell.alerts, cell.connections] for name in YARDSTICKS]
        lines.append(_row(cell) + _ratios(cell, others))
    return [*lines, "", *_verdicts(found)]


def _row(cell: Cell) -> str:
    refused = f"  {cell.refused} REFUSED" if cell.refused else ""
    return (
        f"{cell.server:10}{cell.alerts:7}{cell.connections:6}"
        f"{cell.per_second:9.0f}{cell.p50_ms:9.2f}{cell.p99_ms:9.2f}{refused}"
    )


def _ratios(cell: Cell, others: Sequence[Cell]) -> str:
    if cell.server in YARDSTICKS:
        return ""
    throughput = "".join(f"{cell.per_second / other.per_second:9.2f}" for other in others)
    return throughput + "".join(f"{cell.p99_ms / other.p99_ms:12.2f}" for other in others)


def _verdicts(found: dict[tuple[str, int, int], Cell]) -> Iterable[str]:
    """For each floor, the worst ratio and whether the goal is met."""
    for name in (Mode.RAW, Mode.DEDUP):
        worst = min(
            found["tocsin", a, c].per_second / found[name, a, c].per_second
            for a, c in itertools.product(ALERTS, CONNECTIONS)
        )
        slowest = max(found["tocsin", a, 32].p99_ms / found[name, a, 32].p99_ms for a in ALERTS)
        yield (
            f"{name}: accepted at least {worst:.2f} x the floor ({_said(worst >= THROUGHPUT_GOAL)}:"
            f" {THROUGHPUT_GOAL}), p99 at 32 connections at most {slowest:.2f} x"
            f" ({_said(slowest <= LATENCY_GOAL)}: {LATENCY_GOAL})"
        )


def _said(met: bool) -> str:
    return "goal met" if met else "GOAL MISSED"
