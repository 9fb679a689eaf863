"""``tocsin page``: whether a page would arrive."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from bot.cli.installation import open_core
from bot.cli.output import AsJson, plain_errors, print_as
from bot.cli.terminal import printable
from bot.domain.stamps import stamp
from bot.settings import load

if TYPE_CHECKING:
    from bot.app.synthetic_page import SyntheticPage

LOOK_EVERY = 0.25
"""Seconds between two looks at how far the page has come."""

RESOLVED_WITHIN = 10.0
"""Seconds to wait for the test's incident to be resolved; the worker does that without us, too."""

page = typer.Typer(no_args_is_help=True, help="Whether a page would arrive.")


@page.command("test")
def page_test(
    timeout: Annotated[
        float, typer.Option(min=0.0, help="Seconds to wait until the page is confirmed.")
    ] = 120.0,
    as_json: AsJson = False,
) -> None:
    """Send a test page the whole way, and wait until it is confirmed; exit 1 if it is not."""
    begun = time.monotonic()
    with plain_errors(), _synthetic_page() as tested:
        _wait(lambda: bool(tested.arrival().confirmed), timeout)
        arrival, incident = tested.arrival(), tested.incident()
    seconds = round(time.monotonic() - begun, 1)
    reference = incident.reference if incident is not None else None
    told = {
        "incident": reference,
        "confirmed": arrival.confirmed or None,
        "missing": arrival.missing or None,
        "seconds": seconds,
    }
    text = arrival.missing or f"{reference}: the page arrived, confirmed {arrival.confirmed}."
    print_as(told, as_json, printable(text))
    raise typer.Exit(1 if arrival.missing else 0)


@page.command("tests")
def page_tests(as_json: AsJson = False) -> None:
    """List the tests that the routing policy's schedule makes, and what came of them."""
    with plain_errors(), open_core().store.read() as reader:
        found = reader.page_tests()
    lines = [f"{stamp(one.due_at)} {one.state}: {one.result}".rstrip(": ") for one in found]
    none = "None: policy/routing.yaml has no page_test, or the worker has not read it yet."
    _print_list(found, as_json, lines or [none])


@page.command("unknown")
def page_unknown(as_json: AsJson = False) -> None:
    """List PagerDuty's events of the last days whose type Tocsin does not know."""
    with plain_errors(), open_core().store.read() as reader:
        found = reader.unknown_pager_events()
    lines = [f"{stamp(one.received_at)} {one.event_type} ({one.event_id})" for one in found]
    _print_list(found, as_json, lines or ["None."])


def _print_list(found: Sequence[object], as_json: bool, lines: Sequence[str]) -> None:
    data = [msgspec.to_builtins(one) for one in found]
    print_as(data, as_json, "\n".join(map(printable, lines)))


@contextmanager
def _synthetic_page() -> Iterator[SyntheticPage]:
    """A test that has begun, and that ends whatever happens."""
    from bot.adapters.inbox import Inbox
    from bot.adapters.posted_alerts import encode_delivery
    from bot.app.synthetic_page import SyntheticPage
    from bot.ports import Source

    core = open_core()
    inbox = Inbox(load().database_url)
    namespace = f"page-test-{secrets.token_hex(4)}"
    tested = SyntheticPage(
        core.store,
        lambda delivery: inbox.put(Source.TOCSIN, encode_delivery(delivery)),
        core.clock,
        namespace,
    )
    try:
        tested.begin()
        try:
            yield tested
        finally:
            tested.end()
        incident = tested.incident()
        if incident is not None and namespace in incident.group_key:
            _wait(lambda: _is_over(tested), RESOLVED_WITHIN)
    finally:
        inbox.close()


def _is_over(tested: SyntheticPage) -> bool:
    incident = tested.incident()
    return incident is None or incident.state.over


def _wait(done: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
