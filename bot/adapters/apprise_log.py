"""What Apprise's log says about a failure, and nothing else of it.

Apprise tells its caller True or False; why it failed it tells its log, amid addresses and
tokens. So the log is listened to, is kept from going anywhere else, and of what it says
only status codes and known kinds of failure are taken, in words of our own.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import get_ident

from bot.domain.errors import PermanentError, TemporaryError

_LOGGER = "apprise"

_STATUS = re.compile(r"\berror=([1-5][0-9]{2})\b")
"""How nearly all of its plugins log an HTTP status that is no success."""

_SMTP_CODE = re.compile(r"Socket Exception: \(([45][0-9]{2}), ")

_KINDS = (
    (re.compile(r"timed? ?out", re.I), "no answer in time"),
    (re.compile(r"certificate|SSL|TLS"), "no trusted TLS connection"),
    (re.compile(r"getaddrinfo|resolve|Name or service", re.I), "its host's name is not known"),
    (re.compile(r"refused", re.I), "connection refused"),
    (re.compile(r"Socket Exception"), "connection failed"),
)
"""What a connection's failure is called; the first that is found in it counts."""

_REPEATABLE = frozenset({408, 425, 429})
"""The 4xx that say "later"."""


@dataclass
class Failures:
    """What went wrong with one notice, possibly at several recipients."""

    statuses: list[int] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def error(self, name: str) -> TemporaryError | PermanentError:
        """The failure of the notifier `name`; what is not known to be final is temporary."""
        words = [f"status {status}" for status in self.statuses] + self.others
        text = f"{name}: {', '.join(dict.fromkeys(words)) or 'not accepted, for no known reason'}"
        if self.statuses and not self.others and all(map(_final, self.statuses)):
            return PermanentError(text)
        return TemporaryError(text)


def _final(status: int) -> bool:
    return 400 <= status < 500 and status not in _REPEATABLE


def silence() -> None:
    """Keep Apprise's log from every other log of this process, and listen to all of it."""
    logger = logging.getLogger(_LOGGER)
    logger.propagate = False
    logger.setLevel(logging.DEBUG)


@contextmanager
def listening() -> Iterator[Failures]:
    """The failures that Apprise logs in this thread."""
    listener = _Listener()
    logger = logging.getLogger(_LOGGER)
    logger.addHandler(listener)
    try:
        yield listener.failures
    finally:
        logger.removeHandler(listener)


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.failures = Failures()
        self._thread = get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self._thread:
            return
        with suppress(TypeError, ValueError):  # of a message that does not fit its arguments
            self._take(record.getMessage(), warning=record.levelno >= logging.WARNING)

    def _take(self, message: str, *, warning: bool) -> None:
        if warning:
            # Only a warning is Apprise's own words; below that it repeats what was answered.
            self.failures.statuses += map(int, _STATUS.findall(message))
        elif code := _SMTP_CODE.match(message):
            self.failures.others.append(f"SMTP code {code[1]}")
        elif message.startswith("Socket Exception"):
            kind = next(words for pattern, words in _KINDS if pattern.search(message))
            self.failures.others.append(kind)
