"""What the arguments of all step kinds share: their base, and the forms of their values.

Values stay the text that a runbook or a person wrote (``600s``, ``payments/checkout``),
so that they can be shown as they were given; the functions here read them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from bot.domain.cluster import DEPLOYMENT, SERVICE, ObjectRef
from bot.domain.errors import InvalidInput
from bot.domain.parameter import FORMS, Form, ParameterType, check_form

SENTENCE = "sentence"
"""The type of those pydantic errors whose message is a whole sentence that names its field."""


class Arguments(BaseModel):
    """The base of every kind's arguments: unknown keys are errors, values don't change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """The arguments in these JSON values; `InvalidInput` says all that is wrong with them."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            raise InvalidInput(" ".join(map(_sentence, found))) from error


def _sentence(error: Mapping[str, Any]) -> str:
    if error["type"] == SENTENCE:
        return str(error["msg"])
    place = ".".join(map(str, error["loc"])) or "arguments"
    return f"{place}: {error['msg']}."


@dataclass(frozen=True, slots=True)
class Formed:
    """Marks a text that must have a certain form."""

    form: Form

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check the form after it is known to be text."""
        return core_schema.with_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Tell the form to editors; where it takes a number, YAML needs no quotes for one."""
        numeric = re.fullmatch(self.form.pattern, "1")
        return {
            **handler(schema),
            "type": ["string", "integer"] if numeric else "string",
            "pattern": f"^({self.form.pattern})$",
            "examples": [self.form.example],
        }

    def _check(self, value: str, info: ValidationInfo) -> str:
        try:
            return check_form(self.form, info.field_name or "value", value)
        except InvalidInput as error:
            raise PydanticCustomError(SENTENCE, "{reason}", {"reason": str(error)}) from error


Duration = Annotated[str, Formed(FORMS[ParameterType.DURATION])]
Workload = Annotated[str, Formed(FORMS[ParameterType.WORKLOAD])]
ServiceName = Annotated[str, Formed(FORMS[ParameterType.SERVICE])]
RevisionName = Annotated[str, Formed(FORMS[ParameterType.REVISION])]
Namespace = Annotated[str, Formed(FORMS[ParameterType.NAMESPACE])]
ObjectName = Annotated[str, Formed(FORMS[ParameterType.NAME])]
Image = Annotated[str, Formed(FORMS[ParameterType.IMAGE])]
Url = Annotated[str, Formed(FORMS[ParameterType.URL])]
Word = Annotated[str, Field(coerce_numbers_to_str=True, max_length=4000)]
"""A text inside a list or mapping, where a placeholder of a whole number becomes a number."""
LabelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,316}$")]
LabelValue = Annotated[Word, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,62})?$")]


def deployment_ref(workload: str) -> ObjectRef:
    """The Deployment that ``namespace/name`` means."""
    namespace, _, name = workload.partition("/")
    return ObjectRef(DEPLOYMENT, namespace, name)


def service_ref(service: str) -> ObjectRef:
    """The Service that ``namespace/name`` means."""
    namespace, _, name = service.partition("/")
    return ObjectRef(SERVICE, namespace, name)
