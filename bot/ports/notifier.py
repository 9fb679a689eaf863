"""Ways to reach a person when the pager is dark: e-mail, SMS, push messages."""

from __future__ import annotations

from typing import Protocol

from bot.domain.notice import Notice


class Notifier(Protocol):
    """Sends notices; each way has a name in the settings, and its address stays there."""

    def notify(self, name: str, notice: Notice) -> None:
        """Send it once, by the way of that name; returning means that it was accepted.

        Raises `NotFound` when there is no such way. A repeat is a second message: nothing
        at the other end tells the two apart.
        """
        ...
