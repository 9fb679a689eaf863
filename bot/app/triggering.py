"""How a pager is told of a page: in full, or in the smallest form that says the same."""

from __future__ import annotations

from bot.domain.errors import Malformed, PermanentError
from bot.domain.page import Page
from bot.ports import Pager


def trigger(pager: Pager, page: Page) -> str:
    """Open the page; returns why the pager would not take it as it was, empty if it did.

    One that can't be used is sent once more, in its smallest form: an engineer who is told
    little is better than one who sleeps. Raises what the pager raises.
    """
    try:
        pager.trigger(page)
    except Malformed as error:
        _trigger_smallest(pager, page)
        return str(error)
    return ""


def _trigger_smallest(pager: Pager, page: Page) -> None:
    try:
        pager.trigger(page.smallest())
    except PermanentError as error:
        raise PermanentError(f"{error} (in its smallest form, too)") from error
