"""The text model that is shipped, ``text_model.json``, read into `domain/text_model.py`'s values.

The file holds word classes and whole-number weights; `tools/train_text_model.py` writes it.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import msgspec

from bot.domain.errors import InvalidInput
from bot.domain.text_model import TextModel, Weights, WordClasses

FILE = Path(__file__).with_suffix(".json")

_Whole = tuple[int, int, int, int]


class _TextModelFile(msgspec.Struct, forbid_unknown_fields=True):
    """`scale` is what a weight of 1 is written as; weights are for P0 to P3."""

    about: str
    scale: int
    classes: dict[str, str]
    severities: dict[str, _Whole]
    weights: dict[str, dict[str, _Whole]]


def read_text_model(path: Path) -> TextModel:
    """The model in the file. `OSError` where it can't be read, `InvalidInput` for garbage."""
    content = path.read_bytes()
    try:
        file = msgspec.json.decode(content, type=_TextModelFile)
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"{path} is no text model: {error}") from error
    weights = {kind: _weights(found, file.scale) for kind, found in file.weights.items()}
    return TextModel(
        _weights(file.severities, file.scale),
        weights,
        WordClasses(file.classes),
        hashlib.sha256(content).hexdigest(),
    )


@cache
def shipped_text_model() -> TextModel | None:
    """The model of this release; None where its file was left out, and the rules decide alone."""
    return read_text_model(FILE) if FILE.is_file() else None


def _weights(found: dict[str, _Whole], scale: int) -> dict[str, Weights]:
    return {
        token: (p0 / scale, p1 / scale, p2 / scale, p3 / scale)
        for token, (p0, p1, p2, p3) in found.items()
    }
