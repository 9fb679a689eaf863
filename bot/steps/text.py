"""Text that others wrote (logs, messages of the cluster), made fit to be shown.

What is shown to whom is escaped where it is shown; here it is only shortened and freed
from what would steer a terminal.
"""

from __future__ import annotations

import re

_CONTROLS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
"""ANSI escape sequences (ECMA-48) and control characters, but not tab and newline."""

LOG_LINES, LOG_CHARACTERS = 50, 4000
"""How much of a log's end is kept: what a person reads, and a message or a timeline bears."""

_SENTENCE = 300


def log_end(text: str, lines: int = LOG_LINES, characters: int = LOG_CHARACTERS) -> str:
    """The last lines of a log, without control characters; cut at its beginning."""
    clean = _CONTROLS.sub("", text.replace("\r\n", "\n"))
    return "\n".join(clean.splitlines()[-lines:])[-characters:]


def sentence(text: str) -> str:
    """A message as one line, shortened."""
    line = " ".join(_CONTROLS.sub("", text).split())
    return line if len(line) <= _SENTENCE else f"{line[: _SENTENCE - 1]}…"
