"""Looks at real servers on this machine: what they answer, and what is not asked at all."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.adapters.http_hosts import AllowedHosts
from bot.adapters.http_probe import BODY_LIMIT, HttpProbe
from bot.domain.errors import InvalidInput, PermanentError, TemporaryError
from tests.support.serve import serve

SECONDS = 5.0
LOCAL = HttpProbe(AllowedHosts.parse("127.0.0.1, localhost, ::1"))
NAME = "checkout.payments.svc"


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Let the name server answer with these addresses in turn; returns what it was asked."""
    asked: list[str] = []

    def set_up(*answers: Sequence[str]) -> list[str]:
        remaining = list(answers)

        def getaddrinfo(host: str, port: int, *_args: object, **_more: object) -> object:
            if host[0].isdigit():
                return real(host, port, type=socket.SOCK_STREAM)
            asked.append(host)
            found = remaining.pop(0) if len(remaining) > 1 else remaining[0]
            return [(0, 0, 0, "", (address, port)) for address in found]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    real = socket.getaddrinfo
    return set_up


@contextmanager
def talking(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that says whatever it likes to each who connects; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    try:
                        talk(connection)
                    except OSError:
                        continue

        threading.Thread(target=run, daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)


def answered(path: str = "/", status: int = 200, text: str = "fine") -> Starlette:
    async def answer(_request: Request) -> Response:
        return PlainTextResponse(text, status)

    return Starlette(routes=[Route(path, answer)])


@pytest.mark.parametrize("status", [200, 404, 503])
def test_the_status_and_the_text_are_told(status: int) -> None:
    with serve(answered("/healthz", status, "all gööd")) as url:
        answer = LOCAL.get(f"{url}/healthz", SECONDS)
    assert (answer.status, answer.text) == (status, "all gööd")


def test_a_redirect_is_an_answer() -> None:
    asked: list[str] = []

    async def moved(request: Request) -> Response:
        asked.append(request.url.path)
        return RedirectResponse("/elsewhere")

    with serve(Starlette(routes=[Route("/{path:path}", moved)])) as url:
        assert LOCAL.get(f"{url}/healthz", SECONDS).status == 307
    assert asked == ["/healthz"]


def test_the_server_is_told_the_name_and_the_path_as_they_were_given(
    resolved: Callable[..., list[str]],
) -> None:
    seen: list[str] = []

    async def answer(request: Request) -> Response:
        seen.extend([request.headers["host"], request.url.path, request.url.query])
        return PlainTextResponse("")

    with serve(Starlette(routes=[Route("/{path:path}", answer)])) as url:
        port = url.rpartition(":")[2]
        resolved(["127.0.0.1"])
        probe = HttpProbe(AllowedHosts.parse("*.svc, 127.0.0.1"))
        probe.get(f"http://{NAME}:{port}/a%20b/ü?q=1&r=%2F#part", SECONDS)
    assert seen == [f"{NAME}:{port}", "/a b/ü", "q=1&r=%2F"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://127.0.0.2/",
        "http://user:secret@127.0.0.1/",
        "http://127.0.0.1@example.com/",
        "http://127.0.0.1:99999/",
        "http://[127.0.0.1/",
        "ftp://127.0.0.1/",
        "http:///nothing",
        "http://127.0.0.1\\@example.com/",
        "",
    ],
)
def test_nobody_else_is_asked(url: str, resolved: Callable[..., list[str]]) -> None:
    asked = resolved(["127.0.0.1"])
    for call in (lambda: LOCAL.check(url), lambda: LOCAL.get(url, SECONDS)):
        with pytest.raises(InvalidInput):
            call()
    assert asked == []


@pytest.mark.parametrize(
    "addresses",
    [["169.254.169.254"], ["10.0.0.1", "169.254.169.254"], ["127.0.0.1"], ["::1"], ["fe80::1"]],
)
def test_an_allowed_name_that_leads_astray_is_refused(
    addresses: Sequence[str], resolved: Callable[..., list[str]]
) -> None:
    resolved(addresses)
    probe = HttpProbe(AllowedHosts.parse("*.svc"))
    with pytest.raises(PermanentError, match=r"resolves to .*, which may not be asked"):
        probe.get(f"http://{NAME}/", SECONDS)


def test_a_name_that_changes_after_the_check_leads_nowhere_else(
    resolved: Callable[..., list[str]],
) -> None:
    with serve(answered()) as url:
        asked = resolved(["127.0.0.1"], ["169.254.169.254"])
        probe = HttpProbe(AllowedHosts.parse("*.svc, 127.0.0.1"))
        port = url.rpartition(":")[2]
        assert probe.get(f"http://{NAME}:{port}/", SECONDS).status == 200
    assert asked == [NAME]


def test_the_next_address_is_tried_when_one_does_not_answer(
    resolved: Callable[..., list[str]],
) -> None:
    with serve(answered()) as url:
        resolved(["127.0.0.3", "127.0.0.1"])
        probe = HttpProbe(AllowedHosts.parse("*.svc, 127.0.0.0/8"))
        port = url.rpartition(":")[2]
        assert probe.get(f"http://{NAME}:{port}/", SECONDS).status == 200


def test_nobody_listening_is_temporary() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(TemporaryError, match="refused"):
        LOCAL.get(f"http://127.0.0.1:{port}/", SECONDS)


def test_a_name_that_nobody_knows_is_temporary() -> None:
    probe = HttpProbe(AllowedHosts.parse("*.invalid"))
    with pytest.raises(TemporaryError, match="does not answer"):
        probe.get("http://nowhere.invalid/", SECONDS)


def _silence(connection: socket.socket) -> None:
    connection.recv(1)
    time.sleep(2)


def _drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(200):
        connection.sendall(b"X-%d: y\r\n" % number)
        time.sleep(0.02)


@pytest.mark.parametrize("talk", [_silence, _drip])
def test_whoever_keeps_it_waiting_is_cut_off(talk: Callable[[socket.socket], None]) -> None:
    with talking(talk) as port:
        begun = time.monotonic()
        with pytest.raises(TemporaryError, match=r"not within 0\.3 s"):
            LOCAL.get(f"http://127.0.0.1:{port}/", 0.3)
        assert time.monotonic() - begun < 1.5


@pytest.mark.parametrize(
    "said", [b"", b"hello?\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 100_000]
)
def test_what_is_no_http_is_temporary(said: bytes) -> None:
    with (
        talking(lambda connection: connection.sendall(said)) as port,
        pytest.raises(TemporaryError),
    ):
        LOCAL.get(f"http://127.0.0.1:{port}/", SECONDS)


def test_only_the_beginning_of_a_long_answer_is_read() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with talking(endless) as port:
        assert LOCAL.get(f"http://127.0.0.1:{port}/", SECONDS).text == "x" * BODY_LIMIT


@contextmanager
def secured(folder: Path, name: str) -> Iterator[tuple[int, Path]]:
    """An https server with a certificate for `name`; yields its port and the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    other: x509.GeneralName = x509.DNSName(name)
    if name[0].isdigit():
        other = x509.IPAddress(ip_address(name))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([other]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file, key_file = folder / "certificate.pem", folder / "key.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key_file)

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(4096)
            wrapped.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with talking(talk) as port:
        yield port, file


@pytest.mark.parametrize("name", [NAME, "127.0.0.1"])
def test_the_certificate_must_be_for_the_name(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    resolved: Callable[..., list[str]],
) -> None:
    probe = HttpProbe(AllowedHosts.parse("*.svc, 127.0.0.1"))
    with secured(tmp_path, name) as (port, certificate):
        resolved(["127.0.0.1"])
        with pytest.raises(PermanentError, match="self-signed"):
            probe.get(f"https://{name}:{port}/", SECONDS)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert probe.get(f"https://{name}:{port}/", SECONDS).status == 204
        with pytest.raises(PermanentError, match="not valid for"):
            probe.get(f"https://other.svc:{port}/", SECONDS)
