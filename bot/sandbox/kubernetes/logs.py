"""The logs of the stand-in's containers, which never ran: lines that tell whose they are."""

from __future__ import annotations

from bot.sandbox.kubernetes.pods import waiting_reason
from bot.sandbox.kubernetes.refusals import Refusal
from bot.sandbox.kubernetes.store import Json

LINES = 20


def log_of(pod: Json, container: str, previous: bool) -> list[str]:
    """Return the lines.

    Raises:
        Refusal: there is no such container, or it has not run (yet, or before).
    """
    name = pod["metadata"]["name"]
    names = [one["name"] for one in pod["spec"]["containers"]]
    chosen = container or names[0]
    if chosen not in names:
        raise Refusal(400, f"container {chosen} is not valid for pod {name}")
    reason = waiting_reason(pod)
    if reason not in ("", "CrashLoopBackOff"):
        said = f'container "{chosen}" in pod "{name}" is waiting to start: {reason}'
        raise Refusal(400, said)
    if previous and not pod["status"]["containerStatuses"][0]["restartCount"]:
        said = f'previous terminated container "{chosen}" in pod "{name}" not found'
        raise Refusal(400, said)
    return [f"{pod['metadata']['namespace']}/{name}/{chosen} line {n}" for n in range(LINES)]
