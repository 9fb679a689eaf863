from __future__ import annotations

import pytest

from bot.domain.errors import InvalidInput
from bot.domain.parameter import Parameter, ParameterType, check_value

REPLICAS = Parameter("replicas", ParameterType.INTEGER, "How many.", minimum="1", maximum="50")
SIDE = Parameter("to", ParameterType.ENUM, "Where to.", values=("active", "standby"))


@pytest.mark.parametrize(
    ("parameter", "words", "usage"),
    [
        (REPLICAS, "a whole number, from 1 to 50", "<replicas>"),
        (SIDE, "one of active, standby", "<to=active|standby>"),
        (
            Parameter("soak", ParameterType.DURATION, "How long.", "30s", minimum="10s"),
            "a duration such as 30s, 10m or 1h, from 10s",
            "[soak=30s]",
        ),
        (Parameter("url", ParameterType.URL, "Where."), "an http or https address, or nothing",
         "<url>"),
    ],
)  # fmt: skip
def test_it_says_what_it_takes_and_how_it_is_given(
    parameter: Parameter, words: str, usage: str
) -> None:
    assert (parameter.words, parameter.usage) == (words, usage)


@pytest.mark.parametrize(
    ("type_", "minimum", "maximum", "good", "bad"),
    [
        (ParameterType.INTEGER, "-1", "10", ("-1", "9", "10"), ("-2", "11", "100")),
        (ParameterType.PERCENT, "5", "50", ("5", "50"), ("4", "51")),
        (ParameterType.DURATION, "90s", "1h", ("2m", "3600s", "90000ms"), ("1m", "2h", "3601s")),
        (
            ParameterType.TIME,
            "2026-01-01T00:00:00Z",
            None,
            ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("2025-12-31T23:59:59Z",),
        ),
    ],
)
def test_limits_go_by_the_value_not_its_text(
    type_: ParameterType,
    minimum: str,
    maximum: str | None,
    good: tuple[str, ...],
    bad: tuple[str, ...],
) -> None:
    parameter = Parameter("it", type_, "It.", minimum=minimum, maximum=maximum)
    for value in good:
        assert check_value(parameter, value) == value
    for value in bad:
        with pytest.raises(InvalidInput, match=f"it must be .*, from {minimum}"):
            check_value(parameter, value)


def test_a_choice_is_one_of_its_values() -> None:
    assert check_value(SIDE, "standby") == "standby"
    with pytest.raises(InvalidInput, match="to must be one of active, standby; it is “stand”"):
        check_value(SIDE, "stand")


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (ParameterType.PERCENT, "101"),
        (ParameterType.PERCENT, "25%"),
        (ParameterType.PERCENT, "007"),
        (ParameterType.TIME, "2026-02-31T00:00:00Z"),
        (ParameterType.TIME, "2026-12-01T22:00:00"),
        (ParameterType.TIME, "yesterday"),
        (ParameterType.NAMESPACE, "a.b"),
        (ParameterType.NAMESPACE, "x" * 64),
        (ParameterType.NAME, "a/b"),
        (ParameterType.IMAGE, "Shop"),
        (ParameterType.IMAGE, "shop:"),
        (ParameterType.IMAGE, "shop:1 --privileged"),
        (ParameterType.IMAGE, "shop@sha256:12"),
        (ParameterType.IMAGE, "a" * 501),
    ],
)
def test_other_forms_are_refused(type_: ParameterType, value: str) -> None:
    with pytest.raises(InvalidInput):
        check_value(Parameter("it", type_, "It."), value)


@pytest.mark.parametrize(
    "image",
    ["nginx", "shop/checkout:1.2.3", "localhost:5000/a_b/c--d:v1", "a.b/c@sha256:" + "0" * 64,
     "registry.example.com/shop/checkout:1.2.3@sha256:" + "f" * 64],
)  # fmt: skip
def test_images_are_taken_as_registries_write_them(image: str) -> None:
    assert check_value(Parameter("it", ParameterType.IMAGE, "It."), image) == image
