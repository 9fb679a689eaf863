"""What pydantic found wrong with a file's data, said with the lines of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.adapters.yaml_lines import Lines, Path, Problem
from bot.domain.nearest import guess

_MANY = 20
"""More names than anybody reads in one sentence."""

_MAPPING_KEY = "[key]"
"""What pydantic puts at the end of a location that is a mapping's key."""


def model_problems(
    error: ValidationError, lines: Lines, path_of: Callable[[Path], Path] = lambda path: path
) -> Iterator[tuple[Path, Problem]]:
    """Every error with its path; `path_of` turns the model's location into the file's path."""
    for details in error.errors(include_url=False):
        path = path_of(details["loc"])
        yield path, _problem(details, lines, path)


def _problem(details: ErrorDetails, lines: Lines, path: Path) -> Problem:
    if path and path[-1] == _MAPPING_KEY:
        path = path[:-1]
    if details["type"].startswith("union_tag"):
        path = (*path, details["ctx"]["discriminator"].strip("'"))
    return lines.problem(path, _sentence(details, _name(path)))


def _name(path: Path) -> str:
    """The value's key; in a list, that of the list and the place in it, counted from 1."""
    match path:
        case ():
            return "the file"
        case (*_, str(key)):
            return key
        case (*outer, int(index)):
            return f"{_name(tuple(outer))} {index + 1}"
    raise AssertionError(f"{path} holds neither keys nor indices")


def _sentence(details: ErrorDetails, name: str) -> str:
    message = details["msg"]
    match details["type"]:
        case "missing" | "union_tag_not_found":
            return f"“{name}” is missing."
        case "extra_forbidden":
            return f"“{name}” is not known here."
        case "model_type" | "dict_type":
            return f"“{name}” has to hold keys with values."
        case "union_tag_invalid":
            return _unknown(name, details["ctx"]["tag"], details["ctx"]["expected_tags"])
        case _:
            # Our own validators speak in whole sentences, pydantic's don't end with a stop.
            return message if message.endswith(".") else f"“{name}”: {message}."


def _unknown(name: str, word: str, expected: str) -> str:
    """Say what there is or, where that is much to read, what was meant most likely."""
    known = [each.strip().strip("'") for each in expected.split(",")]
    meant = guess(word, known) if len(known) > _MANY else ""
    there_are = "" if meant else f"; there are {expected}"
    return f"there is no {name} “{word}”{there_are}.{meant}"
