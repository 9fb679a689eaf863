from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidInput
from bot.domain.parameter import FORMS, Parameter, ParameterType, check_value, seconds
from bot.domain.runbook import Risk, Runbook, bind

RESTART = Runbook(
    name="restart",
    version="1.0.0",
    summary="Restart it.",
    risk=Risk.LOW,
    parameters=(
        Parameter("workload", ParameterType.WORKLOAD, "what"),
        Parameter("timeout", ParameterType.DURATION, "how long", "600s"),
        Parameter("health_url", ParameterType.URL, "where", ""),
    ),
    steps=(),
    verification=(),
    text="",
    digest="",
)

texts = st.text(max_size=40)
hostile = st.one_of(texts, st.sampled_from(["${parameters.a}", "\\1", "$", "a/b", "=", "timeout="]))


# --- binding what people type ---------------------------------------------------------


def test_bare_words_fill_the_parameters_in_their_order() -> None:
    assert bind(RESTART, ["payments/checkout", "30s"]) == {
        "workload": "payments/checkout",
        "timeout": "30s",
        "health_url": "",
    }


def test_words_with_a_name_may_come_in_any_order() -> None:
    bound = bind(RESTART, ["timeout=30s", "payments/checkout", "health_url="])
    assert bound == {"workload": "payments/checkout", "timeout": "30s", "health_url": ""}


def test_an_equals_sign_in_a_value_does_not_make_a_name() -> None:
    url = "http://checkout/health?deep=1"
    assert bind(RESTART, ["a/b", "1m", url])["health_url"] == url
    assert bind(RESTART, ["a/b", f"health_url={url}"])["health_url"] == url


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "workload is missing. Usage: restart <workload> [timeout=600s] [health_url=]"),
        (["a/b", "1s", "", "more"], "“more” is one word too many."),
        (["a/b", "workload=c/d"], "workload is given twice."),
        (["a/b", "tiemout=30s"], "restart has no parameter “tiemout”."),
        (["checkout"], "workload must be a Deployment as namespace/name; it is “checkout”."),
    ],
)
def test_what_does_not_fit_is_said_with_the_usage(words: list[str], said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        bind(RESTART, words)
    assert str(caught.value).startswith(said)


@given(st.lists(hostile, max_size=5))
def test_whatever_is_typed_is_bound_wholly_or_refused(words: list[str]) -> None:
    try:
        bound = bind(RESTART, words)
    except InvalidInput:
        return
    assert list(bound) == ["workload", "timeout", "health_url"]
    for parameter in RESTART.parameters:
        check_value(parameter, bound[parameter.name])


# --- the forms of values --------------------------------------------------------------


def parameter(type_: ParameterType) -> Parameter:
    return Parameter("value", type_, "a value", values=("choice",))


@pytest.mark.parametrize("type_", ParameterType)
def test_every_type_s_example_has_its_form(type_: ParameterType) -> None:
    example = FORMS[type_].example
    assert check_value(parameter(type_), example) == example


@given(st.sampled_from(ParameterType), st.data())
def test_what_is_accepted_is_one_line_and_comes_back_unchanged(
    type_: ParameterType, data: st.DataObject
) -> None:
    value = data.draw(st.one_of(texts, st.from_regex(FORMS[type_].pattern)))
    try:
        assert check_value(parameter(type_), value) == value
    except InvalidInput:
        return
    assert len(value.splitlines()) <= 1


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (ParameterType.STRING, "two\nlines"),
        (ParameterType.STRING, "two\u2028lines"),
        (ParameterType.STRING, "x" * 501),
        (ParameterType.INTEGER, "1.5"),
        (ParameterType.INTEGER, "\u0661"),
        (ParameterType.DURATION, "600"),
        (ParameterType.DURATION, "-1s"),
        (ParameterType.DURATION, "9999999s"),
        (ParameterType.WORKLOAD, "checkout"),
        (ParameterType.WORKLOAD, "a/b/c"),
        (ParameterType.WORKLOAD, "A/b"),
        (ParameterType.WORKLOAD, "-a/b"),
        (ParameterType.WORKLOAD, "a/b\n"),
        (ParameterType.REVISION, "0"),
        (ParameterType.REVISION, "latest"),
        (ParameterType.URL, "file:///etc/passwd"),
        (ParameterType.URL, "http://a b"),
        (ParameterType.URL, "http://a\x00b"),
        (ParameterType.URL, "javascript:alert(1)"),
    ],
)
def test_what_has_another_form_is_refused_with_the_form(type_: ParameterType, value: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(f"value must be {FORMS[type_].words};")):
        check_value(parameter(type_), value)


def test_a_long_refused_value_is_not_repeated_whole() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_value(parameter(ParameterType.INTEGER), "x" * 5000)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    ("text", "expected"), [("250ms", 0.25), ("30s", 30), ("10m", 600), ("2h", 7200), ("0s", 0)]
)
def test_durations_are_read_in_their_unit(text: str, expected: float) -> None:
    assert seconds(text) == expected


@given(texts)
def test_seconds_reads_what_has_the_form_and_nothing_else(text: str) -> None:
    if re.fullmatch(FORMS[ParameterType.DURATION].pattern, text):
        assert seconds(text) >= 0
    else:
        with pytest.raises(InvalidInput, match="is not a duration"):
            seconds(text)
