"""What trackers refuse, and what keeps them from answering, sorted into Tocsin's errors."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests
from pydantic import ValidationError

from bot.domain.errors import PermanentError, TemporaryError, TocsinError

_REPEATABLE = frozenset({408, 409, 429})
"""The 4xx that say "later" or "it changed meanwhile"; all 5xx do as well."""

SECONDARY_LIMIT = 60.0
"""Seconds to wait when GitHub's secondary limit names none
(https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api)."""

LONGEST_WAIT = 3_600.0
"""Seconds; GitHub's limits begin anew every hour."""

_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no use; the headers' names are in lower case."""

    tracker: str
    status: int
    says: str
    headers: Mapping[str, str] = field(default_factory=dict)


def sorted_refusal(refusal: Refusal, fixes: Mapping[int, str]) -> TocsinError:
    """The error for it; `fixes` says by status who must put what right."""
    says = " ".join(refusal.says.split())[:_LONGEST_REASON]
    text = f"{refusal.tracker} answered {refusal.status}: {says}"
    wait = _wait(refusal)
    if not 300 <= refusal.status < 500 or refusal.status in _REPEATABLE or wait is not None:
        return TemporaryError(text, wait)
    return PermanentError(" ".join(filter(None, (fixes.get(refusal.status), text))))


def _wait(refusal: Refusal) -> float | None:
    """The seconds that it asks to wait; GitHub limits with 403 as well as with 429."""
    seconds = refusal.headers.get("retry-after", "")
    if re.fullmatch("[0-9]{1,6}", seconds):
        return float(seconds)
    reset = refusal.headers.get("x-ratelimit-reset", "")
    if refusal.headers.get("x-ratelimit-remaining") == "0" and re.fullmatch("[0-9]{1,12}", reset):
        return min(max(0.0, float(reset) - time.time()), LONGEST_WAIT)
    return SECONDARY_LIMIT if "secondary rate limit" in refusal.says.lower() else None


@contextmanager
def answers(tracker: str) -> Iterator[None]:
    """Run calls to the tracker; what is no answer at all leaves as a `TemporaryError`."""
    try:
        yield
    except requests.RequestException as error:
        # Its text may show the request, and so the token.
        raise TemporaryError(f"{tracker} gave no answer: {type(error).__name__}.") from error
    except (ValidationError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TemporaryError(
            f"{tracker} gave no answer that can be read: {type(error).__name__}."
        ) from error
