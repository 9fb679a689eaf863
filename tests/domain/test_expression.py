from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.expression import LONGEST_EXPRESSION, expression_of


@pytest.mark.parametrize(
    ("url", "expression"),
    [
        ("http://prometheus:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1", "up == 0"),
        ("/graph?g0.tab=1&g0.expr=up%20%3E%200", "up > 0"),
        ("/graph?g0.expr=a%2Bb&g1.expr=other#fragment", "a+b"),
        ("/graph?g0.expr=caf%C3%A9", "café"),
        ("/graph?g0.expr=", ""),
        ("/graph?xg0.expr=up", ""),
        ("/graph#?g0.tab=1", ""),
        ("http://grafana/alerting/1/edit", ""),
        ("", ""),
    ],
)
def test_the_expression_is_read_from_prometheus_link(url: str, expression: str) -> None:
    assert expression_of(url) == expression


def test_a_huge_link_is_cut() -> None:
    assert expression_of("/graph?g0.expr=" + "x" * 1_000_000) == "x" * LONGEST_EXPRESSION
    assert expression_of("/graph?" + "&" * 1_000_000 + "g0.expr=up") == ""


@given(st.text())
def test_garbage_raises_nothing(garbage: str) -> None:
    assert len(expression_of(garbage)) <= LONGEST_EXPRESSION
    assert len(expression_of("?g0.expr=" + garbage)) <= LONGEST_EXPRESSION


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_what_was_written_is_read(expression: str) -> None:
    url = "http://prometheus/graph?" + urlencode({"g0.expr": expression, "g0.tab": "1"})
    assert expression_of(url) == expression.strip()
