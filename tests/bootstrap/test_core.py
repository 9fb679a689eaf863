from __future__ import annotations

import pytest

from bot.bootstrap.core import page_address
from bot.settings import Settings


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, ""),
        ({"TOCSIN_URL": "https://tocsin.example"}, "https://tocsin.example"),
        ({"TOCSIN_SANDBOX": "1", "TOCSIN_PORT": "9700"}, "http://127.0.0.1:9700"),
        ({"TOCSIN_SANDBOX": "1", "TOCSIN_URL": "https://t.example"}, "https://t.example"),
        ({"TOCSIN_SANDBOX": "1", "TOCSIN_PORT": "0"}, ""),
    ],
)
def test_messages_link_to_where_people_reach_the_pages(
    given: dict[str, str], wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert page_address(Settings()) == wanted
