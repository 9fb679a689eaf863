"""PagerDuty's REST API as requests and checked answers: one call is one request.

Paging is ours: the library's `iter_all` only warns when it stops early, and asks for ever
where a page is empty and says that there is more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import httpx2
from pagerduty import Error, UrlError
from pydantic import BaseModel, TypeAdapter, ValidationError

from bot.adapters.http_header import check_header
from bot.adapters.pagerduty_refusals import sorted_refusal
from bot.adapters.pagerduty_transport import Refused, rest_client
from bot.domain.errors import PermanentError, TemporaryError

PAGE_SIZE = 100
"""Items of a page: the most that PagerDuty gives."""

MAX_ITEMS = 10_000
"""Items of a list: PagerDuty gives none beyond
(https://developer.pagerduty.com/docs/pagination)."""

_OBJECT = TypeAdapter(dict[str, Any])

Model = TypeVar("Model", bound=BaseModel)
Params = Mapping[str, str | list[str]]


class PagerDutyHttp:
    """The REST API at `url` (PagerDuty's own when None); may be shared between threads.

    `timeout` is in seconds: for connecting, for each wait, and for a whole body. Everything,
    the constructor included, raises `TemporaryError` or `PermanentError`, and no text of
    them holds the token. `sender` is the e-mail address of the user in whose name is written.
    """

    def __init__(
        self, token: str, url: str | None = None, sender: str | None = None, timeout: float = 10.0
    ) -> None:
        check_header("PAGERDUTY_FROM_EMAIL", sender or "-")
        self._client = rest_client(token, url, timeout)
        self._sender = {"From": sender} if sender else {}

    def read(self, path: str, name: str, kind: type[Model]) -> Model:
        """The object at `path`, which the answer holds under `name`."""
        return _checked(kind, self._ask("GET", path).get(name))

    def page(self, path: str, kind: type[Model], params: Params) -> tuple[list[Model], bool]:
        """A page of the list at `path`, and whether there are more."""
        answer = self._ask("GET", path, params=dict(params))
        items = answer.get(path.rpartition("/")[2])
        if not isinstance(items, list):
            raise TemporaryError("PagerDuty gave no answer that can be read: there is no list.")
        return [_checked(kind, item) for item in items], bool(answer.get("more"))

    def items(self, path: str, kind: type[Model], params: Params) -> list[Model]:
        """The whole list at `path`."""
        found: list[Model] = []
        more = True
        while more:
            place = {"limit": str(PAGE_SIZE), "offset": str(len(found))}
            items, more = self.page(path, kind, {**params, **place})
            found += items
            if more and not items:
                raise TemporaryError(f"PagerDuty promises more of {path} and gives nothing.")
            if more and len(found) + PAGE_SIZE > MAX_ITEMS:
                raise PermanentError(f"PagerDuty has more of {path} than {MAX_ITEMS:,}.")
        return found

    def write(self, method: str, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send `body` in the sender's name; the answer."""
        return self._ask(method, path, json=dict(body), headers=self._sender)

    def _ask(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, **arguments)
            # PostgreSQL keeps no text with a NUL in it.
            return _OBJECT.validate_json(response.content.replace(rb"\u0000", rb"\ufffd"))
        except Refused as refused:
            raise sorted_refusal(refused.response, method, path) from None
        except (UrlError, httpx2.InvalidURL, UnicodeError) as error:
            raise PermanentError(f"PAGERDUTY_API_URL can’t be asked that: {error}") from error
        except ValidationError as error:
            raise _unreadable(error) from error
        except (Error, httpx2.HTTPError) as error:
            cause = error.__cause__ or error
            raise TemporaryError(
                f"PagerDuty gave no answer: {type(cause).__name__}: {cause}"
            ) from error


def _checked(kind: type[Model], value: object) -> Model:
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise _unreadable(error) from error


def _unreadable(error: ValidationError) -> TemporaryError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(map(str, first["loc"])) or "the whole"
    return TemporaryError(f"PagerDuty gave no answer that can be read: {field}: {first['msg']}")
