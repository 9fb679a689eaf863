"""Where the API server keeps each kind of object, asked of the server itself.

A kind's plural and whether it is in namespaces can't be told from its name; custom
resources come and go while Tocsin runs, so a kind that isn't known is asked for anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from bot.adapters.kubernetes_errors import NotServed, Request
from bot.adapters.kubernetes_requests import Call, KubernetesRequests
from bot.domain.cluster import api_version_of
from bot.domain.errors import InvalidInput, NotFound

NAME = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?")
"""A DNS subdomain, as object names are; what isn't one could lead a URL elsewhere."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a kind is kept: ``/apis/apps/v1``, ``deployments``."""

    base: str
    plural: str
    namespaced: bool

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        """The path of an object, or of all of a kind where no name is given.

        Raises:
            InvalidInput: a name can't be one, or the namespace is missing.
        """
        if self.namespaced and name and not namespace:
            raise InvalidInput(f"{name} of {self.plural} is in a namespace: name it, too.")
        inside = f"/namespaces/{checked_name(namespace)}" if self.namespaced and namespace else ""
        named = f"/{checked_name(name)}" if name else ""
        below = f"/{subresource}" if subresource else ""
        return f"{self.base}{inside}/{self.plural}{named}{below}"


class Discovery:
    """The kinds that a cluster serves."""

    def __init__(self, requests: KubernetesRequests) -> None:
        self._requests = requests
        self._known: dict[str, Place] = {}

    def place(self, kind: str) -> Place:
        """Where objects of a kind (`kind_of`) are kept; `NotFound` if they are not served."""
        if kind not in self._known:
            self._known[kind] = self._find(kind)
        return self._known[kind]

    def _find(self, kind: str) -> Place:
        api_version = api_version_of(kind)
        base = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        word = kind.partition(".")[0]
        asked = Request("list", f"the kinds of {api_version}", None)
        try:
            served = self._requests.json(Call("GET", quote(base)), asked)["resources"]
        except NotServed as error:
            raise NotFound(f"This cluster does not serve {api_version}") from error
        for one in served:
            if one["kind"].lower() == word and "/" not in one["name"]:
                return Place(quote(base), one["name"], one["namespaced"])
        raise NotFound(f"This cluster does not serve the kind {word} of {api_version}")


def checked_name(name: str) -> str:
    """The name itself; raises `InvalidInput` for one that no object can have."""
    if not NAME.fullmatch(name):
        raise InvalidInput(f"{name!r} can't be the name of a Kubernetes object")
    return name
