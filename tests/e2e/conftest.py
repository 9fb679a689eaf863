"""Tocsin with its vendors, as the tests here need it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import LOG, TOKENS, Tocsin, kept
from tests.support.policies import NO_STORM, policies
from tests.support.vendors import Vendors, vendors


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tocsin")


@pytest.fixture(scope="module")
def installed(folder: Path) -> Iterator[tuple[Tocsin, Vendors]]:
    """Tocsin, which was not started yet, and the stand-ins that its settings lead to."""
    tocsin = Tocsin(folder)
    with vendors(tocsin.url, folder) as served, kept(tocsin):
        calm = policies(folder / "calm", {"storm": NO_STORM})
        tocsin.settings = {**TOKENS, **served.settings, "TOCSIN_POLICY": str(calm)}
        yield tocsin, served


@pytest.fixture(scope="module")
def tocsin(installed: tuple[Tocsin, Vendors]) -> Tocsin:
    return installed[0]


@pytest.fixture(scope="module")
def served(installed: tuple[Tocsin, Vendors]) -> Vendors:
    return installed[1]


@pytest.fixture(autouse=True)
def _what_it_said(folder: Path) -> Iterator[None]:
    """Print what Tocsin said during a test; pytest shows it when the test fails."""
    log = folder / LOG
    before = log.stat().st_size if log.exists() else 0
    yield
    if log.exists():
        print(log.read_bytes()[before:].decode(errors="replace"))
