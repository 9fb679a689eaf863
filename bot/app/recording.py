"""Making a rehearsal of a run that has ended."""

from __future__ import annotations

from dataclasses import dataclass

from bot.app.runs import Runs
from bot.domain.errors import InvalidInput, NotFound
from bot.domain.rehearsal_record import Recorded, rehearsal_of
from bot.domain.resource import Resource
from bot.ports import Objects


@dataclass(frozen=True, slots=True)
class Recording:
    """Records runs; it reads the cluster as it is now and changes nothing."""

    runs: Runs
    objects: Objects

    def record(self, run_id: int) -> Recorded:
        """The rehearsal of a run.

        Raises `NotFound` if there is no such run, `InvalidInput` if it has not ended, and what
        the cluster raises.
        """
        run = self.runs.get(run_id)
        if not run.state.final:
            raise InvalidInput(f"Run {run_id} has not ended; record it when it has.")
        found: list[Resource] = []
        gone: list[str] = []
        for ref in sorted({target.ref for target in (run.plan.targets if run.plan else ())}):
            try:
                found.append(self.objects.read(ref))
            except NotFound:
                gone.append(str(ref))
        return Recorded(run, rehearsal_of(run, found), tuple(gone))
