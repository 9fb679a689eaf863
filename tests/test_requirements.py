"""The lock: what `make run` and `make test` install is pinned, hashed and consistent."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parent.parent


def locked(name: str) -> dict[str, Requirement]:
    """The requirements that requirements/`name` pins, by normalized name."""
    text = (REPOSITORY / "requirements" / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    pins = [Requirement(line.split(" --hash=")[0]) for line in lines]
    return {canonicalize_name(pin.name): pin for pin in pins}


def test_the_tests_run_on_the_versions_that_are_served() -> None:
    run, dev = locked("run.txt"), locked("dev.txt")

    assert run
    assert {name: dev.get(name) for name in run} == run


def test_what_the_project_asks_for_is_what_is_locked() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    run = locked("run.txt")

    for asked in map(Requirement, project["dependencies"]):
        (pin,) = run[canonicalize_name(asked.name)].specifier
        assert asked.specifier.contains(pin.version), f"{asked}: locked is {pin}"


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_the_lock_names_no_place_to_download_from(name: str) -> None:
    text = (REPOSITORY / "requirements" / name).read_text()

    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text
