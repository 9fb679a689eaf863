"""Which incidents are only the consequence of another: a node is down, and so are its pods.

A parent and its child meet where certain labels of both are equal. Each of them gets a
key made of those labels, and they meet if and only if their keys are equal: so finding
the other one is a look-up, in whichever order the two arrive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.grouping import all_hold, label_key, label_value
from bot.domain.matcher import Matcher, Operator, Place


@dataclass(frozen=True, slots=True)
class Correlation:
    """Alerts that match `child` belong to one that matches `parent`, nearby in time.

    The labels in `equal` must be there and equal on both; those in `also_equal` must be
    equal too, but may be missing on both, such as a cluster's name where there is one
    cluster only. `within` is how far the two incidents' openings may lie apart.
    """

    id: str
    parent: tuple[Matcher, ...]
    child: tuple[Matcher, ...]
    equal: tuple[str, ...]
    within: timedelta
    also_equal: tuple[str, ...] = ()

    def is_parent(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels can have children."""
        return self._complete(labels) and all_hold(self.parent, labels)

    def is_child(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels can belong to another; no parent can."""
        return (
            self._complete(labels)
            and all_hold(self.child, labels)
            and not all_hold(self.parent, labels)
        )

    def key(self, labels: Mapping[str, str]) -> CorrelationKey:
        """The key by which a parent or a child with these labels meets the other."""
        names = (*self.equal, *self.also_equal)
        return CorrelationKey(self.id, f"{self.id}:{label_key(names, labels)}", self.within)

    def _complete(self, labels: Mapping[str, str]) -> bool:
        return all(label_value(labels, name) for name in self.equal)


@dataclass(frozen=True, slots=True)
class CorrelationKey:
    """The `key` to look the other one up by, and `within` which time of one's own opening.

    `correlation` is the correlation's id, with which it is explained to people.
    """

    correlation: str
    key: str
    within: timedelta


def parent_keys(
    correlations: Iterable[Correlation], labels: Mapping[str, str]
) -> tuple[CorrelationKey, ...]:
    """The keys under which an alert with these labels gathers children."""
    return tuple(one.key(labels) for one in correlations if one.is_parent(labels))


def child_keys(
    correlations: Iterable[Correlation], labels: Mapping[str, str]
) -> tuple[CorrelationKey, ...]:
    """The keys under which an alert with these labels looks for its parent."""
    return tuple(one.key(labels) for one in correlations if one.is_child(labels))


_NODE_DOWN = r"(?i)(kube(rnetes)?|k8s|worker)?_?node_?(is_?)?(down|not_?ready|unreachable)"


def default_correlations() -> tuple[Correlation, ...]:
    """Those of the shipped ``policy/routing.yaml``, which says why they are as they are."""
    return (
        Correlation(
            id="node-down",
            parent=(_named(_NODE_DOWN),),
            child=(Matcher(Place.LABEL, "pod", Operator.NOT_EQUAL, ""),),
            equal=("node",),
            also_equal=("cluster",),
            within=timedelta(minutes=15),
        ),
    )


def _named(pattern: str) -> Matcher:
    return Matcher(Place.LABEL, "alertname", Operator.MATCHES, pattern, re.compile(pattern))
