"""Label selectors, as Kubernetes matches them.

Source: the API reference's LabelSelector and "Labels and Selectors"
(https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Labels = Mapping[str, str]


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
