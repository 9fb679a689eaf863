"""The external heartbeat: a URL that is asked for while all is well, such as healthchecks.io's.

Its address is a secret: whoever knows it can keep the alarm silent.
"""

from __future__ import annotations

import requests

from bot.domain.errors import PermanentError, TemporaryError

TIMEOUT = 10.0
"""Seconds for connecting and for the answer's headers."""


class HeartbeatUrl:
    """Implements `DeadMansSwitch` by one GET. Follows no redirect: it would hide a wrong URL."""

    def __init__(self, url: str, timeout: float = TIMEOUT) -> None:
        self._url = url
        self._timeout = timeout

    def ping(self) -> None:
        try:
            status = self._get()
        except (requests.ConnectionError, requests.Timeout) as error:
            # Its own words hold the address.
            raise TemporaryError(
                f"TOCSIN_HEARTBEAT_URL does not answer ({type(error).__name__})."
            ) from None
        except requests.RequestException as error:
            raise PermanentError(
                f"TOCSIN_HEARTBEAT_URL can’t be asked ({type(error).__name__})."
            ) from None
        if not 200 <= status < 300:
            kind = TemporaryError if status == 429 or status >= 500 else PermanentError
            raise kind(f"TOCSIN_HEARTBEAT_URL answered {status}.")

    def _get(self) -> int:
        with requests.Session() as session:
            # Plain http is for this machine, which is not behind the environment's proxy.
            session.trust_env = self._url.startswith("https://")
            with session.get(
                self._url, timeout=self._timeout, allow_redirects=False, stream=True
            ) as response:
                return response.status_code
