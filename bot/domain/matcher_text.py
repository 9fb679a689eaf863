r"""Matchers as people write them, in Alertmanager's syntax: ``severity=~"critical|page"``.

Source of the rules: Alertmanager's pkg/labels/parse.go. A value may stand in double
quotes; in it ``\"``, ``\\`` and ``\n`` are escapes, and any other backslash is itself,
so that a regex needs no doubling. Beyond labels, ``annotation.summary`` names an
annotation, ``text`` the alert's name, summary and description together, and
``expression`` the PromQL that fired it.
"""

from __future__ import annotations

import re

from bot.domain.errors import InvalidInput
from bot.domain.matcher import Matcher, Operator, Place

LONGEST_PATTERN = 1000
"""Characters of the longest regex; one that is longer is not meant for people to check."""

_MATCHER = re.compile(
    r"\s*(?P<annotation>annotation\.)?(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)"
    r"\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>.*?)\s*",
    re.DOTALL,
)
_OTHER_PLACES = {"text": Place.TEXT, "expression": Place.EXPRESSION}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", '"': '"', "\\": "\\"}


def parse_matcher(text: str) -> Matcher:
    """The matcher in `text`. `InvalidInput` says what can't be read in it."""
    match = _MATCHER.fullmatch(text)
    if match is None:
        raise InvalidInput(f'“{text}” is not a matcher; write it like severity="critical".')
    place = _place(match["annotation"], match["name"])
    operator = Operator(match["operator"])
    value = _unquoted(match["value"], text)
    name = match["name"] if place in (Place.LABEL, Place.ANNOTATION) else ""
    return Matcher(place, name, operator, value, _pattern(place, operator, value))


def _place(annotation: str | None, name: str) -> Place:
    if annotation:
        return Place.ANNOTATION
    return _OTHER_PLACES.get(name, Place.LABEL)


def _unquoted(value: str, text: str) -> str:
    quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', value, re.DOTALL)
    if quoted is None and '"' in _ESCAPE.sub("", value):
        raise InvalidInput(f'“{text}”: a " in the value is written \\", and quotes come in pairs.')
    return _ESCAPE.sub(_unescape, quoted[1] if quoted else value)


def _unescape(escape: re.Match[str]) -> str:
    return _ESCAPED.get(escape[1], escape[0])


def _pattern(place: Place, operator: Operator, value: str) -> re.Pattern[str] | None:
    if operator not in (Operator.MATCHES, Operator.NOT_MATCHES):
        return None
    if len(value) > LONGEST_PATTERN:
        raise InvalidInput(f"a regex is longer than {LONGEST_PATTERN} characters.")
    try:
        return re.compile(value, re.IGNORECASE if place is Place.TEXT else 0)
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidInput(f"“{value}” is not a regex that can be read: {error}.") from error


def written(matcher: Matcher) -> str:
    """The matcher as `parse_matcher` reads it back, whatever its value holds."""
    value = matcher.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    name = matcher.name if matcher.place is Place.LABEL else f"{matcher.place}.{matcher.name}"
    return f'{name.rstrip(".")}{matcher.operator}"{value}"'
