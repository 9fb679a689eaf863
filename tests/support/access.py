"""Access policies for tests."""

from __future__ import annotations

from bot.app.access import Access
from bot.domain.access import Person
from bot.domain.access_policy import EVERYBODY, AccessPolicy, ApprovalRule, Role
from bot.domain.actor import Actor, ActorKind
from bot.ports import Clock
from tests.support.examples import ANA, BEN, CHEN

OPEN_TO_ALL = AccessPolicy(
    roles=dict.fromkeys(Role, (EVERYBODY,)),
    rules=(ApprovalRule("nothing needs approval", {}),),
)
"""Everybody may do everything, and no run needs an approval."""

NOBODY = AccessPolicy(roles={}, rules=OPEN_TO_ALL.rules)
"""Nobody may do anything; what is asked for nevertheless needs no approval."""


SHELL = Actor(ActorKind.PERSON, "os:1000", "ana")
TEAM = AccessPolicy(
    roles={
        Role.VIEWER: ("*",),
        Role.RESPONDER: ("@sre", ANA.id),
        Role.COMMANDER: (BEN.id,),
        Role.APPROVER: ("@leads",),
        Role.ADMIN: ("UADMIN",),
    },
    people={"ana": (ANA.id, SHELL.id)},
    kinds={"security": ("@sec", CHEN.id), "operations": ("*",)},
    environments={"staging": ("*-staging", "dev-?")},
)
"""Each role and kind of approval has members, some by their groups; ana is known in two places."""


def person(actor: Actor = BEN, *groups: str) -> Person:
    """Somebody, and the groups they are in."""
    return Person(actor, frozenset(groups))


def access(clock: Clock, policy: AccessPolicy = OPEN_TO_ALL) -> Access:
    """The decisions by that policy."""
    return Access(lambda: policy, clock)
