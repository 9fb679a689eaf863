"""Which hosts a health check may ask: only those that are allowed, and never some addresses.

A runbook's parameter may name any address, and what stands behind some of them believes
whoever asks from inside: a cloud's metadata service gives credentials to anybody on the
machine. So names must be on a list, and what a name resolves to is looked at too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Self

from bot.domain.errors import InvalidInput

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

METADATA = frozenset(
    map(ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"))
)
"""Where clouds tell a machine its credentials and settings: AWS, Google, Azure and others on the
first, AWS on IPv6, Alibaba, Azure's wire server. Sources: the clouds' own documentation."""

_NAT64 = IPv6Network("64:ff9b::/96")
"""IPv6 addresses that end with an IPv4 one (RFC 6052)."""


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Names, ``*.suffix`` patterns and networks.

    A host that is written as an address must be in one of the networks; so must a loopback
    address that a name resolves to.
    """

    names: frozenset[str]
    suffixes: tuple[str, ...]
    networks: tuple[Network, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The hosts in a text with commas between them. Raises `InvalidInput` for what is none."""
        entries = [entry.strip().lower().rstrip(".") for entry in text.split(",") if entry.strip()]
        networks = {entry: network for entry in entries if (network := _network(entry))}
        named = [entry for entry in entries if entry not in networks]
        for entry in named:
            _require_name(entry)
        return cls(
            frozenset(entry for entry in named if not entry.startswith("*.")),
            tuple(entry[1:] for entry in named if entry.startswith("*.")),
            tuple(networks.values()),
        )

    def allows(self, host: str) -> bool:
        """Whether a host of an address may be asked, as far as its name tells."""
        address = _address(host)
        if address is not None:
            return self._contains(address) and not _forbidden(address)
        name = host.lower().rstrip(".")
        return name in self.names or name.endswith(self.suffixes)

    def admits(self, address: Address) -> bool:
        """Whether an allowed name may resolve to that address."""
        if _forbidden(address):
            return False
        return not _embedded(address).is_loopback or self._contains(address)

    def _contains(self, address: Address) -> bool:
        return any(_embedded(address) in network for network in self.networks)


def _network(entry: str) -> Network | None:
    try:
        return ip_network(entry, strict=False)
    except ValueError:
        return None


def _require_name(entry: str) -> None:
    labels = entry.removeprefix("*.").split(".")
    if not all(label and label.replace("-", "").replace("_", "").isalnum() for label in labels):
        raise InvalidInput(f"{entry!r} is neither a name, *.suffix nor a network.")


def _address(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _forbidden(address: Address) -> bool:
    inner = _embedded(address)
    return (
        inner in METADATA
        or inner.is_link_local
        or inner.is_multicast
        or inner.is_unspecified
        or inner == ip_address("255.255.255.255")
    )


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def refused(addresses: Iterable[Address], hosts: AllowedHosts) -> tuple[Address, ...]:
    """Those of the addresses that may not be asked."""
    return tuple(address for address in addresses if not hosts.admits(address))
