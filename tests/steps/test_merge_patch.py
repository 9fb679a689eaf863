from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.steps.merge_patch import difference
from tests.support.fake_objects import merged

OBJECTS = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.dictionaries(st.sampled_from("abc"), OBJECTS),
    st.dictionaries(st.sampled_from("abc"), OBJECTS),
)
def test_the_patch_makes_the_one_of_the_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert merged(old, difference(old, new)) == new


@pytest.mark.parametrize("same", [{}, {"a": {"b": [1]}}])
def test_what_is_equal_needs_no_change(same: dict[str, Any]) -> None:
    assert difference(same, same) == {}


def test_what_is_gone_is_removed_and_lists_are_replaced() -> None:
    old = {"a": 1, "b": {"c": 1, "d": 2}, "e": [1, 2]}
    assert difference(old, {"b": {"c": 1}, "e": [2]}) == {"a": None, "b": {"d": None}, "e": [2]}
