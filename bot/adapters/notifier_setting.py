"""The setting `TOCSIN_NOTIFIERS`: names of ways to reach people, and their addresses.

An address holds passwords and tokens, so nothing of one is ever said, not even of an
entry that can't be read; the number of the entry says which.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

VARIABLE = "TOCSIN_NOTIFIERS"

_BETWEEN = re.compile(r"\n|,(?=[^,=/?&]*=\s*[a-zA-Z0-9]+://)")
"""A comma ends an entry only where another one begins: addresses hold commas too."""

_ENTRY = re.compile(r"([a-z][a-z0-9-]{0,62})\s*=\s*([a-zA-Z0-9]+://\S+)")


@dataclass(frozen=True, slots=True)
class NotifierSetting:
    """The addresses by name, and what is wrong with the entries that are not among them."""

    addresses: Mapping[str, str]
    problems: tuple[str, ...]


def read_setting(text: str) -> NotifierSetting:
    """The setting's entries, ``name=address``, on lines of their own or with commas between."""
    entries = [entry.strip() for entry in _BETWEEN.split(text) if entry.strip()]
    found = [_ENTRY.fullmatch(entry) for entry in entries]
    unreadable = (
        f"entry {number} is not of the form name=address, such as mail=mailtos://… "
        "(the name in small letters, digits and hyphens; no space in the address)."
        for number, match in enumerate(found, start=1)
        if match is None
    )
    times = Counter(match[1] for match in found if match)
    twice = (f"“{name}” is given twice." for name, number in times.items() if number > 1)
    return NotifierSetting(
        {match[1]: match[2] for match in found if match},
        tuple(f"{VARIABLE}: {problem}" for problem in (*unreadable, *twice)),
    )
