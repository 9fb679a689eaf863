"""Puts the graphs that a run drew below its message in the chat, in one reply.

What is there already is not put there again. Who may not upload loses nothing: the graphs
are on the run's page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bot.app.retry import ask_again
from bot.domain.effects import SharePictures
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.message import MessageRef, SharedFile, Subject, SubjectKind
from bot.domain.run import Run
from bot.ports import Chat, Reader, Store


class PictureDelivery:
    """Does `SharePictures` effects."""

    def __init__(self, store: Store, chat: Chat, jitter: Callable[[], float]) -> None:
        self._store = store
        self._chat = chat
        self._jitter = jitter

    def share(self, effect: SharePictures) -> None:
        """Share what is not there yet. Raises `PermanentError` for a refusal of the chat."""
        with self._store.read() as reader:
            run = reader.run(effect.run_id)
            posted = reader.message(Subject(SubjectKind.RUN, run.id))
            pictures = list(_pictures(reader, run))
        try:
            if posted is None or posted.ref is None:
                raise TemporaryError("The run's message is not posted yet.")
            there = self._there(posted.ref)
            missing = [one for one in pictures if one.name not in there]
            if missing:
                self._chat.share(posted.ref, f"Graphs of run {run.id}: {run.title}", missing)
        except TemporaryError as error:
            with self._store.transaction() as tx:
                ask_again(tx, effect, error.retry_after, self._jitter())

    def _there(self, ref: MessageRef) -> frozenset[str]:
        try:
            return self._chat.shared(ref)
        except PermanentError:
            return frozenset()  # shown twice is better than not shown


def _pictures(reader: Reader, run: Run) -> Iterator[SharedFile]:
    for outcome in (record.outcome for record in run.steps if record.outcome):
        for one in outcome.attachments:
            if one.is_picture and one.id is not None:
                kept = reader.attachment(one.id)
                yield SharedFile(kept.name, outcome.summary, kept.content)
