from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import InvalidInput
from bot.domain.runbook import (
    FORMS,
    Parameter,
    ParameterType,
    Risk,
    Runbook,
    bind,
    check_value,
    placeholders,
    seconds,
    substitute,
    unknown_placeholders,
)

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
names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
hostile = st.one_of(
    texts,
    names.map(lambda name: f"${{parameters.{name}}}"),
    st.sampled_from(["${parameters.a}", "\\1", "\\g<0>", "$", "${", "}", "{0}", "%s", "`id`"]),
)


# --- substitution -------------------------------------------------------------------


@given(hostile, hostile, hostile)
def test_a_value_is_put_in_as_it_is_and_never_looked_at_again(
    value: str, before: str, after: str
) -> None:
    before, after = before.replace("$", "%"), after.replace("$", "%")
    arguments = {"key": f"{before}${{parameters.a}}{after}"}
    assert substitute(arguments, {"a": value}) == {"key": f"{before}{value}{after}"}


@given(st.lists(hostile, min_size=2, max_size=2))
def test_values_that_look_like_placeholders_do_not_reach_each_other(values: list[str]) -> None:
    filled = substitute(
        {"key": "${parameters.a}|${parameters.b}"}, dict(zip("ab", values, strict=True))
    )
    assert filled == {"key": "|".join(values)}


@given(st.dictionaries(names, texts.filter(lambda text: "${" not in text)))
def test_what_holds_no_placeholder_stays_as_it_is(arguments: dict[str, str]) -> None:
    assert substitute(arguments, {}) == arguments
    assert placeholders(arguments) == frozenset()


@given(st.lists(names, max_size=4))
def test_placeholders_are_the_names_that_substitution_needs(wanted: list[str]) -> None:
    arguments = {"key": " ".join(f"${{parameters.{name}}}" for name in wanted)}
    assert placeholders(arguments) == set(wanted)
    values = {name: name.upper() for name in wanted}
    assert substitute(arguments, values) == {"key": " ".join(name.upper() for name in wanted)}


@pytest.mark.parametrize(
    "text",
    [
        "${parameters.b}",
        "${steps.find.revision}",
        "${a}",
        "${}",
        "${parameters.a",
        "${parameters.A}",
        "${parameters.a${parameters.a}}",
        "${ parameters.a }",
    ],
)
def test_what_only_looks_like_a_placeholder_is_told(text: str) -> None:
    assert unknown_placeholders(f"x {text} y", {"a"})
    assert not unknown_placeholders("x ${parameters.a} $y {z}", {"a"})


@given(hostile)
def test_a_text_without_unknown_placeholders_can_always_be_filled(text: str) -> None:
    if not unknown_placeholders(text, {"a"}):
        assert substitute({"key": text}, {"a": "value"})


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
    return Parameter("value", type_, "a value")


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
