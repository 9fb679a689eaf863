"""Checks blocks as Slack does, for the blocks that Tocsin draws.

Slack refuses a message whole for one block that is wrong. The models below are its
rules (docs.slack.dev/reference/block-kit); a kind of block or element that is not
here is refused too, so that using a new one begins with adding its rules.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

TOTAL_LIMIT = 13_000
"""Characters of all blocks together (slackapi/bolt-js#2509; not in Slack's documentation)."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _PlainText(_Part):
    type: Literal["plain_text"]
    text: str = Field(min_length=1, max_length=3_000)
    emoji: bool = True


class _Mrkdwn(_Part):
    type: Literal["mrkdwn"]
    text: str = Field(min_length=1, max_length=3_000)
    verbatim: bool = False


_Text = Annotated[_PlainText | _Mrkdwn, Field(discriminator="type")]


def _at_most(length: int) -> AfterValidator:
    def check(text: _PlainText | _Mrkdwn) -> _PlainText | _Mrkdwn:
        if len(text.text) > length:
            raise ValueError(f"must be less than {length + 1} characters")
        return text

    return AfterValidator(check)


_Identifier = Annotated[str, Field(min_length=1, max_length=255)]
_Style = Literal["primary", "danger"]


class _Confirm(_Part):
    title: Annotated[_PlainText, _at_most(100)]
    text: Annotated[_Text, _at_most(300)]
    confirm: Annotated[_PlainText, _at_most(30)]
    deny: Annotated[_PlainText, _at_most(30)]
    style: _Style | None = None


class _Button(_Part):
    type: Literal["button"]
    action_id: _Identifier | None = None
    text: Annotated[_PlainText, _at_most(75)]
    value: str = Field(default="", max_length=2_000)
    url: str = Field(default="", max_length=3_000)
    style: _Style | None = None
    confirm: _Confirm | None = None


class _Option(_Part):
    text: Annotated[_Text, _at_most(75)]
    value: str = Field(max_length=150)
    description: Annotated[_PlainText, _at_most(75)] | None = None


class _PlainTextInput(_Part):
    type: Literal["plain_text_input"]
    action_id: _Identifier | None = None
    initial_value: str | None = None
    placeholder: Annotated[_PlainText, _at_most(150)] | None = None
    multiline: bool = False
    min_length: int = Field(default=0, ge=0, le=3_000)
    max_length: int = Field(default=3_000, ge=1, le=3_000)


class _Choice(_Part):
    """A menu or radio buttons: one of several options."""

    type: Literal["static_select", "radio_buttons"]
    action_id: _Identifier | None = None
    options: list[_Option] = Field(min_length=1, max_length=100)
    initial_option: _Option | None = None
    placeholder: Annotated[_PlainText, _at_most(150)] | None = None
    confirm: _Confirm | None = None


_Actionable = Annotated[_Button | _Choice, Field(discriminator="type")]
_Enterable = Annotated[_PlainTextInput | _Choice, Field(discriminator="type")]


class _Identified(_Part):
    block_id: _Identifier | None = None


class _Header(_Identified):
    type: Literal["header"]
    text: Annotated[_PlainText, _at_most(150)]


class _Divider(_Identified):
    type: Literal["divider"]


class _Context(_Identified):
    type: Literal["context"]
    elements: list[_Text] = Field(min_length=1, max_length=10)


class _Section(_Identified):
    type: Literal["section"]
    text: _Text | None = None
    fields: list[Annotated[_Text, _at_most(2_000)]] | None = Field(
        default=None, min_length=1, max_length=10
    )
    accessory: _Actionable | None = None

    @model_validator(mode="after")
    def _has_content(self) -> _Section:
        if self.text is None and self.fields is None:
            raise ValueError("must have `text` or `fields`")
        return self


class _Actions(_Identified):
    type: Literal["actions"]
    elements: list[_Actionable] = Field(min_length=1, max_length=25)

    @field_validator("elements")
    @classmethod
    def _distinct(cls, elements: list[_Actionable]) -> list[_Actionable]:
        given = [element.action_id for element in elements if element.action_id]
        if len(set(given)) < len(given):
            raise ValueError("`action_id` already exists for another element")
        return elements


class _Input(_Identified):
    type: Literal["input"]
    label: Annotated[_PlainText, _at_most(2_000)]
    element: _Enterable
    hint: Annotated[_PlainText, _at_most(2_000)] | None = None
    optional: bool = False


_Block = Annotated[
    _Header | _Divider | _Context | _Section | _Actions | _Input, Field(discriminator="type")
]


def _distinct_block_ids(blocks: list[_Block]) -> list[_Block]:
    given = [block.block_id for block in blocks if block.block_id]
    if len(set(given)) < len(given):
        raise ValueError("`block_id` already exists for another block")
    return blocks


class _MessageBlocks(_Part):
    blocks: Annotated[list[_Block], Field(max_length=50), AfterValidator(_distinct_block_ids)]


class _View(_Part):
    """A modal (docs.slack.dev/reference/views/modal-views)."""

    type: Literal["modal"]
    title: Annotated[_PlainText, _at_most(24)]
    blocks: Annotated[list[_Block], Field(max_length=100), AfterValidator(_distinct_block_ids)]
    submit: Annotated[_PlainText, _at_most(24)] | None = None
    close: Annotated[_PlainText, _at_most(24)] | None = None
    callback_id: str = Field(default="", max_length=255)
    private_metadata: str = Field(default="", max_length=3_000)


_TAGS = {
    *("plain_text", "mrkdwn", "button", "static_select", "radio_buttons", "plain_text_input"),
    *("header", "divider", "context", "section", "actions", "input"),
}
"""pydantic puts these into an error's place; Slack's JSON pointers don't have them."""


def block_problems(blocks: object) -> list[str]:
    """What Slack would find wrong with a message's blocks, in its own words; empty when fine."""
    return _problems(_MessageBlocks, {"blocks": blocks})


def view_problems(view: object) -> list[str]:
    """What Slack would find wrong with a modal; empty when fine."""
    return _problems(_View, view)


def _problems(model: type[BaseModel], value: object) -> list[str]:
    try:
        model.model_validate(value)
    except ValidationError as error:
        return [f"[ERROR] {_said(found)}" for found in error.errors()]
    return []


def _said(found: ErrorDetails) -> str:
    pointer = "/".join(str(part) for part in found["loc"] if part not in _TAGS)
    return f"{found['msg'].removeprefix('Value error, ')} [json-pointer:/{pointer}]"


def with_ids(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks with a ``block_id`` each and an ``action_id`` for each element that acts.

    Slack makes up those that the app left out.
    """
    return [_with_ids(block) for block in blocks]


def _with_ids(block: dict[str, Any]) -> dict[str, Any]:
    identified = {"block_id": _new_id(), **block}
    if block["type"] == "actions":
        identified["elements"] = [{"action_id": _new_id(), **item} for item in block["elements"]]
    for place in ("accessory", "element"):
        if block.get(place):
            identified[place] = {"action_id": _new_id(), **block[place]}
    return identified


def _new_id() -> str:
    return secrets.token_urlsafe(4)
