from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.errors import InvalidInput
from bot.domain.maintenance_command import LONGEST_MATCHER, plan_window
from bot.domain.matcher_text import parse_matcher
from bot.domain.requests import PlanWindow
from bot.domain.typed import loose_words

NOW = datetime(2026, 3, 1, 3, tzinfo=UTC)


def planned(text: str) -> PlanWindow:
    return plan_window(loose_words(text))


def matchers(text: str) -> list[str]:
    return [str(one) for one in planned(text).matchers]


def test_how_long_which_alerts_and_why() -> None:
    asked = planned('2h namespace=payments service=~"api|web" Database upgrade, don\'t worry')
    assert asked == PlanWindow(
        (parse_matcher("namespace=payments"), parse_matcher('service=~"api|web"')),
        timedelta(hours=2),
        None,
        "Database upgrade, don't worry",
    )


@pytest.mark.parametrize(
    "text",
    [
        '2h namespace="payments" service=~"a b|c" why',
        "2h namespace=“payments” service=~“a b|c” why",
        '2h namespace="payments", service=~"a b|c", why',
        '2h why namespace="payments" service=~"a b|c"',
    ],
)
def test_phones_and_habits_of_alertmanager_users(text: str) -> None:
    assert matchers(text) == ['namespace="payments"', 'service=~"a b|c"']
    assert planned(text).reason == "why"


def test_a_shell_has_taken_the_quotes_already() -> None:
    asked = plan_window(["2h", "service=~a b|c", "Upgrade to version=2, at last"])
    assert [str(one) for one in asked.matchers] == ['service=~"a b|c"']
    assert asked.reason == "Upgrade to version=2, at last"


@pytest.mark.parametrize(
    "reason", ["Don't panic!", "see https://wiki/page?id=3", "a “quoted x=1 word”", 'half " quote']
)
def test_what_is_no_matcher_is_the_reason(reason: str) -> None:
    asked = planned(f"2h a=b {reason}")
    assert len(asked.matchers) == 1
    assert asked.reason == reason.replace("“", '"').replace("”", '"')


@pytest.mark.parametrize(
    "word",
    ["service = api", "=api", '=~"x"', "app.kubernetes.io/name=x", '"app.io"=x', 'a="x', "a=~("],
)
def test_a_matcher_that_can_t_be_read_never_widens_the_window(word: str) -> None:
    with pytest.raises(InvalidInput, match=r"is not a (matcher|regex)|quotes come in pairs"):
        planned(f"2h namespace=payments {word} because")


def test_a_long_matcher_is_refused() -> None:
    with pytest.raises(InvalidInput, match="longer than 500"):
        planned(f"2h a={'x' * LONGEST_MATCHER}")


@pytest.mark.parametrize(
    ("start", "begins"),
    [
        ("", None),
        ("in=30m", NOW + timedelta(minutes=30)),
        ("from=2026-12-01T22:00Z", datetime(2026, 12, 1, 22, tzinfo=UTC)),
        ("FROM=2026-12-01T23:00+01:00", datetime(2026, 12, 1, 22, tzinfo=UTC)),
    ],
)
def test_it_begins_now_or_later(start: str, begins: datetime | None) -> None:
    asked = planned(f"2h {start} namespace=payments why")
    assert asked.starts_at(NOW) == begins
    assert (len(asked.matchers), asked.reason) == (1, "why")


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("from=tonight", "“tonight” is no time; write it like 2026-12-01T22:00Z"),
        ("from= 22:00", "“” is no time"),
        ("in=soon", "“soon” is no length of time"),
        ("in=", "How long is missing"),
        ("in=30m in=1h", "“in=30m” and “in=1h” are two starts; give one."),
    ],
)
def test_a_start_that_can_t_be_read_is_refused(start: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        planned(f"2h {start} namespace=payments why")
    assert said in str(refusal.value)


def test_a_label_named_like_a_start_can_be_matched() -> None:
    assert matchers('2h from="here" why') == ['from="here"']
