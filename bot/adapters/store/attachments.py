"""Files that steps made: kept beside the events, which hold their ids."""

from __future__ import annotations

from datetime import datetime

from bot.adapters.store.base import Part
from bot.adapters.tables import AttachmentRow
from bot.domain.errors import NotFound
from bot.domain.plan import Attachment


class AttachmentReads(Part):
    """The files, whole."""

    def attachment(self, attachment_id: int) -> Attachment:
        row = self._session.get(AttachmentRow, attachment_id)
        if row is None:
            raise NotFound(f"There is no attachment {attachment_id}.")
        return Attachment(row.name, row.media_type, row.content, row.id)


class AttachmentWrites(AttachmentReads):
    """How files are kept."""

    def keep_attachment(self, attachment: Attachment, run_id: int, at: datetime) -> int:
        return self._allot(
            AttachmentRow(
                run_id=run_id,
                name=attachment.name,
                media_type=attachment.media_type,
                at=at.isoformat(),
                content=attachment.content,
            )
        )
