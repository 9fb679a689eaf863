"""The wire between Tocsin and a server: a TCP proxy on loopback that may fail as networks do."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum

CHUNK = 65_536
SLOW = 0.3
"""Seconds by which each chunk is late on a slow wire."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes a close a reset."""


class Weather(StrEnum):
    """How the wire is."""

    CLEAR = "clear"
    SLOW = "slow"
    CUT = "cut"
    """Connections are reset, and new ones too: the server is gone."""
    STALLED = "stalled"
    """Nothing arrives on either side; when it clears up, all that was sent arrives late."""
    DEAF = "deaf"
    """Half-open: what is asked arrives, and the answers come late, when it clears up."""


class Wire:
    """Passes connections on to the server at that address."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._weather = Weather.CLEAR
        self._changed = threading.Condition()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def becomes(self, weather: Weather) -> None:
        """From now on it is so, for connections that there are and for new ones."""
        with self._changed:
            self._weather = weather
            if weather is Weather.CUT:
                for one in self._sockets:
                    _reset(one)
                self._sockets.clear()
            self._changed.notify_all()

    def close(self) -> None:
        self._listener.close()
        self.becomes(Weather.CUT)

    def _accept(self) -> None:
        with suppress(OSError):  # It is closed.
            while True:
                client, _ = self._listener.accept()
                with suppress(OSError):  # The client is gone, or the server.
                    self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        with self._changed:
            if self._weather is Weather.CUT:
                _reset(client)
                return
            server = socket.create_connection(self._server)
            self._sockets += [client, server]
        for one, other, answers in ((client, server, False), (server, client, True)):
            threading.Thread(target=self._pump, args=(one, other, answers), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                self._let_pass(answers)
                sink.sendall(data)
            self._let_pass(answers)
            sink.shutdown(socket.SHUT_WR)

    def _let_pass(self, answers: bool) -> None:
        """Return when what goes this way may pass."""
        with self._changed:
            self._changed.wait_for(lambda: not self._holds(answers))
            late = self._weather is Weather.SLOW
        if late:
            time.sleep(SLOW)

    def _holds(self, answers: bool) -> bool:
        return self._weather is Weather.STALLED or (self._weather is Weather.DEAF and answers)


@contextmanager
def wire_to(host: str, port: int) -> Iterator[Wire]:
    """A wire to that server, cut in the end."""
    wire = Wire((host, port))
    try:
        yield wire
    finally:
        wire.close()


def _reset(one: socket.socket) -> None:
    with suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        one.shutdown(socket.SHUT_RDWR)
        one.close()
