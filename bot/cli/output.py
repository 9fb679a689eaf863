"""How commands print, and how they fail."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from bot.domain.errors import TocsinError

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def plain_errors() -> Iterator[None]:
    """What a person can mend is said in words, without a traceback; exit status 1."""
    try:
        yield
    except TocsinError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error


def print_as(data: object, as_json: bool, text: str) -> None:
    """Print `data` as JSON, or else `text`."""
    print(json.dumps(data, indent=2, ensure_ascii=False, default=str) if as_json else text)
