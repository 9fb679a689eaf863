"""A stage for rehearsals: a cluster in memory, a clock that jumps, and faults at their moment."""

from bot.sandbox.rehearsal.clock import VirtualClock
from bot.sandbox.rehearsal.kinds import Rehearsed
from bot.sandbox.rehearsal.stage import Stage

__all__ = ["Rehearsed", "Stage", "VirtualClock"]
