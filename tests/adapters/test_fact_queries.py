from __future__ import annotations

import pytest

from bot.adapters.fact_queries import parse_comparison, parse_query
from bot.domain.errors import InvalidInput
from bot.domain.facts import Comparison


@pytest.mark.parametrize(
    ("text", "comparison"),
    [
        ("pods-not-ready >= 0.5", Comparison("pods-not-ready", ">=", 0.5)),
        ("firing>=20", Comparison("firing", ">=", 20)),
        (" a < .5 ", Comparison("a", "<", 0.5)),
        ("a <= -1", Comparison("a", "<=", -1)),
        ("a > 14.4", Comparison("a", ">", 14.4)),
    ],
)
def test_comparisons_are_read(text: str, comparison: Comparison) -> None:
    assert parse_comparison(text) == comparison
    assert parse_comparison(str(comparison)) == comparison


@pytest.mark.parametrize(
    "text", ["", "a", "a >=", "a = 1", "a == 1", "a >= b", "A > 1", "a > 1 2", "a > 1e400", "0 < a"]
)
def test_what_is_no_comparison_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"write it like pods-not-ready >= 0\.5"):
        parse_comparison(text)


@pytest.mark.parametrize(
    "text",
    [
        "up",
        'up{job="x"}',
        'up{job="${job}"}',
        'up{ job = "${service|job}", code=~"5.." }',
        'sum(up{job="${job}"} or up{job="${job}"}) / 2',
        'label_replace(up{job="${job}"}, "a", "$1", "b", "(.*)")',
        r'up{a="\"", job="${job}"}',
    ],
)
def test_queries_with_placeholders_in_their_places_are_taken(text: str) -> None:
    assert parse_query(f"  {text}\n") == text


@pytest.mark.parametrize(
    "text",
    [
        "up{job=${job}}",
        "${job}",
        'up{job=~"${job}"}',
        'up{job!="${job}"}',
        'up{job!~"${job}"}',
        'up{job="a${job}"}',
        'up{job="${job}b"}',
        'up{job="${}"}',
        'up{job="${a b}"}',
        'up{job="${job"}',
        'up{job="${service|}"}',
        'sum("${job}")',
        r'up{a="\"${job}"}',
        'up{job="${job}',
        'up{job="',
        'a=="${job}"',
    ],
)
def test_a_placeholder_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="a placeholder is a whole string after ="):
        parse_query(text)


@pytest.mark.parametrize("text", ["up{a='\"${job}\"'}", 'up{a=`b="${job}"`}', 'up # "${job}"'])
def test_other_quotes_and_comments_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not taken in a query"):
        parse_query(text)


def test_an_empty_query_is_refused() -> None:
    with pytest.raises(InvalidInput, match="a query is empty"):
        parse_query("  ")
