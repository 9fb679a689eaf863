"""Runs the benchmarks: ``python -m bench [--quick] [webhooks | paging]``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import paging, webhooks
from bench.servers import REPOSITORY

RESULTS = REPOSITORY / "var" / "bench"


def main() -> None:
    arguments = _arguments()
    for name in [arguments.only] if arguments.only else ["webhooks", "paging"]:
        # On the disk of the data, not in /tmp, which may be memory.
        RESULTS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=RESULTS) as folder:
            _save(name, _run(name, arguments.quick, Path(folder)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Measure Tocsin on this machine.")
    parser.add_argument("only", nargs="?", choices=["webhooks", "paging"], help="this one alone")
    parser.add_argument("--quick", action="store_true", help="a rough picture in half a minute")
    return parser.parse_args()


def _run(name: str, quick: bool, folder: Path) -> dict[str, Any]:
    if name == "paging":
        return paging.run(pages=20 if quick else 200, folder=folder)
    return webhooks.run(seconds=0.4 if quick else 1.5, rounds=1 if quick else 3, folder=folder)


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
