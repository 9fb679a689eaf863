from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.blocks import render
from bot.domain.contact import Mention
from bot.domain.message import (
    Button,
    ButtonStyle,
    Field,
    Message,
    PageLink,
    Subject,
    SubjectKind,
)
from bot.domain.web_link import WebLink

HOSTILE = st.text(
    st.one_of(
        st.sampled_from("&<>*_~`|!@#:\n\r\t \x00\ud800\u202e"),
        st.characters(codec="utf-8"),
    ),
    max_size=400,
)
LONG = st.builds(lambda text, times: text * times, HOSTILE, st.integers(0, 60))
TEXT = st.one_of(HOSTILE, LONG, st.sampled_from(["<!channel>", "<@U1>", "```", "&lt;!here&gt;"]))

BUTTONS = st.builds(
    Button,
    action=TEXT,
    value=TEXT,
    label=TEXT,
    style=st.sampled_from(ButtonStyle),
    confirm=st.none() | TEXT,
)
MESSAGES = st.builds(
    Message,
    headline=TEXT,
    fields=st.lists(st.builds(Field, name=TEXT, value=TEXT), max_size=14).map(tuple),
    body=TEXT,
    preformatted=TEXT,
    buttons=st.lists(BUTTONS, max_size=30).map(tuple),
    footer=TEXT,
    subject=st.none() | st.builds(Subject, st.sampled_from(SubjectKind), st.integers(1)),
)


def texts(drawn: Any) -> Iterator[dict[str, Any]]:
    """Every text object in some blocks."""
    if isinstance(drawn, list):
        for item in drawn:
            yield from texts(item)
    elif isinstance(drawn, dict):
        if drawn.get("type") in ("plain_text", "mrkdwn"):
            yield drawn
        for item in drawn.values():
            yield from texts(item)


def shown(text: str) -> str:
    """What Slack shows of an escaped text."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@given(MESSAGES)
def test_no_unescaped_markup_ever_leaves(message: Message) -> None:
    blocks, fallback = render(message)

    for text in [*(text["text"] for text in texts(blocks)), fallback]:
        assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", text)
        text.encode()


@given(MESSAGES)
def test_mrkdwn_is_only_a_bold_name_or_a_code_block(message: Message) -> None:
    blocks, _ = render(message)

    for text in texts(blocks):
        if text["type"] == "mrkdwn":
            assert text["verbatim"] is True
            assert re.fullmatch(
                r"\*[^*_~`\s]+( [^*_~`\s]+)*\*|```\n((?!```)[\s\S])*\n```", text["text"]
            )


@given(MESSAGES)
def test_slacks_limits_always_hold(message: Message) -> None:
    blocks, fallback = render(message)

    assert 1 <= len(fallback) <= 3_000
    assert len(blocks) <= 50
    assert len(blocks[0].get("block_id", "")) <= 255
    assert len(blocks[0]["text"]["text"]) <= 150
    assert all(1 <= len(text["text"]) <= 3_000 for text in texts(blocks))
    assert all(text["text"].strip() for text in texts(blocks))
    for block in blocks:
        assert len(block.get("fields", [])) <= 10
        assert all(len(text["text"]) <= 2_000 for text in block.get("fields", []))
        if block["type"] == "actions":
            check_buttons(block["elements"])


def check_buttons(buttons: list[dict[str, Any]]) -> None:
    assert 1 <= len(buttons) <= 25
    assert len({button["action_id"] for button in buttons}) == len(buttons)
    for button in buttons:
        assert 1 <= len(button["action_id"]) <= 255
        assert len(button["value"]) <= 2_000
        assert len(button["text"]["text"]) <= 75
        question = button.get("confirm")
        if question:
            assert len(question["title"]["text"]) <= 100
            assert len(question["text"]["text"]) <= 300
            assert len(question["confirm"]["text"]) <= 30
            assert len(question["deny"]["text"]) <= 30


@given(TEXT, TEXT, TEXT, TEXT)
def test_what_outsiders_wrote_never_makes_the_whole_too_long(
    headline: str, body: str, lines: str, value: str
) -> None:
    fields = tuple(Field(value, value) for _ in range(12))
    buttons = tuple(Button("act", "7", value, confirm=value) for _ in range(5))
    blocks, _ = render(Message(headline, fields, body, lines, buttons, footer=body))

    assert len(json.dumps(blocks, ensure_ascii=False)) <= 13_000


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1))
def test_a_short_text_is_shown_as_it_is(text: str) -> None:
    blocks, fallback = render(Message("x", body=text[:200]))

    assert shown(blocks[1]["text"]["text"]) == text[:200]
    assert shown(fallback) == f"x\n{text[:200]}"


def test_a_message_is_drawn_from_headline_to_footer() -> None:
    message = Message(
        headline="P1 checkout: error rate",
        fields=(Field("Service", "checkout"), Field("State", "triggered")),
        body="No rule knows <this>.",
        preformatted="pod-1 ready\npod-2 waiting",
        buttons=(Button("ack", "7", "Acknowledge", ButtonStyle.PRIMARY),),
        footer="policy 3f2a",
        subject=Subject(SubjectKind.INCIDENT, 7),
    )

    blocks, fallback = render(message)

    assert blocks == [
        {
            "type": "header",
            "text": plain("P1 checkout: error rate"),
            "block_id": "incident:7",
        },
        {
            "type": "section",
            "fields": [
                mrkdwn("*Service*"),
                plain("checkout"),
                mrkdwn("*State*"),
                plain("triggered"),
            ],
        },
        {"type": "section", "text": plain("No rule knows &lt;this&gt;.")},
        {"type": "section", "text": mrkdwn("```\npod-1 ready\npod-2 waiting\n```")},
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "action_id": "ack",
                    "value": "7",
                    "text": plain("Acknowledge"),
                    "style": "primary",
                }
            ],
        },
        {"type": "context", "elements": [plain("policy 3f2a")]},
    ]
    assert fallback == (
        "P1 checkout: error rate\nService: checkout\nState: triggered\n"
        "No rule knows &lt;this&gt;.\npod-1 ready\npod-2 waiting\npolicy 3f2a"
    )


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def test_a_dangerous_button_asks_first() -> None:
    button = Button("run.start", "9", "Restart", ButtonStyle.DANGER, confirm="Restart checkout?")

    (element,) = render(Message("x", buttons=(button,)))[0][1]["elements"]

    assert element["style"] == "danger"
    assert element["confirm"] == {
        "title": plain("Restart"),
        "text": plain("Restart checkout?"),
        "confirm": plain("Restart"),
        "deny": plain("Cancel"),
    }


def test_the_same_action_twice_stands_in_two_rows() -> None:
    buttons = tuple(Button(action, "1", action) for action in ("ack", "resolve", "ack"))

    rows = render(Message("x", buttons=buttons))[0][1:]

    assert [[button["action_id"] for button in row["elements"]] for row in rows] == [
        ["ack", "resolve"],
        ["ack"],
    ]


@pytest.mark.parametrize(
    "button",
    [
        Button("ack", "7" * 2_001, "Acknowledge"),
        Button("a" * 256, "7", "Acknowledge"),
        Button("", "7", "Acknowledge"),
    ],
    ids=["value too long", "action too long", "no action"],
)
def test_a_button_that_slack_cannot_carry_whole_is_left_out(button: Button) -> None:
    blocks, _ = render(Message("x", buttons=(button,)))

    assert [block["type"] for block in blocks] == ["header"]


def test_fields_past_the_tenth_are_counted() -> None:
    fields = tuple(Field(f"name{number}", "value") for number in range(12))

    sections = render(Message("x", fields=fields))[0][1:]

    assert [len(section["fields"]) for section in sections] == [10, 10]
    assert sections[1]["fields"][-1] == plain("3 more")


@pytest.mark.parametrize("character", ["x", '"', "\\n.", "&", "é"])
def test_when_all_is_too_much_the_longest_texts_are_cut_shorter(character: str) -> None:
    long = character * 5_000
    buttons = tuple(Button("act", "7", long, confirm=long) for _ in range(5))
    crowded = Message("x", (Field(long, long),) * 10, long, long, buttons, footer=long)

    alone = render(Message("x", body=long))[0]
    blocks = render(crowded)[0]

    assert len(alone[1]["text"]["text"]) > 2_990
    assert len(blocks[3]["text"]["text"]) < 2_990
    assert 4_000 < len(json.dumps(blocks, ensure_ascii=False)) <= 13_000


def test_a_cut_text_ends_in_an_ellipsis_and_never_in_half_an_entity() -> None:
    blocks, _ = render(Message("a" * 148 + "<<<"))

    assert blocks[0]["text"]["text"] == "a" * 148 + "…"


def test_an_empty_headline_is_still_a_message() -> None:
    blocks, fallback = render(Message(" \n "))

    assert blocks == [{"type": "header", "text": plain("-")}]
    assert fallback == "-"


def mention(kind: Mention, *people: str) -> list[str]:
    """What a message calls."""
    blocks, fallback = render(Message("P0 checkout", mention=kind, mentioned=people))
    assert "<" not in fallback
    return [text["text"] for text in texts(blocks) if text["type"] == "mrkdwn"]


def test_who_is_on_call_is_called_by_name() -> None:
    assert mention(Mention.ON_CALL, "U00000ANA", "W0BEN") == ["<@U00000ANA> <@W0BEN>"]


def test_of_many_five_are_called() -> None:
    assert mention(Mention.ON_CALL, *(f"U{number:06}" for number in range(9))) == [
        "<@U000000> <@U000001> <@U000002> <@U000003> <@U000004>"
    ]


def test_where_nobody_is_known_those_who_are_active_are_called() -> None:
    assert mention(Mention.ON_CALL) == ["<!here>"]


def test_the_whole_channel_is_called_whoever_is_known() -> None:
    assert mention(Mention.CHANNEL, "U00000ANA") == ["<!channel>"]


@given(st.lists(TEXT | st.sampled_from(["!channel", "U1> <!channel", "S0GROUP", "u00000ana"])))
def test_what_is_no_id_calls_nobody(people: list[str]) -> None:
    for text in mention(Mention.ON_CALL, *people):
        assert text == "<!here>" or re.fullmatch(r"<@[UW][A-Z0-9]+>( <@[UW][A-Z0-9]+>)*", text)


def test_lines_that_do_not_fit_are_counted_and_found_elsewhere() -> None:
    lines = "\n".join(f"{number} <{'&' * 50}>" for number in range(100))
    blocks, _ = render(Message("Plan", preformatted=lines, whole="/runs/12"))
    code = blocks[1]["text"]["text"].splitlines()
    assert code[-2] == f"… {100 - (len(code) - 3)} more lines: /runs/12"
    assert len("\n".join(code)) <= 3_000


def test_pages_are_links_with_their_labels() -> None:
    pages = [
        PageLink(
            f"<{number}|x>\n", WebLink("tocsin.example", f"https://tocsin.example/?a&b={number}")
        )
        for number in range(12)
    ]
    blocks, _ = render(Message("Run", pages=tuple(pages)))
    drawn = [one["text"] for one in blocks[1]["elements"]]
    assert len(drawn) == 10
    assert drawn[0] == "<https://tocsin.example/?a&amp;b=0|&lt;0|x&gt;>"
