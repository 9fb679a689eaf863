"""The address of the external heartbeat: in the clear it goes on this machine only."""

from __future__ import annotations

import pytest

from bot.domain.errors import InvalidInput
from bot.settings import load


@pytest.mark.parametrize(
    "url",
    [
        "https://hc-ping.com/0000",
        "http://127.0.0.1:8000/ping",
        "http://localhost/ping",
        "http://[::1]:8000/ping",
    ],
)
def test_an_address_that_may_be_asked(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("TOCSIN_HEARTBEAT_URL", url)
    given = load().heartbeat_url
    assert given is not None
    assert given.get_secret_value() == url


@pytest.mark.parametrize(
    "url",
    [
        "http://hc-ping.com/secret",
        "http://127.0.0.1.example.com/secret",
        "ftp://127.0.0.1/secret",
        "file:///etc/secret",
        "https:///secret",
        "secret",
    ],
)
def test_another_one_is_refused_without_being_repeated(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("TOCSIN_HEARTBEAT_URL", url)
    with pytest.raises(InvalidInput, match=r"TOCSIN_HEARTBEAT_URL: .*https address") as raised:
        load()
    assert "secret" not in str(raised.value)
