"""A runbook's parameters: their types, and what values each takes.

Values are kept as text, as they were given, so that they are shown, hashed and compared
as people wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.durations import moment
from bot.domain.errors import InvalidInput


class ParameterType(StrEnum):
    """The types of a runbook's parameters; `FORMS` holds the form of each."""

    STRING = "string"
    INTEGER = "integer"
    PERCENT = "percent"
    DURATION = "duration"
    TIME = "time"
    ENUM = "enum"
    WORKLOAD = "workload"
    SERVICE = "service"
    OBJECT = "object"
    NAMESPACE = "namespace"
    NAME = "name"
    REVISION = "revision"
    IMAGE = "image"
    URL = "url"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; without a default it must be given.

    `minimum` and `maximum` are for types that have an order (`ORDERS`), `values` are the
    choices of an `enum`.
    """

    name: str
    type: ParameterType
    description: str
    default: str | None = None
    minimum: str | None = None
    maximum: str | None = None
    values: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What it takes, such as ``a whole number, from 1 to 50``."""
        if self.values:
            return f"one of {', '.join(self.values)}"
        ends = (("from", self.minimum), ("to", self.maximum))
        limits = " ".join(f"{word} {end}" for word, end in ends if end is not None)
        return f"{FORMS[self.type].words}, {limits}" if limits else FORMS[self.type].words

    @property
    def usage(self) -> str:
        """How it is given: ``<workload>``, ``<to=active|standby>`` or ``[timeout=600s]``."""
        if self.default is not None:
            return f"[{self.name}={self.default}]"
        return f"<{self.name}={'|'.join(self.values)}>" if self.values else f"<{self.name}>"

    @property
    def is_number(self) -> bool:
        """Whether its values are whole numbers."""
        return self.type in (ParameterType.INTEGER, ParameterType.PERCENT)


@dataclass(frozen=True, slots=True)
class Form:
    """How a value is written: as a regular expression, in words, by an example."""

    pattern: str
    words: str
    example: str


_NAME = r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"
_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_OBJECT = f"{_NAME}/{_NAME}"
_HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(:[0-9]{1,5})?"
_PART = r"[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*"
_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
FORMS: Mapping[ParameterType, Form] = {
    ParameterType.STRING: Form(f"[^{_CONTROL}]{{0,500}}", "a text of one line", "text"),
    ParameterType.INTEGER: Form(r"-?[0-9]{1,9}", "a whole number", "1"),
    ParameterType.PERCENT: Form(
        r"[0-9]|[1-9][0-9]|100", "a percentage from 0 to 100, without the sign", "25"
    ),
    ParameterType.TIME: Form(
        r"2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z",
        "a time in UTC such as 2026-12-01T22:00:00Z",
        "2026-12-01T22:00:00Z",
    ),
    ParameterType.ENUM: Form(rf"[^\s{_CONTROL}]{{1,100}}", "one of its choices", "choice"),
    ParameterType.OBJECT: Form(_OBJECT, "an object as namespace/name", "payments/database"),
    ParameterType.NAMESPACE: Form(_LABEL, "a namespace’s name", "payments"),
    ParameterType.NAME: Form(_NAME, "an object’s name", "checkout"),
    ParameterType.IMAGE: Form(
        rf"(?!.{{501}})({_HOST}/)?{_PART}(/{_PART})*(:[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?(@sha256:[0-9a-f]{{64}})?",
        "a container image such as registry.example.com/shop/checkout:1.2.3",
        "registry.example.com/shop/checkout:1.2.3",
    ),
    ParameterType.DURATION: Form(
        r"[0-9]{1,6}(ms|s|m|h)", "a duration such as 30s, 10m or 1h", "30s"
    ),
    ParameterType.WORKLOAD: Form(_OBJECT, "a Deployment as namespace/name", "payments/checkout"),
    ParameterType.SERVICE: Form(_OBJECT, "a Service as namespace/name", "payments/checkout"),
    ParameterType.REVISION: Form(
        r"previous|[1-9][0-9]{0,8}", "a revision's number, or previous", "previous"
    ),
    ParameterType.URL: Form(
        rf"(https?://[^\s<>{_CONTROL}]{{1,2000}})?",
        "an http or https address, or nothing",
        "https://example.com/healthz",
    ),
}
"""Sources: Kubernetes' names are DNS subdomains (RFC 1123), a namespace's is a single label;
revisions are counted from 1; images as in distribution's reference grammar (reference.go)."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(duration: str) -> float:
    """A duration in seconds: ``10m`` is 600.0."""
    match = re.fullmatch(r"([0-9]{1,6})(ms|s|m|h)", duration)
    if match is None:
        raise InvalidInput(f"“{duration}” is not a duration; write it like 30s, 10m or 1h.")
    return int(match[1]) * _UNITS[match[2]]


def _number(text: str) -> float:
    return int(check_form(FORMS[ParameterType.INTEGER], "a limit", text))


def _timestamp(text: str) -> float:
    return moment(text).timestamp()


ORDERS: Mapping[ParameterType, Callable[[str], float]] = {
    ParameterType.INTEGER: _number,
    ParameterType.PERCENT: _number,
    ParameterType.DURATION: seconds,
    ParameterType.TIME: _timestamp,
}
"""For types whose values have an order: the place of a value. Raises `InvalidInput`."""

_SHOWN = 60
"""Characters of a refused value that are repeated to whoever sent it."""


def check_form(form: Form, name: str, value: str) -> str:
    """The value itself when it has the form; `InvalidInput` names it and says what is wrong."""
    if re.fullmatch(form.pattern, value) is None:
        raise InvalidInput(f"{name} must be {form.words}; it is “{_shown(value)}”.")
    return value


def check_value(parameter: Parameter, value: str) -> str:
    """The value itself when the parameter takes it; `InvalidInput` says what is wrong."""
    check_form(FORMS[parameter.type], parameter.name, value)
    if not (_is_choice(parameter, value) and _is_within(parameter, value)):
        raise InvalidInput(f"{parameter.name} must be {parameter.words}; it is “{_shown(value)}”.")
    return value


def _is_choice(parameter: Parameter, value: str) -> bool:
    return parameter.type is not ParameterType.ENUM or value in parameter.values


def _is_within(parameter: Parameter, value: str) -> bool:
    if parameter.type not in ORDERS:
        return True
    order = ORDERS[parameter.type]
    place = order(value)
    above = parameter.minimum is None or order(parameter.minimum) <= place
    return above and (parameter.maximum is None or place <= order(parameter.maximum))


def _shown(value: str) -> str:
    return value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
