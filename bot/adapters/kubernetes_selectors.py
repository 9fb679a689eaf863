"""Label selectors, as Kubernetes matches them.

Source: the API reference's LabelSelector and "Labels and Selectors"
(https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.domain.errors import InvalidInput

LABEL_TEXT = re.compile(r"[A-Za-z0-9._/-]*")
"""The characters of labels' keys and values; no others may reach a selector's text."""

Labels = Mapping[str, str]


def selector_text(selector: Labels) -> str:
    """Write `selector` as the `labelSelector` parameter of a list.

    Raises:
        InvalidInput: a key or value holds what no label holds, such as a comma.
    """
    for text in (*selector, *selector.values()):
        if not LABEL_TEXT.fullmatch(text):
            raise InvalidInput(f"{text!r} can't be part of a Kubernetes label")
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))


def includes(selector: Labels | None, labels: Labels) -> bool:
    """Whether a Service's selector matches; an absent or empty one matches nothing."""
    return bool(selector) and _all_equal(selector or {}, labels)


def selects(selector: Mapping[str, Any] | None, labels: Labels) -> bool:
    """Whether a LabelSelector matches; an absent one matches nothing, an empty one everything."""
    if selector is None:
        return False
    expressions = selector.get("matchExpressions") or ()
    return _all_equal(selector.get("matchLabels") or {}, labels) and all(
        _satisfied(expression, labels) for expression in expressions
    )


def _all_equal(selector: Labels, labels: Labels) -> bool:
    return all(labels.get(key) == value for key, value in selector.items())


def _satisfied(expression: Mapping[str, Any], labels: Labels) -> bool:
    """Whether one requirement holds; `NotIn` also holds where the label is absent."""
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
    return key not in labels
