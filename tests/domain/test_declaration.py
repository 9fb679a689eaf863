"""Declared incidents have keys that no alert has, and titles of one line."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.classify import Severity
from bot.domain.declaration import (
    DECLARED_RULE,
    Declaration,
    checked,
    declared,
    declared_key,
    declared_service,
    is_declared,
)
from bot.domain.errors import InvalidInput
from bot.domain.grouping import GROUP_LABELS, Grouping
from bot.domain.storm import STORM_KEY
from tests.support.examples import ANA, NOW

PLAIN = Declaration(Severity.P1, "Checkout is down")

label_names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]*", fullmatch=True)


@given(st.lists(label_names, min_size=1), st.dictionaries(label_names, st.text()))
def test_no_alerts_group_is_a_declared_one(by: list[str], labels: Mapping[str, str]) -> None:
    assert not is_declared(Grouping(by=tuple(by)).key(labels))


def test_nor_is_any_other() -> None:
    declared_labels = dict.fromkeys(GROUP_LABELS, "declared:0123456789abcdef,service=")
    for key in (STORM_KEY, "incident:7", Grouping().key(declared_labels)):
        assert not is_declared(key)


def test_a_key_is_that_of_its_token() -> None:
    key = declared_key(PLAIN, "one")
    assert is_declared(key)
    assert key == declared_key(PLAIN, "one") != declared_key(PLAIN, "two")


@given(st.text())
def test_the_service_is_found_in_the_key(service: str) -> None:
    key = declared_key(Declaration(Severity.P1, "x", service), "one")
    assert declared_service(key) == service
    assert declared_service(Grouping().key({"service": service})) == ""


@pytest.mark.parametrize(("service", "about"), [("", ""), ("checkout", " It is about checkout.")])
def test_who_declared_it_is_what_it_says(service: str, about: str) -> None:
    opened = declared(Declaration(Severity.P0, "All is down", service), "declared:1,", ANA, NOW)
    assert (opened.title, opened.summary) == ("All is down", f"ana declared it.{about}")
    why = opened.classification
    assert (why.level, why.rule, why.reason) == (Severity.P0, DECLARED_RULE, "ana declared it.")


@pytest.mark.parametrize(
    ("title", "service", "said"),
    [
        (" \n ", "", "title is missing"),
        ("x" * 201, "", "title is longer"),
        ("x", "y" * 201, "serv"),
    ],
)
def test_what_can_not_be_declared(title: str, service: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        checked(Declaration(Severity.P1, title, service))
