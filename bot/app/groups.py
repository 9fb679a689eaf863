"""Keeps the members of the chat's user groups at hand, since a button can't wait for the chat."""

from __future__ import annotations

from collections.abc import Callable

from bot.domain.access_policy import AccessPolicy
from bot.ports import Chat, Store

EVERY = 300.0
"""Seconds between two readings; whoever joins a group may act for it after as long at most."""


class GroupWatch:
    """Reads the groups that the access policy mentions."""

    def __init__(self, policy: Callable[[], AccessPolicy], chat: Chat, store: Store) -> None:
        self._policy = policy
        self._chat = chat
        self._store = store

    def look(self) -> None:
        """Read them; raises what the chat's adapter raises, and then all stays as it was known."""
        wanted = self._policy().groups
        members = self._chat.members_of(wanted) if wanted else {}
        with self._store.transaction() as tx:
            tx.save_groups(members)
