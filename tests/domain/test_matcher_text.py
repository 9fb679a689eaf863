from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidInput
from bot.domain.matcher import Operator, Place
from bot.domain.matcher_text import (
    LONGEST_PATTERN,
    parse_matcher,
    parse_quick_matcher,
    written,
)


@pytest.mark.parametrize(
    ("text", "place", "name", "operator", "value"),
    [
        ('severity="critical"', Place.LABEL, "severity", Operator.EQUAL, "critical"),
        ('severity!="critical"', Place.LABEL, "severity", Operator.NOT_EQUAL, "critical"),
        ('severity=~"a|b"', Place.LABEL, "severity", Operator.MATCHES, "a|b"),
        ('severity!~"a|b"', Place.LABEL, "severity", Operator.NOT_MATCHES, "a|b"),
        ('  severity  =  "critical"  ', Place.LABEL, "severity", Operator.EQUAL, "critical"),
        ("severity=critical", Place.LABEL, "severity", Operator.EQUAL, "critical"),
        ("severity=", Place.LABEL, "severity", Operator.EQUAL, ""),
        ('severity=""', Place.LABEL, "severity", Operator.EQUAL, ""),
        ('job="a = b, c!=d"', Place.LABEL, "job", Operator.EQUAL, "a = b, c!=d"),
        ('annotation.summary="x"', Place.ANNOTATION, "summary", Operator.EQUAL, "x"),
        ('annotation="x"', Place.LABEL, "annotation", Operator.EQUAL, "x"),
        ('text=~"down"', Place.TEXT, "", Operator.MATCHES, "down"),
        ('expression=~"up == 0"', Place.EXPRESSION, "", Operator.MATCHES, "up == 0"),
    ],
)
def test_a_matcher_is_read(
    text: str, place: Place, name: str, operator: Operator, value: str
) -> None:
    matcher = parse_matcher(text)
    assert (matcher.place, matcher.name) == (place, name)
    assert (matcher.operator, matcher.value) == (operator, value)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"say \"no\""', 'say "no"'),
        (r'"a\\b"', r"a\b"),
        (r'"a\nb"', "a\nb"),
        (r'"\d+\.\w"', r"\d+\.\w"),
        (r'"\\d"', r"\d"),
        (r'"\\\\"', r"\\"),
        (r"say \"no\"", 'say "no"'),
        ("a\\", "a\\"),
    ],
)
def test_escapes_are_alertmanager_s(written: str, value: str) -> None:
    assert parse_matcher(f"job={written}").value == value


@given(st.text())
def test_any_value_can_be_written(value: str) -> None:
    escaped = value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    assert parse_matcher(f'job="{escaped}"').value == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "severity",
        '="critical"',
        '{severity="critical"}',
        'name-with-dash="x"',
        'severity=="critical',
        'severity="critical',
        'severity=critical"',
        r'severity="critical\"',
        'severity="a"b"',
        'severity="a" or job="b"',
        'annotation.="x"',
        'label.severity="x"',
    ],
)
def test_what_is_not_a_matcher_is_refused_and_repeated(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_matcher(text)
    assert str(caught.value).startswith(f"“{text}”")


@pytest.mark.parametrize("pattern", ["(", "a{2,1}", "*", "a{99999999999999999999}", "[z-a]"])
def test_a_regex_that_can_t_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidInput, match="is not a regex"):
        parse_matcher(f'job=~"{pattern}"')
    assert parse_matcher(f'job="{pattern}"').pattern is None


def test_a_regex_that_is_too_long_is_refused() -> None:
    assert parse_matcher(f'job=~"{"a" * LONGEST_PATTERN}"').pattern
    with pytest.raises(InvalidInput, match="longer than 1000"):
        parse_matcher(f'job=~"{"a" * (LONGEST_PATTERN + 1)}"')


def test_case_counts_in_labels_and_not_in_text() -> None:
    assert parse_matcher('job=~"api"').holds({"job": "api"}, {})
    assert not parse_matcher('job=~"api"').holds({"job": "API"}, {})
    assert parse_matcher('text=~"api"').holds({}, {"summary": "The API is down"})


@given(st.sampled_from(["job", "annotation.summary", "text", "expression"]), st.text())
def test_what_is_written_is_read_back(name: str, value: str) -> None:
    escaped = value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    matcher = parse_matcher(f'{name}="{escaped}"')
    assert parse_matcher(written(matcher)) == matcher


def test_no_regex_that_anybody_may_type_keeps_intake_busy() -> None:
    """With Python's own regexes this one would take longer than the universe has existed."""
    matcher = parse_quick_matcher("alertname=~(a+)+b")
    assert not matcher.holds({"alertname": "a" * 10_000}, {})
    assert matcher.holds({"alertname": "aaab"}, {})


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", "a{1001}"])
def test_what_alertmanager_cannot_read_is_refused_where_anybody_may_type(pattern: str) -> None:
    with pytest.raises(InvalidInput, match="is not a regex that can be read"):
        parse_quick_matcher(f"alertname=~{pattern}")
