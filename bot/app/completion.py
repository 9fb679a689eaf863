"""Which values a runbook's parameter can take in the cluster as it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.cluster import DEPLOYMENT, SERVICE, ObjectRef
from bot.domain.parameter import Parameter, ParameterType
from bot.domain.runbook import Runbook
from bot.ports import Cluster, Objects


class Completion:
    """Looks candidates up. Raises `TemporaryError` or `PermanentError` when it can't."""

    def __init__(self, cluster: Cluster, objects: Objects) -> None:
        self._cluster = cluster
        self._objects = objects

    def candidates(
        self, runbook: Runbook, parameter: Parameter, given: Mapping[str, str]
    ) -> Sequence[str]:
        """The values, sorted; none for a type that the cluster knows nothing about.

        `given` are the values chosen so far: a revision is one of the chosen workload's.
        """
        match parameter.type:
            case ParameterType.ENUM:
                return parameter.values
            case ParameterType.WORKLOAD:
                return sorted(_path(it.ref) for it in self._cluster.deployments())
            case ParameterType.SERVICE:
                return sorted(_path(it.ref) for it in self._objects.find(SERVICE, "", {}))
            case ParameterType.NAMESPACE:
                return sorted(it.ref.name for it in self._objects.find("namespace", "", {}))
            case ParameterType.REVISION:
                return self._revisions(runbook, given)
            case _:
                return ()

    def _revisions(self, runbook: Runbook, given: Mapping[str, str]) -> Sequence[str]:
        """The newest first; empty before a workload is chosen."""
        workloads = (it for it in runbook.parameters if it.type is ParameterType.WORKLOAD)
        chosen = next((given[it.name] for it in workloads if it.name in given), None)
        if chosen is None:
            return ()
        namespace, _, name = chosen.partition("/")
        history = self._cluster.revisions(ObjectRef(DEPLOYMENT, namespace, name))
        return ["previous", *(str(it.number) for it in history if not it.current)]


def _path(ref: ObjectRef) -> str:
    return f"{ref.namespace}/{ref.name}"
