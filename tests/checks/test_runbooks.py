"""`tocsin check` finds schedules and suggestions that fit no runbook."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.checks.runbooks import check_asked_for
from bot.domain.errors import InvalidInput
from bot.settings import Settings
from tests.support.databases import sqlite_database

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def settings(folder: Path, routing: str | None = None) -> Settings:
    """With the shipped policies, but for another routing policy where one is given."""
    policy = folder / "policy"
    shutil.copytree(REPOSITORY / "policy", policy)
    if routing is not None:
        (policy / "routing.yaml").write_text(routing, encoding="utf-8")
    given = {
        "TOCSIN_POLICY": policy,
        "TOCSIN_RUNBOOKS": REPOSITORY / "runbooks",
        "TOCSIN_DATABASE_URL": sqlite_database(folder),
    }
    return Settings.model_validate(given)


def test_what_is_shipped_fits(tmp_path: Path) -> None:
    assert check_asked_for(settings(tmp_path)) == "0 schedules, 4 suggestions"


def test_all_that_does_not_fit_is_said_at_once(tmp_path: Path) -> None:
    routing = """
schedules:
  - {id: nightly, runbook: restrat, cron: "0 3 * * *"}
  - {id: weekly, runbook: restart, cron: "0 3 * * 1"}
  - {id: good, runbook: restart, cron: "0 3 * * 1", parameters: {workload: shop/checkout}}
suggestions:
  - {id: free, match: ['a="b"'], runbook: failover, parameters: {service: a/b, to: "${labels.to}"}}
"""
    with pytest.raises(InvalidInput) as caught:
        check_asked_for(settings(tmp_path, routing))
    nightly, weekly, free = str(caught.value).splitlines()
    assert nightly.startswith("schedule nightly: ")
    assert "did you mean restart?" in nightly
    assert weekly.startswith("schedule weekly: workload is missing")
    assert free == "suggestion free: to is a text of one line; no label may fill that."
