"""What the stand-ins for trackers share: a real HTTP server, a ledger, and faults."""

from __future__ import annotations

import json
import socket
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """What came in; the headers' names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What goes out; None as a body sends none."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What goes wrong with the next request that writes (or `any_request`)."""

    answer: Answer | None = None
    """What is said in place of the work; None closes the connection without a word."""
    takes_effect: bool = False
    any_request: bool = False


class Tracker:
    """A tracker's HTTP side; a subclass answers."""

    def __init__(self) -> None:
        self.faults: deque[Fault] = deque()
        self.ledger: list[Request] = []
        self.url = ""

    def answer(self, request: Request) -> Answer:
        raise NotImplementedError

    def fail_next(self, status: int, body: Any = None, **headers: str) -> None:
        """The next write is answered so; ``retry_after="7"`` is a header."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.append(Fault(Answer(status, body or {"message": "No."}, named)))

    def lose_next_answer(self) -> None:
        """The next write is done, and the connection breaks instead of the answer."""
        self.faults.append(Fault(takes_effect=True))

    def hang_up(self) -> None:
        """The next request's connection breaks before anything is done."""
        self.faults.append(Fault(any_request=True))

    def writes(self) -> list[str]:
        """The methods and paths of what was to change something, in order."""
        return [f"{one.method} {one.path}" for one in self.ledger if one.method != "GET"]

    def work(self, request: Request) -> Answer | None:
        self.ledger.append(request)
        writing = request.method != "GET"
        if not self.faults or not (writing or self.faults[0].any_request):
            return self.answer(request)
        fault = self.faults.popleft()
        if fault.takes_effect:
            self.answer(request)
        return fault.answer

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve it on a free loopback port; yields the address."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self.url
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _handler(tracker: Tracker) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            answer = tracker.work(self._request())
            if answer is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            data = b"" if answer.body is None else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            headers = {"Content-Type": "application/json", **answer.headers}
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = _do  # noqa: N815

        def _request(self) -> Request:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            headers = {name.lower(): value for name, value in self.headers.items()}
            return Request(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)

        def log_message(self, format: str, *args: object) -> None:
            """The ledger has it."""

    return Handler
