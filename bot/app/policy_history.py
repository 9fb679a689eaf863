"""The severity policy in force, and the versions before it, for people to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.app.why import PolicyOf
from bot.domain.classify import Policy
from bot.domain.errors import InvalidInput, NotFound
from bot.ports import Store
from bot.ports.policies import PolicyVersion, PolicyVersions

SEVERITY = "severity.yaml"

SHOWN_VERSIONS = 200
"""Versions that are listed; older ones are found by their digests."""


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A version's text, and what it means; `policy` is None where it can't be read any more."""

    digest: str
    text: str
    policy: Policy | None
    problem: str = ""


class PolicyHistory:
    """The use cases about the versions of the severity policy."""

    def __init__(
        self,
        store: Store,
        versions: PolicyVersions,
        policy_of: PolicyOf,
        file_digest: Callable[[], str],
    ) -> None:
        """`file_digest` is the SHA-256 of the policy file as it is now; empty without a file."""
        self._store = store
        self._versions = versions
        self._policy_of = policy_of
        self._file_digest = file_digest

    def newest(self) -> Sequence[PolicyVersion]:
        """The last taken in first: that is the one in force."""
        return self._versions.newest(SEVERITY, SHOWN_VERSIONS)

    def file_holds(self, digest: str) -> bool:
        """Whether the policy file, as it is now, is the version with that digest.

        It is not while it holds what can't be used, or what is taken in within seconds.
        """
        return self._file_digest() == digest

    def read(self, digest: str) -> PolicyText:
        """The version with that digest. Raises `NotFound`."""
        with self._store.read() as reader:
            text = reader.policy_text(digest)
        if text is None:
            raise NotFound("No policy with this digest was ever in use here.")
        try:
            return PolicyText(digest, text, self._policy_of(digest, text))
        except InvalidInput as error:
            return PolicyText(digest, text, None, str(error))
