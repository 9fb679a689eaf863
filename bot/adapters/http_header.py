"""What may stand in a header of a request."""

from __future__ import annotations

import re

from bot.domain.errors import PermanentError


def check_header(setting: str, value: str) -> None:
    """Raise `PermanentError` for a secret that no header can carry.

    Checked before a client library sees it, because its own complaint would show the secret.
    """
    if not re.fullmatch("[!-~]+", value):
        raise PermanentError(f"{setting} is empty, or holds blanks or letters beyond ASCII.")
