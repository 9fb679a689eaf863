"""What a start refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.domain.errors import InvalidInput
from bot.processes import prepare
from bot.settings import Settings
from tests.support.databases import sqlite_database
from tests.support.examples import NOW

REPOSITORY = Path(__file__).resolve().parent.parent
UNKNOWN = "fallback:\n  - notifier: sms\n"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A sandbox with policies of its own."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    shutil.copytree(REPOSITORY / "policy", tmp_path / "policy")
    monkeypatch.setenv("TOCSIN_SANDBOX", "1")
    monkeypatch.setenv("TOCSIN_RUNBOOKS", str(REPOSITORY / "runbooks"))
    monkeypatch.setenv("TOCSIN_POLICY", str(tmp_path / "policy"))
    monkeypatch.setenv("TOCSIN_DATABASE_URL", sqlite_database(tmp_path))
    return Settings()


def test_the_shipped_policies_start(settings: Settings) -> None:
    prepare(settings)


def test_a_policy_that_names_an_unknown_notifier_does_not_start(settings: Settings) -> None:
    (settings.policy / "routing.yaml").write_text(UNKNOWN)
    with pytest.raises(InvalidInput, match="“sms”"):
        prepare(settings)


def test_the_version_that_was_in_use_before_starts(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    _was_in_use(settings, (settings.policy / "routing.yaml").read_text())
    (settings.policy / "routing.yaml").write_text(UNKNOWN)
    prepare(settings)
    assert "“sms”" in capsys.readouterr().err


def test_a_version_before_that_can_not_be_used_either_does_not_start(settings: Settings) -> None:
    _was_in_use(settings, UNKNOWN)
    (settings.policy / "routing.yaml").write_text("fallback: 7\n")
    with pytest.raises(InvalidInput, match="“sms”"):
        prepare(settings)


def test_notifiers_that_can_not_be_used_do_not_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_NOTIFIERS", "sms=nonsense://x")
    with pytest.raises(InvalidInput, match="no service of Apprise"):
        prepare(Settings())


def _was_in_use(settings: Settings, text: str) -> None:
    store = SqlStore(database.create(settings.database_url), lambda *_: None)
    with store.transaction() as tx:
        tx.keep_policy("digest", "routing.yaml", text, NOW)
