"""Files that steps made, such as graphs: kept beside the record, shown to whoever reads it.

An event holds an attachment's id and name only: a picture in it would be read again with
every look at the timeline.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.errors import NotFound
from bot.domain.plan import Attachment, StepOutcome
from bot.domain.run_events import RunEvent, StepFinished, UndoFinished
from bot.ports import Store, Transaction


def keep_attachments(tx: Transaction, run_id: int, event: RunEvent, now: datetime) -> RunEvent:
    """The event as it may be written down: what is attached to its outcome is kept elsewhere."""
    if not isinstance(event, StepFinished | UndoFinished) or not event.outcome.attachments:
        return event
    return replace(event, outcome=_kept(tx, run_id, event.outcome, now))


def _kept(tx: Transaction, run_id: int, outcome: StepOutcome, now: datetime) -> StepOutcome:
    kept = (
        replace(one, content=b"", id=tx.keep_attachment(one, run_id, now))
        for one in outcome.attachments
    )
    return replace(outcome, attachments=tuple(kept))


class Attachments:
    """The attachments, to be looked at."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def shown(self, attachment_id: int) -> Attachment:
        """Raises `NotFound`, also for a file that is neither a picture nor plain text."""
        with self._store.read() as reader:
            found = reader.attachment(attachment_id)
        if not found.shown:
            raise NotFound(f"Attachment {attachment_id} can’t be shown.")
        return found
