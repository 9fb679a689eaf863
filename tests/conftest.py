"""What every test shares: the shared folder, hypothesis' effort, and the `cluster` mark."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parent.parent

# No deadline: on a busy machine it would measure the neighbours. In CI the examples are
# the same every time; HYPOTHESIS_PROFILE=nightly is for looking further.
settings.register_profile(
    "bounded", max_examples=100, deadline=None, derandomize="CI" in os.environ
)
settings.register_profile("nightly", max_examples=5_000, deadline=None, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "bounded"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first; where there is no cluster, its tests are skipped."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
    if os.environ.get("TOCSIN_TEST_KUBECONFIG"):
        return
    reason = "TOCSIN_TEST_KUBECONFIG is not set: it names a test cluster's kubeconfig"
    for item in items:
        if item.get_closest_marker("cluster"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of samples, contracts and seeds that lies beside the repository."""
    folder = Path(os.environ.get("TOCSIN_SHARED", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"the shared folder is missing: {folder} (TOCSIN_SHARED may name it)")
    return folder
