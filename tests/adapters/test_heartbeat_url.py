"""The external heartbeat: one GET, and no word of its address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.adapters.heartbeat_url import HeartbeatUrl
from bot.domain.errors import PermanentError, TemporaryError, TocsinError
from tests.support.serve import serve

PATH = "/ping/secret-of-the-check"


@contextmanager
def answering(answer: Callable[[], Response]) -> Iterator[tuple[HeartbeatUrl, list[str]]]:
    """The adapter, and what the server at its address was asked."""
    asked: list[str] = []

    def handle(request: Request) -> Response:
        asked.append(f"{request.method} {request.url.path}")
        return answer()

    with serve(Starlette(routes=[Route("/{path:path}", handle)])) as url:
        yield HeartbeatUrl(url + PATH, timeout=5.0), asked


@pytest.mark.parametrize("status", [200, 204])
def test_it_is_one_get(status: int) -> None:
    with answering(lambda: Response(status_code=status)) as (switch, asked):
        switch.ping()
    assert asked == [f"GET {PATH}"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, PermanentError),
        (401, PermanentError),
        (429, TemporaryError),
        (500, TemporaryError),
        (503, TemporaryError),
    ],
)
def test_another_answer_is_an_error_that_names_the_setting(
    status: int, error: type[TocsinError]
) -> None:
    says = f"TOCSIN_HEARTBEAT_URL answered {status}"
    with (
        answering(lambda: Response(status_code=status)) as (switch, _),
        pytest.raises(error, match=says),
    ):
        switch.ping()


def test_a_redirect_is_not_followed() -> None:
    with (
        answering(lambda: RedirectResponse("/elsewhere")) as (switch, asked),
        pytest.raises(PermanentError, match="answered 307"),
    ):
        switch.ping()
    assert asked == [f"GET {PATH}"]


def test_nobody_answers_and_the_address_stays_secret() -> None:
    with answering(Response) as (switch, _):
        pass
    with pytest.raises(TemporaryError, match="TOCSIN_HEARTBEAT_URL does not answer") as raised:
        switch.ping()
    assert "secret-of-the-check" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_an_address_that_is_none_is_an_error() -> None:
    with pytest.raises(PermanentError, match="can’t be asked"):
        HeartbeatUrl("https://").ping()
