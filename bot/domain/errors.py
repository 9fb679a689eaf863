"""The errors that every layer speaks.

Adapters sort what a vendor answers into `TemporaryError` (worth another try) and
`PermanentError` (say so, don't repeat); nothing else decides about retries.
`InvalidInput` is for what a person or a program sent us: its text is one plain
sentence that names the field and the fix, and may be shown to them as it is.
"""

from __future__ import annotations


class TocsinError(Exception):
    """The base of all errors that Tocsin raises on purpose."""


class TemporaryError(TocsinError):
    """The same call may succeed later.

    `retry_after` is the number of seconds that the other side asked us to wait,
    or None when it said nothing.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentError(TocsinError):
    """The same call will fail again; the text says why, for a person."""


class Malformed(PermanentError):
    """The other side can't use what it was sent, as it is; a simpler form it may take."""


class Conflict(TemporaryError):
    """The thing changed between our reading and our writing; read it again."""


class InvalidInput(TocsinError):
    """What was sent can't be used; the text names the field and the fix."""


class NotFound(InvalidInput):
    """What was named does not exist; the text names it, and the nearest that does."""


class IllegalTransition(InvalidInput):
    """The state machine does not allow this now; nothing was changed."""
