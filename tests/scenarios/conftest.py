"""One HTTP server for all stories, and a new Tocsin behind it for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.harness import Harness, harness
from tests.support.serve import serve
from tests.support.swap import Swap


@pytest.fixture(scope="session")
def server() -> Iterator[tuple[str, Swap]]:
    swap = Swap()
    with serve(swap) as url:
        yield url, swap


@pytest.fixture
def h(server: tuple[str, Swap], tmp_path: Path) -> Iterator[Harness]:
    url, swap = server
    with harness(url, swap, tmp_path) as made:
        yield made
