"""``tocsin alert``: alerts from a file, for scripts and for trying things out."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import AsJson, plain_errors, print_as
from bot.domain.errors import InvalidInput
from bot.settings import load

if TYPE_CHECKING:
    from bot.domain.alert import Alert


def alert(
    file: Annotated[
        Path,
        typer.Argument(
            allow_dash=True,
            help="A list of alerts as Alertmanager's API takes it, one such alert, or a "
            "webhook's body; - for the standard input.",
        ),
    ],
    to: Annotated[
        str | None, typer.Option(metavar="URL", help="Post them to the Tocsin there instead.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="TOCSIN_API_TOKEN", help="The bearer token of its API.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hand the alerts in FILE to this installation of Tocsin, or to another one."""
    from bot.adapters.posted_alerts import parse_posted, posted_form

    with plain_errors():
        body = posted_form(_content(file))
        if to is None:
            _keep(body)
        else:
            _post(to, token, body)
        accepted = parse_posted(body, datetime.now(UTC)).alerts
    where = to or "the inbox; the worker takes them up as soon as it runs"
    print_as(
        {"accepted": [_data(one) for one in accepted], "by": to or "inbox"},
        as_json,
        "\n".join([*map(_line, accepted), f"Accepted by {where}."]),
    )


def _content(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} can’t be read: {error.strerror}.") from error


def _keep(body: bytes) -> None:
    from bot.adapters.inbox import Inbox
    from bot.ports import Source

    inbox = Inbox(load().database_url)
    try:
        inbox.put(Source.API, body)
    finally:
        inbox.close()


def _post(to: str, token: str | None, body: bytes) -> None:
    from bot.adapters.tocsin_client import post_alerts

    post_alerts(to, token, body)


def _data(one: Alert) -> dict[str, object]:
    return {"alertname": one.name, "status": one.status, "fingerprint": one.fingerprint}


def _line(one: Alert) -> str:
    return f"{one.status}: {one.name} ({one.fingerprint})"
