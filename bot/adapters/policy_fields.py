"""What the policies' files have in common: how one is read, and texts that stand for values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, StringConstraints
from pydantic_core import PydanticCustomError

from bot.adapters.yaml_lines import LARGEST, FileProblems, Problem
from bot.domain.errors import InvalidInput

_Parsed = TypeVar("_Parsed")


Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]


def reader(kind: str, parse: Callable[[str], _Parsed]) -> BeforeValidator:
    """Reads a text with `parse`; what it can't read is a problem at the text's line."""

    def read(value: object) -> _Parsed:
        try:
            if not isinstance(value, str):
                raise InvalidInput(f"a {kind} is a text; put it in single quotes.")
            return parse(value)
        except InvalidInput as error:
            raise PydanticCustomError("text", "{reason}", {"reason": str(error)}) from error

    return BeforeValidator(read)


def content_of(path: Path) -> bytes:
    """The file's bytes, one more than `LARGEST` at most; `FileProblems` if it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise FileProblems((Problem(str(path), 1, f"{error.strerror}."),)) from error
