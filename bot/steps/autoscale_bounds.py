"""`kubernetes.autoscale_bounds`: between which numbers of pods an autoscaler may choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from bot.domain.cluster import ObjectRef
from bot.domain.errors import PermanentError
from bot.domain.resource import Resource
from bot.steps.arguments import SENTENCE, Arguments
from bot.steps.object_arguments import ObjectPath
from bot.steps.object_change import ObjectChange, Patch
from bot.steps.scale import AUTOSCALER

Bound = Annotated[int, Field(ge=1, le=10_000)]


class AutoscaleBoundsArguments(Arguments):
    """Which HorizontalPodAutoscaler, and the bounds to set; one that isn't given stays."""

    autoscaler: ObjectPath
    minimum: Bound | None = None
    maximum: Bound | None = None

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if self.minimum is None and self.maximum is None:
            raise PydanticCustomError(SENTENCE, "Give minimum or maximum, or both.")
        return self

    @property
    def bounds(self) -> Mapping[str, int]:
        """What is to be set, by the names of the object's fields."""
        given = {"minReplicas": self.minimum, "maxReplicas": self.maximum}
        return {field: value for field, value in given.items() if value is not None}

    @property
    def said(self) -> str:
        """The bounds in words."""
        words = {"minReplicas": "minimum", "maxReplicas": "maximum"}
        return " and ".join(f"{words[field]} {value}" for field, value in self.bounds.items())


class AutoscaleBounds(ObjectChange[AutoscaleBoundsArguments]):
    """Sets the bounds of an autoscaler, which then acts by itself."""

    name = "kubernetes.autoscale_bounds"
    arguments = AutoscaleBoundsArguments
    decides = frozenset({"previous_minimum", "previous_maximum"})

    def intent(self, arguments: AutoscaleBoundsArguments) -> str:
        return f"Set autoscaler {arguments.autoscaler} to {arguments.said} pods."

    def done(self, arguments: AutoscaleBoundsArguments) -> str:
        return f"Autoscaler {arguments.autoscaler} is set to {arguments.said} pods."

    def ref(self, arguments: AutoscaleBoundsArguments) -> ObjectRef:
        namespace, _, name = arguments.autoscaler.rpartition("/")
        return ObjectRef(AUTOSCALER, namespace, name)

    def patch(self, arguments: AutoscaleBoundsArguments, live: Resource) -> Patch:
        minimum, maximum = _bounds({**live.body["spec"], **arguments.bounds})
        if minimum > maximum:
            raise PermanentError(
                f"Autoscaler {arguments.autoscaler} would have the minimum {minimum} "
                f"above the maximum {maximum}; give both."
            )
        return {"spec": dict(arguments.bounds)}

    def decided(self, arguments: AutoscaleBoundsArguments, live: Resource) -> Mapping[str, str]:
        minimum, maximum = _bounds(live.body["spec"])
        return {"previous_minimum": str(minimum), "previous_maximum": str(maximum)}


def _bounds(spec: Mapping[str, int]) -> tuple[int, int]:
    return spec.get("minReplicas", 1), spec["maxReplicas"]
