"""What somebody is told outside of pager and chat: by e-mail, SMS, push message or the like."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.classify import Severity


@dataclass(frozen=True, slots=True)
class Notice:
    """A short message to a person who is far from a screen.

    All texts are plain and hostile: they hold whatever an alert's label held. The notifier
    puts the level before the title, and shortens what its way can't carry.
    """

    title: str
    body: str
    level: Severity
    link: str = ""
    """Where to read on (an absolute http or https URL), or empty; another link is left out."""
