"""A small SMTP server: what RFC 5321 needs to take a message, and to refuse one."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Mailbox:
    """What came in: the recipients and the text of each message. `refusal` answers RCPT."""

    port: int = 0
    refusal: str = ""
    recipients: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


@contextmanager
def mailbox(refusal: str = "") -> Iterator[Mailbox]:
    """Serve on a free loopback port."""
    box = Mailbox(refusal=refusal)

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 ready")
            while line := self.rfile.readline().decode().strip():
                match line.upper().split(" ", 1)[0].split(":", 1)[0]:
                    case "RCPT":
                        box.recipients.append(line)
                        self._say(box.refusal or "250 ok")
                    case "DATA":
                        self._say("354 go ahead")
                        box.messages.append(self._text())
                        self._say("250 ok")
                    case "QUIT":
                        self._say("221 bye")
                        return
                    case _:
                        self._say("250 ok")

        def _text(self) -> str:
            lines = []
            while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                lines.append(line)
            return "\n".join(lines)

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()
