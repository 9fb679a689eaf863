"""How the routing policy is read: it may name nobody whom the settings don't know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.adapters.notifier_setting import VARIABLE, read_setting
from bot.adapters.policy_folder import Load
from bot.adapters.routing import load_routing, parse_routing
from bot.domain.errors import InvalidInput
from bot.domain.routing import RoutingPolicy
from bot.settings import Settings
from bot.vendors import secret


def parse_routing_for(settings: Settings) -> Load[RoutingPolicy]:
    """Reads the file's bytes; `InvalidInput` also for notifiers that are not set."""

    def parse(content: bytes, name: str) -> RoutingPolicy:
        return _known(parse_routing(content, name), name, settings)

    return parse


def load_routing_for(settings: Settings) -> Callable[[Path], RoutingPolicy]:
    """As `parse_routing_for`, from the file."""

    def load(path: Path) -> RoutingPolicy:
        return _known(load_routing(path), str(path), settings)

    return load


def _known(policy: RoutingPolicy, name: str, settings: Settings) -> RoutingPolicy:
    unknown = policy.unknown_notifiers(read_setting(secret(settings.notifiers)).addresses)
    if unknown:
        names = ", ".join(f"“{one}”" for one in unknown)
        raise InvalidInput(f"{name}: it names notifiers that {VARIABLE} does not have: {names}.")
    return policy
