r"""Matchers as people write them, in Alertmanager's syntax: ``severity=~"critical|page"``.

Source of the rules: Alertmanager's pkg/labels/parse.go. A value may stand in double
quotes; in it ``\"``, ``\\`` and ``\n`` are escapes, and any other backslash is itself,
so that a regex needs no doubling. Beyond labels, ``annotation.summary`` names an
annotation, ``text`` the alert's name, summary and description together, and
``expression`` the PromQL that fired it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import re2  # type: ignore[import-untyped]

from bot.domain.errors import InvalidInput
from bot.domain.matcher import Matcher, Operator, Pattern, Place

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


Compile = Callable[[str, bool], Pattern]
"""Makes a pattern of a regex, heeding case or not; raises `InvalidInput`."""


def parse_quick_matcher(text: str) -> Matcher:
    """As `parse_matcher`, for what anybody may type: its regex takes linear time.

    It is RE2, as in Alertmanager, so that no regex can keep intake busy. In a policy,
    which is reviewed and asked for every alert, Python's own is ten times as fast.
    """
    return parse_matcher(text, _quick)


def _quick(value: str, heed_case: bool) -> Pattern:
    options = re2.Options()
    options.case_sensitive = heed_case
    options.log_errors = False
    try:
        pattern: Pattern = re2.compile(value, options)
    except re2.error as error:
        reason = str(error.args[0], "utf-8", "replace") if error.args else "?"
        raise InvalidInput(f"“{value}” is not a regex that can be read: {reason}.") from error
    return pattern


def _expressive(value: str, heed_case: bool) -> Pattern:
    try:
        return re.compile(value, 0 if heed_case else re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidInput(f"“{value}” is not a regex that can be read: {error}.") from error


def parse_matcher(text: str, compiled: Compile = _expressive) -> Matcher:
    """The matcher in `text`. `InvalidInput` says what can't be read in it."""
    match = _MATCHER.fullmatch(text)
    if match is None:
        raise InvalidInput(f'“{text}” is not a matcher; write it like severity="critical".')
    place = _place(match["annotation"], match["name"])
    operator = Operator(match["operator"])
    value = _unquoted(match["value"], text)
    name = match["name"] if place in (Place.LABEL, Place.ANNOTATION) else ""
    if operator not in (Operator.MATCHES, Operator.NOT_MATCHES):
        return Matcher(place, name, operator, value)
    if len(value) > LONGEST_PATTERN:
        raise InvalidInput(f"a regex is longer than {LONGEST_PATTERN} characters.")
    return Matcher(place, name, operator, value, compiled(value, place is not Place.TEXT))


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


def written(matcher: Matcher) -> str:
    """The matcher as `parse_matcher` reads it back, whatever its value holds."""
    value = matcher.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    name = matcher.name if matcher.place is Place.LABEL else f"{matcher.place}.{matcher.name}"
    return f'{name.rstrip(".")}{matcher.operator}"{value}"'
