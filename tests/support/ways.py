"""Ways to reach people that only write down what they were asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.domain.errors import TemporaryError
from bot.domain.notice import Notice
from bot.domain.page import Page


@dataclass
class ListPager:
    """Implements the `Pager` port on a list of actions and keys; while `dark` nothing answers."""

    told: list[tuple[str, str]] = field(default_factory=list)
    dark: bool = False

    def trigger(self, page: Page) -> None:
        self._tell("trigger", page.dedup_key)

    def acknowledge(self, dedup_key: str) -> None:
        self._tell("acknowledge", dedup_key)

    def resolve(self, dedup_key: str) -> None:
        self._tell("resolve", dedup_key)

    def _tell(self, action: str, dedup_key: str) -> None:
        if self.dark:
            raise TemporaryError("The second pager does not answer.")
        self.told.append((action, dedup_key))


@dataclass
class ListNotifier:
    """Implements the `Notifier` port on a list; while `dark` nothing answers."""

    sent: list[tuple[str, Notice]] = field(default_factory=list)
    dark: bool = False

    def notify(self, name: str, notice: Notice) -> None:
        if self.dark:
            raise TemporaryError("The gateway does not answer.")
        self.sent.append((name, notice))
