"""Runs the benchmarks: ``python -m bench [--quick] [NAME]``, of `BENCHES`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import (
    classification,
    fallback,
    intake,
    paging,
    recovery,
    runbooks,
    storm,
    storm_pages,
    webhooks,
)
from bench.servers import REPOSITORY

RESULTS = REPOSITORY / "var" / "bench"


BENCHES: Mapping[str, Callable[[bool, Path], dict[str, Any]]] = {
    "webhooks": lambda quick, folder: webhooks.run(
        seconds=0.4 if quick else 1.5, rounds=1 if quick else 3, folder=folder
    ),
    "paging": lambda quick, folder: paging.run(pages=10 if quick else 35, folder=folder),
    "classification": lambda quick, folder: classification.run(3 if quick else 9, folder),
    "intake": lambda quick, folder: intake.run(20_000 if quick else 1_000_000, folder),
    "runbooks": lambda quick, folder: runbooks.run(2 if quick else 9, folder),
    "storm": lambda quick, folder: storm.run(20 if quick else 100, folder),
    "storm_pages": lambda quick, folder: storm_pages.run(20 if quick else 100, folder),
    "recovery": lambda quick, folder: recovery.run(1 if quick else 3, folder),
    "fallback": lambda _quick, folder: fallback.run(folder),
}
"""By name, what measures, prints and returns the figures: quickly or not, in that folder."""

ONLY_BY_NAME = ("fallback",)
"""What takes minutes, most of them waiting."""


def main() -> None:
    arguments = _arguments()
    everything = [name for name in BENCHES if name not in ONLY_BY_NAME]
    for name in [arguments.only] if arguments.only else everything:
        # On the disk of the data, not in /tmp, which may be memory.
        RESULTS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=RESULTS) as folder:
            _save(name, BENCHES[name](arguments.quick, Path(folder)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Measure Tocsin on this machine.")
    parser.add_argument("only", nargs="?", choices=list(BENCHES), help="this one alone")
    parser.add_argument("--quick", action="store_true", help="a rough picture in half a minute")
    return parser.parse_args()


def _save(name: str, figures: dict[str, Any]) -> None:
    machine = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": platform.system(),
    }
    file = RESULTS / f"{name}.json"
    taken_at = datetime.now(UTC).isoformat(timespec="seconds")
    file.write_text(json.dumps({"taken_at": taken_at, "machine": machine, **figures}, indent=2))
    print(f"written to {file.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
