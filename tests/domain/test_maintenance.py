from __future__ import annotations

from typing import Any

import pytest

from bot.domain.errors import InvalidInput
from bot.domain.incident import LONGEST_REASON
from bot.domain.maintenance import (
    FURTHEST_START,
    LONGEST_WINDOW,
    Window,
    checked,
    covering,
    silence_matchers,
)
from tests.support.examples import NOW, alert
from tests.support.windows import HOUR, window


@pytest.mark.parametrize(
    ("matchers", "labels", "covered"),
    [
        (("namespace=payments",), {"namespace": "payments"}, True),
        (("namespace=payments", "service=~api|web"), {"namespace": "payments"}, False),
        (
            ("namespace=payments", "service=~api|web"),
            {"namespace": "payments", "service": "web"},
            True,
        ),
        (("namespace=payments", "severity!=critical"), {"namespace": "payments"}, True),
        (("service=~api",), {"service": "api2"}, False),
    ],
)
def test_all_matchers_have_to_hold(
    matchers: tuple[str, ...], labels: dict[str, str], covered: bool
) -> None:
    assert window(1, *matchers).covers(labels, {}) is covered


def test_it_is_active_from_its_beginning_to_just_before_its_end() -> None:
    made = window()
    assert [made.active(NOW + HOUR * part) for part in (-0.01, 0, 0.99, 1)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "fine",
    [
        window(),
        window(1, "severity!=critical", "namespace=~pay.+"),
        window(starts_at=NOW - HOUR, ends_at=NOW + HOUR),
        window(ends_at=NOW + LONGEST_WINDOW),
        window(starts_at=NOW + FURTHEST_START, ends_at=NOW + FURTHEST_START + HOUR),
        window(reason="x" * LONGEST_REASON),
    ],
)
def test_a_window_that_makes_sense_is_left_as_it_is(fine: Window) -> None:
    assert checked(fine, NOW) is fine


@pytest.mark.parametrize(
    ("useless", "said"),
    [
        (window(matchers=()), "needs a matcher that not every alert meets"),
        (window(1, "namespace=~.*"), "needs a matcher that not every alert meets"),
        (window(1, "namespace!=payments"), "needs a matcher that not every alert meets"),
        (window(1, 'namespace=""'), "needs a matcher that not every alert meets"),
        (window(1, "a=b", "annotation.summary=x"), "are about labels"),
        (window(1, "a=b", "text=~down"), "are about labels"),
        (window(ends_at=NOW), "ends before it begins to matter"),
        (window(starts_at=NOW - 2 * HOUR, ends_at=NOW - HOUR), "ends before it begins"),
        (window(starts_at=NOW + HOUR, ends_at=NOW + HOUR), "ends before it begins"),
        (window(ends_at=NOW + LONGEST_WINDOW + HOUR), "longer than 31 days"),
        (
            window(starts_at=NOW + FURTHEST_START + HOUR, ends_at=NOW + FURTHEST_START + 2 * HOUR),
            "more than a year ahead",
        ),
        (window(reason=" "), "Say why, after the matchers"),
        (window(reason="x" * (LONGEST_REASON + 1)), "longer than 500 characters"),
    ],
)
def test_a_window_that_is_useless_or_dangerous_is_refused(useless: Window, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        checked(useless, NOW)


API, WEB = (alert(labels={"namespace": "payments", "service": one}) for one in ("api", "web"))
OTHER = alert(labels={"namespace": "search"})


def test_all_that_fires_has_to_be_covered() -> None:
    whole = window()
    assert covering([API, WEB], [whole], NOW) == whole
    assert covering([API, OTHER], [whole], NOW) is None
    assert covering([API], [whole], NOW + HOUR) is None
    assert covering([API], [], NOW) is None
    assert covering([], [whole], NOW) is None


def test_several_windows_together_can_cover_it() -> None:
    api = window(1, "service=api", ends_at=NOW + HOUR)
    web = window(2, "service=web", ends_at=NOW + 2 * HOUR)
    assert covering([API, WEB], [api, web], NOW) == api, "it has to be looked at when one ends"
    assert covering([API, WEB], [api], NOW) is None


def test_of_windows_over_the_same_alert_the_one_that_ends_last_counts() -> None:
    short = window(1)
    long = window(2, ends_at=NOW + 2 * HOUR)
    assert covering([API], [short, long], NOW) == long


def test_a_silence_is_about_what_the_alerts_share() -> None:
    shared = {"alertname": "Down", "namespace": "payments"}
    pods = [alert(labels={**shared, "pod": pod, "severity": pod}) for pod in ("p1", "p2")]
    made = window(matchers=silence_matchers(pods))
    assert [str(one) for one in made.matchers] == ['namespace="payments"', 'alertname="Down"']
    assert made.covers({**shared, "pod": "p3", "severity": "critical"}, {})
    assert not made.covers({**shared, "namespace": "search"}, {})
    assert checked(made, NOW)


@pytest.mark.parametrize(
    "alerts",
    [[], [alert(labels={})], [alert(labels={"alertname": one}) for one in ("Down", "Slow")]],
)
def test_alerts_with_no_name_in_common_need_a_window(alerts: list[Any]) -> None:
    with pytest.raises(InvalidInput, match="plan a maintenance window"):
        silence_matchers(alerts)
