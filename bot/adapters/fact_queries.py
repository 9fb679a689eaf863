"""Comparisons and queries as people write them in a policy.

A comparison is ``pods-not-ready >= 0.5``. A query is PromQL; ``namespace="${namespace}"``
in it stands for the alert's label, ``"${service|job}"`` for the first of two. A
placeholder is always a whole string behind ``=``, so that no label's value, whatever it
holds, can become anything else than a string.
"""

from __future__ import annotations

import re

from bot.domain.errors import InvalidInput
from bot.domain.facts import COMPARISONS, PLACEHOLDER, Comparison

_NUMBER = r"-?(?:\d+(?:\.\d+)?|\.\d+)"
_COMPARISON = re.compile(
    rf"\s*(?P<name>[a-z][a-z0-9-]*)\s*(?P<sign>{'|'.join(COMPARISONS)})\s*(?P<number>{_NUMBER})\s*"
)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_EQUALS = re.compile(r"[a-zA-Z0-9_]\s*=\s*$")


def parse_comparison(text: str) -> Comparison:
    """The comparison in `text`. `InvalidInput` says what can't be read in it."""
    found = _COMPARISON.fullmatch(text)
    if found is None:
        raise InvalidInput(f"“{text}” is not a comparison; write it like pods-not-ready >= 0.5.")
    return Comparison(found["name"], found["sign"], float(found["number"]))


def parse_query(text: str) -> str:
    """The query, if its placeholders stand where they may; `InvalidInput` says if they don't."""
    query = text.strip()
    if not query:
        raise InvalidInput("a query is empty.")
    if mark := re.search(r"['`#]", query):
        raise InvalidInput(f"“{mark[0]}” is not taken in a query: put strings in double quotes.")
    rest = _STRING.sub(lambda found: _without_placeholder(query, found), query)
    if "${" in rest or '"' in _STRING.sub("", rest):
        raise InvalidInput(
            'a placeholder is a whole string after =, as in namespace="${namespace}".'
        )
    return query


def _without_placeholder(query: str, found: re.Match[str]) -> str:
    """Nothing instead of a placeholder that stands where it may; other strings as they are."""
    allowed = PLACEHOLDER.fullmatch(found[0]) and _EQUALS.search(query[: found.start()])
    return "" if allowed else found[0]
