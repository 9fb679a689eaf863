"""The Alertmanagers that are known to be among those asked, by what they call themselves."""

from __future__ import annotations

from collections.abc import Collection

from sqlmodel import col, select

from bot.adapters.store.base import Part
from bot.adapters.tables import AskedOriginRow


class OriginReads(Part):
    """What is known of them."""

    def asked_origins(self, members: Collection[str]) -> frozenset[str]:
        query = select(AskedOriginRow.origin).where(col(AskedOriginRow.members) == _line(members))
        return frozenset(self._session.exec(query))


class OriginWrites(OriginReads):
    """How they are written down."""

    def save_asked_origins(self, members: Collection[str], origins: Collection[str]) -> None:
        line = _line(members)
        rows = [{"origin": one, "members": line} for one in sorted(origins)]
        self._upsert(AskedOriginRow, "origin", rows)


def _line(members: Collection[str]) -> str:
    return " ".join(sorted(members))
