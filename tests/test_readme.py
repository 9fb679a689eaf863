"""The README is held to the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from bot.__main__ import app
from bot.domain.commands import COMMANDS
from bot.settings import Settings, table

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_settings_table_is_the_programs_own() -> None:
    """Run `tocsin settings` and paste its output between the two comments."""
    between = re.search(r"<!-- settings:.*?-->\n(.*?)\n<!-- end of settings -->", README, re.DOTALL)
    assert between is not None
    assert between[1].strip() == table()


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_says_its_meaning_and_default(name: str) -> None:
    description = Settings.model_fields[name].description or ""
    assert len(description) > 20


@pytest.mark.parametrize("command", COMMANDS)
def test_every_slash_command_is_named(command: str) -> None:
    assert f"`{command} " in README


def test_commands_that_the_readme_names_exist() -> None:
    named = set(re.findall(r"`tocsin ([a-z]+)", README))
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    assert named
    assert named <= known


def test_settings_command_prints_the_table() -> None:
    assert table() in CliRunner().invoke(app, ["settings"]).stdout
