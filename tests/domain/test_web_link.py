"""Links from outside are shown by their host, and only if they lead to the web."""

from __future__ import annotations

import pytest

from bot.domain.web_link import WebLink, web_link


def test_a_link_is_shown_by_its_host() -> None:
    link = web_link("https://Wiki.example.com:8443/runbooks/restart/?a=1&b=2#top")
    assert link is not None
    assert (link.host, link.end) == ("wiki.example.com:8443", "restart")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "restart",
        "//wiki.example.com/restart",
        "javascript:alert(1)//restart",
        "file:///etc/passwd",
        "data:text/html,restart",
        "https://",
        "https:///restart",
        "https://good.example@evil.example/restart",
        "https://wiki.example.com/<!channel>",
        "https://wiki.example.com/a|b",
        "https://wiki.example.com/a b",
        "https://wiki.example.com/a\nb",
        'https://wiki.example.com/"onclick=',
        "https://wiki.example.com/\N{RIGHT-TO-LEFT OVERRIDE}",
        "https://wiki\N{CYRILLIC SMALL LETTER A}.example/restart",
        "https://[::1/restart",
        "https://<evil>/",
        "https://wiki.example.com/" + "a" * 2_000,
    ],
)
def test_all_else_is_no_link(url: str) -> None:
    assert web_link(url) is None


def test_an_address_without_a_path_ends_in_nothing() -> None:
    assert WebLink("h", "https://h").end == ""
