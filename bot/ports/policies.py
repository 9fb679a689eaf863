"""The versions of the policy files that were ever in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A version by the SHA-256 of its bytes, and when it was last taken in (UTC)."""

    digest: str
    taken_in_at: datetime


class PolicyVersions(Protocol):
    """What is known of the versions; their texts are `Reader.policy_text`'s."""

    def newest(self, name: str, limit: int) -> Sequence[PolicyVersion]:
        """Those of the file with that name (``severity.yaml``), the last taken in first."""
        ...
