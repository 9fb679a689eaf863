"""A look at a service's health address, as its clients would see it."""

from __future__ import annotations

import requests

from bot.domain.errors import PermanentError, TemporaryError


class HttpProbe:
    """`HealthProbe` by requests. Follows no redirect and trusts no proxy setting."""

    def status(self, url: str, timeout: float) -> int:
        """The status of a GET; only the headers are read."""
        try:
            with requests.Session() as session:
                session.trust_env = False
                with session.get(
                    url, timeout=timeout, allow_redirects=False, stream=True
                ) as response:
                    return response.status_code
        except (requests.ConnectionError, requests.Timeout) as error:
            raise TemporaryError(f"{url} does not answer ({type(error).__name__}).") from error
        except requests.RequestException as error:
            raise PermanentError(f"{url} can’t be asked: {error}") from error
