"""Where alerts go: what ``policy/routing.yaml`` says, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.domain.correlation import Correlation, default_correlations
from bot.domain.flapping import Flapping
from bot.domain.grouping import Grouping
from bot.domain.heartbeat import Heartbeat, default_heartbeats
from bot.domain.storm import StormLimits


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    """How alerts are grouped, correlated, bounded and damped, and which are heartbeats.

    The defaults are those of the shipped file. `digest` is the SHA-256 of the file's
    bytes, empty for a policy that came from none.
    """

    grouping: Grouping = field(default_factory=Grouping)
    correlations: tuple[Correlation, ...] = field(default_factory=default_correlations)
    storm: StormLimits = field(default_factory=StormLimits)
    flapping: Flapping = field(default_factory=Flapping)
    heartbeats: tuple[Heartbeat, ...] = field(default_factory=default_heartbeats)
    digest: str = ""
