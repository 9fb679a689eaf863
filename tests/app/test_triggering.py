"""A page that a pager can't use is sent once more, in its smallest form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from bot.app.triggering import trigger
from bot.domain.classify import Severity
from bot.domain.errors import Malformed, PermanentError, TemporaryError, TocsinError
from bot.domain.page import Page
from tests.support.examples import NOW

PAGE = Page(
    "key", "P1 x\n\x00" + "ä" * 2_000, Severity.P1, "h\u202eost", NOW, {"a": "b"}, "https://x"
)


@dataclass
class Answering:
    """Implements as much of the `Pager` port as a page needs; answers with these errors in turn."""

    answers: Sequence[TocsinError]
    told: list[Page] = field(default_factory=list)

    def trigger(self, page: Page) -> None:
        self.told.append(page)
        if len(self.told) <= len(self.answers):
            raise self.answers[len(self.told) - 1]

    def acknowledge(self, dedup_key: str) -> None:
        raise AssertionError("nobody asked for that")

    def resolve(self, dedup_key: str) -> None:
        raise AssertionError("nobody asked for that")


def test_what_is_taken_is_sent_once() -> None:
    pager = Answering([])
    assert trigger(pager, PAGE) == ""
    assert pager.told == [PAGE]


def test_what_can_not_be_used_is_sent_again_with_less_in_it() -> None:
    pager = Answering([Malformed("Too much.")])
    assert trigger(pager, PAGE) == "Too much."
    _, small = pager.told
    assert (small.bare, small.details, small.link) == (True, {}, "")
    assert (small.dedup_key, small.severity, small.at) == ("key", Severity.P1, NOW)
    assert (len(small.summary), small.summary[:7], small.source) == (200, "P1 x ?ä", "h?ost")


@pytest.mark.parametrize("again", [Malformed("No."), PermanentError("No.")])
def test_once_only(again: TocsinError) -> None:
    pager = Answering([Malformed("Too much."), again, again])
    with pytest.raises(PermanentError, match=r"^No\. \(in its smallest form, too\)$"):
        trigger(pager, PAGE)
    assert len(pager.told) == 2


@pytest.mark.parametrize("error", [PermanentError("Forbidden."), TemporaryError("Busy.")])
def test_other_errors_are_not_about_the_page(error: TocsinError) -> None:
    pager = Answering([error])
    with pytest.raises(type(error)):
        trigger(pager, PAGE)
    assert len(pager.told) == 1


def test_a_pager_that_goes_dark_in_between_is_tried_again_later() -> None:
    with pytest.raises(TemporaryError):
        trigger(Answering([Malformed("Too much."), TemporaryError("Busy.")]), PAGE)
