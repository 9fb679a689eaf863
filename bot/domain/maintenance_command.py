"""The words of a maintenance window: how long, from when, which alerts, and why.

A word with an operator is a matcher wherever it stands, so that none is taken for prose
by mistake: a window with a matcher too few would hide what it should not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.durations import length, moment
from bot.domain.errors import InvalidInput
from bot.domain.matcher import Matcher
from bot.domain.matcher_text import parse_quick_matcher
from bot.domain.requests import PlanWindow

LONGEST_MATCHER = 500
"""Characters of a matcher; nobody types more."""

_START = re.compile(r"(from|in)=(?![\"~]).*", re.IGNORECASE)
_MATCHER = re.compile(r'(?:"[^"]*"|[^\s"=!])*(?:=|!=|!~)')


def plan_window(words: Sequence[str]) -> PlanWindow:
    """The window that these words ask for; `InvalidInput` names the one that can't be read."""
    lasts, others = (words[0], words[1:]) if words else ("", ())
    starts = [word for word in others if _START.fullmatch(word)]
    matchers = [word for word in others if word not in starts and _is_matcher(word)]
    reason = " ".join(word for word in others if word not in (*starts, *matchers))
    return PlanWindow(tuple(map(_matcher, matchers)), length(lasts), _start(starts), reason)


def _is_matcher(word: str) -> bool:
    found = _MATCHER.match(word)
    return found is not None and "://" not in found[0]  # an address in the reason


def _matcher(word: str) -> Matcher:
    if len(word) > LONGEST_MATCHER:
        raise InvalidInput(f"A matcher is longer than {LONGEST_MATCHER} characters; shorten it.")
    return parse_quick_matcher(word.rstrip(","))


def _start(words: Sequence[str]) -> datetime | timedelta | None:
    if len(words) > 1:
        raise InvalidInput(f"“{words[0][:40]}” and “{words[1][:40]}” are two starts; give one.")
    for word in words:
        name, _, value = word.partition("=")
        return moment(value) if name.lower() == "from" else length(value)
    return None
