from __future__ import annotations

import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from bot.domain.errors import InvalidInput
from bot.sandbox.addresses import SandboxAddresses, load_secret

ADDRESSES = SandboxAddresses("http://127.0.0.1:9655", "5" * 64)


def secrets_of(addresses: SandboxAddresses) -> list[str]:
    return [
        addresses.slack_token,
        addresses.slack_signing_secret,
        addresses.pagerduty_routing_key,
        addresses.pagerduty_webhook_secret,
    ]


def test_two_processes_derive_the_same() -> None:
    other = SandboxAddresses("http://127.0.0.1:9655", "5" * 64)

    assert secrets_of(other) == secrets_of(ADDRESSES)


def test_every_secret_is_another_and_depends_on_the_installations() -> None:
    other = SandboxAddresses("http://127.0.0.1:9655", "6" * 64)

    assert len({*secrets_of(ADDRESSES), *secrets_of(other)}) == 8


def test_the_routing_key_has_the_form_of_pagerdutys() -> None:
    assert len(ADDRESSES.pagerduty_routing_key) == 32
    assert ADDRESSES.pagerduty_routing_key.isalnum()


def test_the_secret_is_not_shown() -> None:
    assert ADDRESSES.secret not in repr(ADDRESSES)


def test_the_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"

    made = load_secret(folder)

    assert load_secret(folder) == made
    assert stat.S_IMODE((folder / "sandbox.secret").stat().st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == ["sandbox.secret"]


def test_two_installations_have_different_secrets(tmp_path: Path) -> None:
    assert load_secret(tmp_path / "one") != load_secret(tmp_path / "other")


def test_processes_that_start_together_get_the_same_secret(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(50)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        one = processes.map(load_secret, folders)
        other = processes.map(load_secret, folders)

        assert list(one) == list(other)


def test_a_file_without_a_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sandbox.secret").write_text("\n")

    with pytest.raises(InvalidInput, match="delete it"):
        load_secret(tmp_path)
