from __future__ import annotations

import re

import pytest

from bot.domain.matcher import Matcher, Operator, Place


def label(name: str, operator: Operator, value: str) -> Matcher:
    regex = operator in (Operator.MATCHES, Operator.NOT_MATCHES)
    return Matcher(Place.LABEL, name, operator, value, re.compile(value) if regex else None)


def text(operator: Operator, value: str) -> Matcher:
    return Matcher(Place.TEXT, "", operator, value, re.compile(value, re.IGNORECASE))


@pytest.mark.parametrize(
    ("operator", "value", "holds"),
    [
        (Operator.EQUAL, "", True),
        (Operator.EQUAL, "x", False),
        (Operator.NOT_EQUAL, "x", True),
        (Operator.NOT_EQUAL, "", False),
        (Operator.MATCHES, "x|", True),
        (Operator.MATCHES, "x", False),
        (Operator.NOT_MATCHES, "x", True),
        (Operator.NOT_MATCHES, ".*", False),
    ],
)
def test_a_label_that_is_missing_counts_as_empty(
    operator: Operator, value: str, holds: bool
) -> None:
    assert label("tier", operator, value).holds({}, {}) is holds


def test_a_regex_matches_a_label_as_a_whole_and_in_its_own_case() -> None:
    matcher = label("severity", Operator.MATCHES, "critical|page")
    assert matcher.holds({"severity": "page"}, {})
    assert not matcher.holds({"severity": "homepage"}, {})
    assert not matcher.holds({"severity": "Page"}, {})


def test_an_annotation_is_no_label() -> None:
    matcher = Matcher(Place.ANNOTATION, "summary", Operator.EQUAL, "down")
    assert matcher.holds({}, {"summary": "down"})
    assert not matcher.holds({"summary": "down"}, {})


@pytest.mark.parametrize(
    ("labels", "annotations"),
    [
        ({"alertname": "ServiceDown"}, {}),
        ({}, {"summary": "it went Down today"}),
        ({}, {"description": "first line\nDOWN"}),
    ],
)
def test_text_is_found_anywhere_in_what_people_read(
    labels: dict[str, str], annotations: dict[str, str]
) -> None:
    assert text(Operator.MATCHES, "down").holds(labels, annotations)


def test_text_does_not_run_from_one_part_into_the_next() -> None:
    assert not text(Operator.MATCHES, "ab").holds({"alertname": "a"}, {"summary": "b"})
    assert not text(Operator.MATCHES, "down").holds({"job": "down"}, {"runbook_url": "down"})


def test_an_expression_is_found_anywhere_in_the_promql_and_in_its_own_case() -> None:
    value = "_up == 0"
    matcher = Matcher(Place.EXPRESSION, "", Operator.MATCHES, value, re.compile(value))
    assert matcher.holds({}, {}, "sum(pg_up == 0)")
    assert not matcher.holds({}, {}, "sum(PG_UP == 0)")
    assert not matcher.holds({"expression": "pg_up == 0"}, {"expression": "pg_up == 0"})
