from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.merge_patch import difference, holds, merged

values = st.recursive(
    st.integers() | st.text(max_size=3) | st.booleans(),
    lambda inner: (
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3) | st.lists(inner, max_size=2)
    ),
    max_leaves=6,
)
objects = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # RFC 7386, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"a": "foo"}, "bar", "bar"),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_what_a_patch_makes(target: Any, patch: Any, result: Any) -> None:
    assert merged(target, patch) == result


@given(objects, objects)
def test_the_difference_leads_from_one_to_the_other(before: Any, after: Any) -> None:
    patch = difference(before, after)
    assert merged(before, patch) == after
    assert holds(after, patch)
    assert bool(patch) == (before != after)


def test_what_does_not_hold() -> None:
    assert not holds({"a": 1}, {"a": None})
    assert not holds({"a": {"b": 1}}, {"a": {"b": 2}})
    assert holds({}, {"metadata": {"labels": None}})
