"""Who types on the command line."""

from __future__ import annotations

import os

from bot.domain.actor import Actor, ActorKind


def operator() -> Actor:
    """The operating system's user, whatever the environment says."""
    import pwd  # Unix only, as is whoever it names; the other commands do without

    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = f"user {number}"
    return Actor(ActorKind.PERSON, f"os:{number}", name)
