"""``tocsin slack``: what Slack has to be told."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.output import print_as

slack = typer.Typer(no_args_is_help=True, help="Slack.")


@slack.command("manifest")
def slack_manifest(
    url: Annotated[
        str, typer.Option(help="Where Slack reaches Tocsin.")
    ] = "https://tocsin.example",
    socket_mode: Annotated[bool, typer.Option(help="Socket Mode: no public address.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="It is JSON anyway.")] = True,
) -> None:
    """Print the manifest to create the Slack app from (JSON)."""
    from bot.adapters.manifest import slack_manifest as manifest

    print_as(manifest(url, socket_mode), as_json, "")
