"""The access policy (``policy/access.yaml``) as values: roles, people, rules about approvals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from bot.domain.runbook import Risk


class Role(StrEnum):
    """What somebody may do; the kinds of approval are beside them (`AccessPolicy.kinds`)."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    COMMANDER = "commander"
    APPROVER = "approver"
    ADMIN = "admin"


EVERYBODY = "*"
SHELL = "os:"
"""How the ids of operating system users begin (`cli/person.py`)."""

APPROVER = Role.APPROVER.value
"""The kind of approval that whoever has that role gives; others have names of their own."""


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """Which runs need which approvals; a condition that is empty holds for every run.

    `runbooks`, `namespaces` are patterns such as ``failover-*``; `needs` is how many
    approvals of which kind, none at all for a run that only has to be started.
    """

    id: str
    needs: Mapping[str, int]
    runbooks: tuple[str, ...] = ()
    risks: tuple[Risk, ...] = ()
    namespaces: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    valid_for: timedelta = timedelta(hours=1)
    """How long a plan may wait, and an approval holds; the cluster moves on meanwhile."""


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """The whole policy. Members are user ids, ``@group`` handles, or ``*`` for everybody."""

    roles: Mapping[Role, tuple[str, ...]]
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The ids that belong to one person, in the chat and on the command line (``os:1000``)."""
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    environments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Patterns of the namespaces that belong to each environment."""
    rules: tuple[ApprovalRule, ...] = ()
    digest: str = ""

    @property
    def groups(self) -> frozenset[str]:
        """The user groups that are mentioned."""
        members = (*self.roles.values(), *self.kinds.values())
        return frozenset(one for some in members for one in some if one.startswith("@"))
