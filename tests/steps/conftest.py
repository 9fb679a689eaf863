"""What the tests of step kinds share."""

from __future__ import annotations

import pytest

from tests.support.step_bench import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
