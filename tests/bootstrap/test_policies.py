from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.policy_folder import PolicyFile
from bot.bootstrap.policies import load_routing_for, parse_routing_for
from bot.domain.errors import InvalidInput
from bot.settings import Settings

KNOWN = b"fallback:\n  - notifier: mail\n"
UNKNOWN = b"fallback:\n  - notifier: sms\n"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TOCSIN_NOTIFIERS", "mail=mailto://user:pass@smtp.example.test")
    return Settings()


def test_notifiers_that_are_set_may_be_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "routing.yaml").write_bytes(KNOWN)
    policy = parse_routing_for(settings)(KNOWN, "routing.yaml")
    assert load_routing_for(settings)(tmp_path / "routing.yaml").digest == policy.digest


def test_others_are_refused_by_name_at_start_and_from_the_file(
    settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match=r"^routing\.yaml: .*“sms”\.$"):
        parse_routing_for(settings)(UNKNOWN, "routing.yaml")
    (tmp_path / "routing.yaml").write_bytes(UNKNOWN)
    with pytest.raises(InvalidInput, match="“sms”"):
        load_routing_for(settings)(tmp_path / "routing.yaml")


def test_a_change_that_names_an_unknown_notifier_leaves_the_old_policy_in_use(
    settings: Settings, tmp_path: Path
) -> None:
    path, refused = tmp_path / "routing.yaml", list[str]()
    path.write_bytes(KNOWN)
    file = PolicyFile(path, parse_routing_for(settings), lambda *_: None, refused.append)
    before = file.current
    path.write_bytes(UNKNOWN)
    assert [file.look(), file.look()] == [False, False]
    assert file.current is before
    (problem,) = refused
    assert "“sms”" in problem
    assert "stays in use" in problem
