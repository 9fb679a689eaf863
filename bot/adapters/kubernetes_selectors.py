"""Label and field selectors, as a list of the API server takes them."""

from __future__ import annotations

import re

from bot.domain.errors import InvalidInput
from bot.domain.selectors import Labels

LABEL_TEXT = re.compile(r"[A-Za-z0-9._/-]*")
"""The characters of labels' keys and values; no others may reach a selector's text."""


def selector_text(selector: Labels) -> str:
    """Write `selector` as the `labelSelector` parameter of a list.

    Raises:
        InvalidInput: a key or value holds what no label holds, such as a comma.
    """
    for text in (*selector, *selector.values()):
        if not LABEL_TEXT.fullmatch(text):
            raise InvalidInput(f"{text!r} can't be part of a Kubernetes label")
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
