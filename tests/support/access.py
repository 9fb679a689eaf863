"""Access policies for tests."""

from __future__ import annotations

from bot.app.access import Access
from bot.domain.access import EVERYBODY, AccessPolicy, ApprovalRule, Role
from bot.ports import Clock

OPEN_TO_ALL = AccessPolicy(
    roles=dict.fromkeys(Role, (EVERYBODY,)),
    rules=(ApprovalRule("nothing needs approval", {}),),
)
"""Everybody may do everything, and no run needs an approval."""

NOBODY = AccessPolicy(roles={}, rules=OPEN_TO_ALL.rules)
"""Nobody may do anything; what is asked for nevertheless needs no approval."""


def access(clock: Clock, policy: AccessPolicy = OPEN_TO_ALL) -> Access:
    """The decisions by that policy."""
    return Access(lambda: policy, clock)
