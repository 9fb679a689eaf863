"""Drafts of runbooks as a library, so that they can be rehearsed before they are released."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.runbook import Runbook
from bot.ports import RunbookLibrary


class WithDrafts:
    """The `RunbookLibrary` port: the drafts, by name, stand for the newest versions."""

    def __init__(self, library: RunbookLibrary, drafts: Mapping[str, Runbook]) -> None:
        self._library = library
        self._drafts = drafts

    def names(self) -> Sequence[str]:
        return sorted({*self._library.names(), *self._drafts})

    def versions(self, name: str) -> Sequence[str]:
        """The released ones, newest first; of what is a draft only, that."""
        if name in self._drafts and name not in self._library.names():
            return (self._drafts[name].version,)
        return self._library.versions(name)

    def get(self, reference: str) -> Runbook:
        """The draft, unless a version is asked for. Raises as the library does."""
        return self._drafts.get(reference) or self._library.get(reference)
