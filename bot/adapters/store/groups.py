"""The chat's user groups, as they were last read."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete
from sqlmodel import select

from bot.adapters.store.base import Part
from bot.adapters.tables import ChatGroupMemberRow


class GroupReads(Part):
    """What is known of user groups."""

    def groups_of(self, user_id: str) -> frozenset[str]:
        query = select(ChatGroupMemberRow.handle).where(ChatGroupMemberRow.user_id == user_id)
        return frozenset(self._session.exec(query))


class GroupWrites(GroupReads):
    """How they are replaced."""

    def save_groups(self, members: Mapping[str, frozenset[str]]) -> None:
        self._session.connection().execute(delete(ChatGroupMemberRow))
        for handle, user_ids in members.items():
            for user_id in user_ids:
                self._session.add(ChatGroupMemberRow(handle=handle, user_id=user_id))
