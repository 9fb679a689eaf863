from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.facts import Comparison, Context, Fact, FactValue

NOW = datetime(2025, 3, 1, 3, 0, tzinfo=UTC)
READY = Fact("ready", "Share.", 'a{namespace="${namespace}",x="${service|job}"}', fallback=0.0)


def known(**values: float | None) -> Context:
    return Context({name: FactValue(name, value, NOW, "test") for name, value in values.items()})


def test_a_query_is_filled_by_the_first_label_that_is_there() -> None:
    assert READY.filled({"namespace": "pay", "job": "web"}) == 'a{namespace="pay",x="web"}'
    both = {"namespace": "pay", "service": "api", "job": "web"}
    assert READY.filled(both) == 'a{namespace="pay",x="api"}'


@pytest.mark.parametrize(
    ("labels", "lacking"),
    [
        ({"namespace": "pay", "job": "web"}, None),
        ({"namespace": "pay", "service": "", "job": "web"}, None),
        ({"job": "web"}, "the alert has no label namespace"),
        ({"namespace": "", "job": "web"}, "the alert has no label namespace"),
        ({"namespace": "pay"}, "the alert has no label service or job"),
    ],
)
def test_what_the_alert_lacks_is_named(labels: dict[str, str], lacking: str | None) -> None:
    assert READY.lacks(labels) == lacking


_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


@given(st.text(min_size=1))
def test_whatever_a_label_holds_stays_one_string(value: str) -> None:
    filled = Fact("f", "x", 'up{job="${job}"}').filled({"job": value})
    string = re.fullmatch(r'up\{job="((?:[^"\\\n]|\\["\\n])*)"\}', filled)
    assert string is not None
    assert re.sub(r"\\.", lambda escape: _ESCAPES[escape[0]], string[1]) == value


@pytest.mark.parametrize(
    ("sign", "number", "holds"),
    [(">=", 0.5, True), (">", 0.5, False), ("<=", 0.5, True), ("<", 0.5, False), (">", 0.4, True)],
)
def test_a_fact_is_compared(sign: str, number: float, holds: bool) -> None:
    comparison = Comparison("ready", sign, number)
    assert comparison.holds(known(ready=0.5)) is holds
    assert (comparison.objection(known(ready=0.5)) is None) is holds


@pytest.mark.parametrize("sign", [">=", ">", "<=", "<"])
@pytest.mark.parametrize("context", [known(), known(ready=None)])
def test_of_what_is_not_known_nothing_is_so(sign: str, context: Context) -> None:
    assert not Comparison("ready", sign, 0).holds(context)


def test_an_objection_says_what_the_fact_is() -> None:
    comparison = Comparison("ready", ">=", 0.5)
    assert comparison.objection(known(ready=0.2)) == (
        "ready >= 0.5 does not hold: ready is 0.2 (test)"
    )
    assert comparison.objection(known(ready=None)) == (
        "ready >= 0.5 does not hold: ready is not known (test)"
    )
    assert comparison.objection(known()) == "ready >= 0.5 does not hold: it was not looked at"
    assert Comparison("firing", ">", 3).objection(known()) == "firing > 3 does not hold: it is 1"


def test_group_size_and_flaps_are_always_there() -> None:
    context = Context(firing=20, flaps=3)
    assert Comparison("firing", ">=", 20).holds(context)
    assert Comparison("flaps", ">=", 3).holds(context)
    assert not Comparison("flaps", ">", 0).holds(Context())


def test_a_context_without_fallbacks_holds_what_was_measured() -> None:
    guessed = FactValue("b", 1.0, NOW, "x", measured=False)
    measured = FactValue("a", 1.0, NOW, "x")
    context = Context({"a": measured, "b": guessed}, 5, 2, "up")
    assert context.without_fallbacks() == Context({"a": measured}, 5, 2, "up")
    assert context.known() == {"a": 1.0, "b": 1.0}
