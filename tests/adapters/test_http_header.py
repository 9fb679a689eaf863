"""A secret that no header can carry is refused before a library sees it, and never shown."""

from __future__ import annotations

import pytest

from bot.adapters.http_header import check_header
from bot.domain.errors import PermanentError


@pytest.mark.parametrize("value", ["", " ", "tok en", "token\n", "tökén", "a\0b"])
def test_what_is_no_header_is_refused_by_its_settings_name(value: str) -> None:
    with pytest.raises(PermanentError) as refused:
        check_header("TOCSIN_GITHUB_TOKEN", value)
    assert str(refused.value) == (
        "TOCSIN_GITHUB_TOKEN is empty, or holds blanks or letters beyond ASCII."
    )


def test_a_token_is_taken() -> None:
    check_header("TOCSIN_GITHUB_TOKEN", "github_pat_0123456789~!")
