"""Which pods a step is about: those of a Deployment or those behind a Service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from bot.domain.cluster import Service
from bot.domain.errors import PermanentError
from bot.ports import Cluster
from bot.steps.arguments import (
    SENTENCE,
    Arguments,
    ServiceName,
    Workload,
    deployment_ref,
    service_ref,
)


class SelectionArguments(Arguments):
    """The pods of a Deployment (`workload`) or behind a Service (`service`)."""

    workload: Workload | None = None
    service: ServiceName | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.workload is None) == (self.service is None):
            raise PydanticCustomError(SENTENCE, "Give either workload or service.")
        return self

    @property
    def subject(self) -> str:
        """What the pods belong to, in words."""
        return f"Deployment {self.workload}" if self.workload else f"Service {self.service}"


@dataclass(frozen=True, slots=True)
class Selection:
    """Pods by their labels; `desired` is how many there should be, where that is known."""

    namespace: str
    selector: Mapping[str, str]
    desired: int | None


def select(arguments: SelectionArguments, cluster: Cluster) -> Selection:
    """The selection as the cluster has it now.

    Raises:
        NotFound: the Deployment or Service does not exist.
        PermanentError: the Service selects no pods by labels.
    """
    if arguments.workload is not None:
        deployment = cluster.deployment(deployment_ref(arguments.workload))
        return Selection(deployment.ref.namespace, deployment.selector, deployment.desired)
    assert arguments.service is not None, "the model has checked that one of them is there"
    service = cluster.service(service_ref(arguments.service))
    return Selection(service.ref.namespace, selector_of(service), None)


def selector_of(service: Service) -> Mapping[str, str]:
    """The Service's selector; none at all would match every pod of the namespace."""
    if not service.selector:
        raise PermanentError(
            f"Service {service.ref.namespace}/{service.ref.name} has no selector, "
            "so Kubernetes does not choose its pods."
        )
    return service.selector
