"""A look at a service's health address, as its clients would see it.

The name is resolved once, every address that it has is checked, and the connection goes to
one of those very addresses: a name that resolves to something else a moment later leads
nowhere else. No redirect is followed, no proxy used, and nothing lasts longer than it may.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from threading import Timer
from urllib.parse import quote, urlsplit

from bot import __version__
from bot.adapters.http_hosts import Address, AllowedHosts, refused
from bot.domain.errors import InvalidInput, PermanentError, TemporaryError
from bot.ports import HealthAnswer

BODY_LIMIT = 64 * 1024
"""Bytes of an answer that are read: a health report is shorter, and the rest is nobody's need."""

_PORTS = {"http": 80, "https": 443}
_UNQUOTED = "/%:@!$&'()*+,;=~-._?"
"""What may stand in a path and a query as it is (RFC 3986); an address may be quoted already."""


@dataclass(frozen=True, slots=True)
class _Place:
    """An address's parts, as they are needed to ask it; `netloc` is what the Host header says."""

    secure: bool
    host: str
    port: int
    netloc: str
    target: str


class HttpProbe:
    """`HealthProbe` for these hosts only."""

    def __init__(self, hosts: AllowedHosts) -> None:
        self._hosts = hosts

    def check(self, url: str) -> None:
        host = _place(url).host
        if not self._hosts.allows(host):
            raise InvalidInput(
                f"{host} is not among the hosts that a health check may ask; "
                "TOCSIN_HTTP_CHECK_HOSTS names them."
            )

    def get(self, url: str, timeout: float) -> HealthAnswer:
        """What a GET answers within `timeout` seconds (a name server may keep it waiting longer).

        Raises:
            InvalidInput: the host is not allowed.
            PermanentError: it resolves to an address that is not, or its certificate is wrong.
            TemporaryError: it does not answer.
        """
        self.check(url)
        place = _place(url)
        deadline = time.monotonic() + timeout
        try:
            return _asked(place, self._resolved(place), deadline)
        except ssl.SSLCertVerificationError as error:
            raise PermanentError(f"{url}: {error.verify_message}") from error
        except (OSError, HTTPException) as error:
            late = time.monotonic() >= deadline
            said = f"not within {timeout:g} s" if late else str(error) or type(error).__name__
            raise TemporaryError(f"{url} does not answer ({said}).") from error

    def _resolved(self, place: _Place) -> Sequence[Address]:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        addresses = tuple(dict.fromkeys(ip_address(entry[4][0]) for entry in found))
        bad = refused(addresses, self._hosts)
        if bad:
            raise PermanentError(f"{place.host} resolves to {bad[0]}, which may not be asked.")
        return addresses


def _place(url: str) -> _Place:
    """Raises `InvalidInput` for what is no address, or holds a name and password."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        host = (parts.hostname or "").encode("idna").decode()
    except (ValueError, KeyError) as error:
        raise InvalidInput(f"{url} is no http or https address.") from error
    if not host or "@" in parts.netloc:
        raise InvalidInput(f"{url} names no host, or a password, which it must not.")
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    return _Place(
        parts.scheme == "https",
        host,
        port,
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        quote(target, safe=_UNQUOTED),
    )


def _asked(place: _Place, addresses: Sequence[Address], deadline: float) -> HealthAnswer:
    """The answer of the first address that takes the connection."""
    with (
        closing(_connected(place, addresses, deadline)) as plain,
        _until(deadline, plain),
        closing(_secured(plain, place)) as connection,
    ):
        answer = _answer(connection, place)
    if time.monotonic() >= deadline:
        raise TimeoutError("it was cut off, and what came may be a part only")
    return answer


def _connected(place: _Place, addresses: Sequence[Address], deadline: float) -> socket.socket:
    for address in addresses[:-1]:
        with suppress(OSError):
            return _connect(address, place, deadline)
    return _connect(addresses[-1], place, deadline)


def _connect(address: Address, place: _Place, deadline: float) -> socket.socket:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return socket.create_connection((str(address), place.port), left)


@contextmanager
def _until(deadline: float, connection: socket.socket) -> Iterator[None]:
    """Cut the connection at the deadline, however slowly the other side keeps talking."""
    with closing(connection.dup()) as handle:
        over = Timer(max(deadline - time.monotonic(), 0.0), _cut, (handle,))
        over.daemon = True
        over.start()
        try:
            yield
        finally:
            over.cancel()


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _secured(plain: socket.socket, place: _Place) -> socket.socket:
    """With TLS the certificate must be for the name that was asked for, not for the address."""
    if not place.secure:
        return plain
    return ssl.create_default_context().wrap_socket(plain, server_hostname=place.host)


def _answer(connection: socket.socket, place: _Place) -> HealthAnswer:
    http = HTTPConnection(place.host, place.port)
    http.sock = connection
    headers = {"Host": place.netloc, "User-Agent": f"Tocsin/{__version__}", "Connection": "close"}
    http.request("GET", place.target, headers=headers)
    response = http.getresponse()
    body = response.read(BODY_LIMIT)
    return HealthAnswer(response.status, body.decode("utf-8", "replace"))
