"""How steps speak about pods."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.cluster import Pod
from bot.domain.excerpt import counted

_NAMED = 5
"""Pods that are named one by one; more would bury the sentence."""


def ready_count(pods: Sequence[Pod]) -> int:
    """How many of the pods are ready."""
    return sum(pod.ready for pod in pods)


def unready(pods: Sequence[Pod]) -> str:
    """A sentence that names the pods that aren't ready and says why, or empty."""
    waiting = [pod for pod in pods if not pod.ready]
    if not waiting:
        return ""
    named = "; ".join(map(_pod, waiting[:_NAMED]))
    more = f"; and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
    return f"Not ready: {named}{more}."


def _pod(pod: Pod) -> str:
    restarts = f", {counted(pod.restarts, 'restart')}" if pod.restarts else ""
    return f"{pod.name} ({pod.reason or pod.phase}{restarts})"
