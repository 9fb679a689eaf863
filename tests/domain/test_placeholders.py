from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidInput
from bot.domain.placeholders import Reference, Values, leaves, malformed, references, substitute

texts = st.text(max_size=40)
names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
hostile = st.one_of(
    texts,
    names.map(lambda name: f"${{parameters.{name}}}"),
    st.sampled_from(
        ["${parameters.a}", "${steps.a.b}", "\\1", "\\g<0>", "$", "${", "}", "{0}", "%s", "`id`"]
    ),
)
harmless = texts.filter(lambda text: "${" not in text)
json = st.recursive(
    harmless | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


@given(hostile, hostile, hostile)
def test_a_value_is_put_in_as_it_is_and_never_looked_at_again(
    value: str, before: str, after: str
) -> None:
    before, after = before.replace("$", "%"), after.replace("$", "%")
    arguments = {"key": f"{before}${{parameters.a}}{after}"}
    filled = substitute(arguments, Values({"a": value}))
    assert filled == {"key": f"{before}{value}{after}"}


@given(st.lists(hostile, min_size=2, max_size=2))
def test_values_that_look_like_placeholders_do_not_reach_each_other(values: list[str]) -> None:
    arguments = {"key": ["${parameters.a}|${steps.find.b}"]}
    filled = substitute(arguments, Values({"a": values[0]}, {"find": {"b": values[1]}}))
    assert filled == {"key": ["|".join(values)]}


@given(st.dictionaries(names, json))
def test_what_holds_no_placeholder_stays_as_it_is(arguments: dict[str, Any]) -> None:
    assert substitute(arguments, Values({})) == arguments


@given(st.lists(names, max_size=4))
def test_references_are_the_names_that_substitution_needs(wanted: list[str]) -> None:
    text = " ".join(f"${{parameters.{name}}}" for name in wanted)
    assert list(references(text)) == [Reference(name) for name in wanted]
    values = Values({name: name.upper() for name in wanted})
    filled = " ".join(name.upper() for name in wanted)
    assert substitute({"key": text}, values) == {"key": filled}


def test_placeholders_are_replaced_at_any_depth_but_never_in_keys() -> None:
    manifest = {"spec": {"rules": [{"${parameters.a}": "x-${parameters.a}"}, 3, True]}}
    filled = substitute({"manifest": manifest}, Values({"a": "b"}))
    assert filled == {"manifest": {"spec": {"rules": [{"${parameters.a}": "x-b"}, 3, True]}}}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"replicas": "${parameters.n}"}, {"replicas": "3"}),
        ({"m": {"replicas": "${parameters.n}"}}, {"m": {"replicas": 3}}),
        ({"m": ["${parameters.n}"]}, {"m": [3]}),
        ({"m": ["${parameters.n}%"]}, {"m": ["3%"]}),
        ({"m": ["${parameters.n}${parameters.n}"]}, {"m": ["33"]}),
        ({"m": ["${parameters.text}"]}, {"m": ["4"]}),
        ({"m": ["${steps.n.n}"]}, {"m": ["5"]}),
    ],
)
def test_only_a_nested_number_that_stands_alone_becomes_a_number(
    arguments: dict[str, Any], expected: dict[str, Any]
) -> None:
    values = Values({"n": "3", "text": "4"}, {"n": {"n": "5"}}, numbers=frozenset({"n"}))
    assert substitute(arguments, values) == expected


def test_what_an_earlier_step_did_not_decide_is_said() -> None:
    with pytest.raises(InvalidInput, match=r"There is no \$\{steps.find.revision\}: step find"):
        substitute({"revision": "${steps.find.revision}"}, Values({}, {"find": {}}))


@pytest.mark.parametrize(
    "text",
    [
        "${steps.find}",
        "${steps.find.revision.number}",
        "${environment.HOME}",
        "${a}",
        "${}",
        "${parameters.a",
        "${parameters.A}",
        "${parameters.a${parameters.a}}",
        "${ parameters.a }",
    ],
)
def test_what_only_looks_like_a_placeholder_is_told(text: str) -> None:
    assert malformed(f"x {text} y")
    assert not malformed("x ${parameters.a} ${steps.b.c} $y {z}")


@given(hostile)
def test_a_text_without_malformed_placeholders_can_always_be_filled(text: str) -> None:
    if not malformed(text):
        found = list(references(text))
        values = Values(
            {it.name: "" for it in found if it.step is None},
            {it.step: {it.name: ""} for it in found if it.step is not None},
        )
        filled = substitute({"key": text}, values)["key"]
        assert not list(references(filled))


def test_leaves_come_with_their_place() -> None:
    value = {"a": [1, {"b": "c"}], "d": {}}
    assert list(leaves(value)) == [(("a", 0), 1), (("a", 1, "b"), "c")]
