"""Metrics of several processes, in processes of their own: the library decides at its import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

SET = """
from bot.adapters.metrics import PrometheusCounters
PrometheusCounters().gauge("responses_overdue", {}, "P0")
"""
SHOW = """
from pathlib import Path
from bot.adapters.metrics import PrometheusCounters, exposition
PrometheusCounters()
print(exposition(Path({!r})).decode())
"""


def run(program: str, folder: Path) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY),
        "PROMETHEUS_MULTIPROC_DIR": str(folder),
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_of_a_gauge_the_process_that_looked_last_is_right(tmp_path: Path) -> None:
    for value in (3, 1):
        run(SET.format(value), tmp_path)
    shown = run(SHOW.format(str(tmp_path)), tmp_path).splitlines()
    assert 'tocsin_responses_overdue{severity="P0"} 1.0' in shown
    assert not [line for line in shown if line.startswith("tocsin_pages_unconfirmed{")]
