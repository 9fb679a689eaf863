"""A folder of policies that a test may change."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support.installation import REPOSITORY

NO_STORM = {"incidents": 1000, "critical": 5, "within": "5m"}
"""However many incidents are opened, each has its own."""

QUICK: Mapping[str, Any] = {
    "storm": NO_STORM,
    "flapping": {"rejoin": "5m", "first_wait": "2s", "longest_wait": "4s"},
    "heartbeats": [
        {"id": "watchdog", "match": ['alertname="Watchdog"'], "silent_for": "5s", "by": ["cluster"]}
    ],
}
"""Parts of routing.yaml: no wait is longer than a test's patience, and nothing is a storm."""


def policies(folder: Path, routing: Mapping[str, Any] = QUICK) -> Path:
    """A copy of the shipped policies in `folder`, with these parts of routing.yaml instead."""
    copy = folder / "policy"
    shutil.copytree(REPOSITORY / "policy", copy)
    file = copy / "routing.yaml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **routing}))
    return copy
