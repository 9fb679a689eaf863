"""Links that came from outside: shown by their host, and only where they lead to the web."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

LONGEST = 2_000
"""Characters of an address that is still shown as a link."""

_ADDRESS = re.compile(rf"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]{{1,{LONGEST}}}")
"""What RFC 3986 (section 2) lets an address be made of; it leaves out ``< > | "`` and spaces."""

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class WebLink:
    """An http or https address, and the host that people are shown."""

    host: str
    url: str

    @property
    def end(self) -> str:
        """The last part of the address's path: ``restart`` of ``https://wiki/runbooks/restart``."""
        return urlsplit(self.url).path.rstrip("/").rpartition("/")[2]


def web_link(url: str) -> WebLink | None:
    """The link to that address; None for one that is not shown as a link.

    One with a user name before its host is not: it looks as if it led there.
    """
    if _ADDRESS.fullmatch(url) is None:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or _HOST.fullmatch(parts.netloc) is None:
        return None
    return WebLink(parts.netloc.lower(), url)
