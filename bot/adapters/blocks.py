"""Draws a `Message` as Slack's Block Kit.

Everything in a message is hostile. Three things keep it text: plain_text objects
wherever Slack allows them, since nothing is parsed in those; `verbatim` where mrkdwn is
needed (bold names, code), so that Slack links nothing of its own accord; and ``& < >``
escaped everywhere, since ``<!channel>`` in mrkdwn or in the fallback text would ring
for everybody.

Slack refuses the whole message for one text that is too long, so everything is cut to
fit. The limits are Slack's (docs.slack.dev/reference/block-kit, at each block and
composition object), or below them where a reader is better served with less. All blocks
together must stay under about 13,000 characters, past which Slack answers
``msg_blocks_too_long`` (slackapi/bolt-js#2509; the figure is not in its documentation);
a message that would not has its longest texts cut shorter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from bot.domain.contact import Mention
from bot.domain.excerpt import as_fit
from bot.domain.message import Button, ButtonStyle, Field, Message, PageLink
from bot.domain.printable import printable
from bot.domain.web_link import WebLink

Block = dict[str, Any]

TOTAL_LIMIT = 12_000
LONGEST_TEXTS = (3_000, 2_000, 1_000, 500, 250, 100)
"""Tried in turn, until all blocks together fit."""

HEADLINE_LIMIT = 150
FIELDS_LIMIT = 10
FIELD_NAME_LIMIT = 60
FIELD_VALUE_LIMIT = 300
BODY_LIMIT = 3_000
PREFORMATTED_LIMIT = 3_000
FOOTER_LIMIT = 500
FALLBACK_LIMIT = 3_000

LABEL_LIMIT = 75
ACTION_LIMIT = 255
VALUE_LIMIT = 2_000
QUESTION_LIMIT = 300
CONFIRM_LABEL_LIMIT = 30
BUTTONS_LIMIT = 25
PAGES_LIMIT = 10
PAGE_LIMIT = 500

ELLIPSIS = "…"
NOTHING = "-"
"""Stands for an empty text, which Slack refuses."""

ZERO_WIDTH_SPACE = "\N{ZERO WIDTH SPACE}"

_FENCE = "```"
_FENCES = re.compile("`{3,}")
_FORMATTING = re.compile(r"[*_~`\s]+")
_NOTE = 60
"""Characters that are kept free for saying how many lines are left out."""

_HALF_AN_ENTITY = re.compile(r"&[a-z]*$")


def render(message: Message) -> tuple[list[Block], str]:
    """The blocks of `message`, and the plain text for where blocks can't be shown.

    The first block's ``block_id`` is the message's subject, by which it is found again.
    Fields past the tenth are counted, not shown. Buttons past the 25th are left out, as
    are those whose action or value Slack can't carry whole: cut, it would name something
    else.
    """
    for most in LONGEST_TEXTS:
        blocks = _blocks(message, most)
        if len(json.dumps(blocks, ensure_ascii=False)) <= TOTAL_LIMIT:
            break
    return blocks, _fallback(message)


def _blocks(message: Message, most: int) -> list[Block]:
    """The blocks with no text from outside longer than `most` characters."""
    return [
        _header(message),
        *_mentioned(message),
        *_fields(message.fields, most),
        *_body(message.body, most),
        *_code(message, most),
        *_buttons(message.buttons),
        *_links(message.links),
        *_pages(message.pages),
        *_footer(message.footer, most),
    ]


def escape(text: str, limit: int) -> str:
    """`text` as Slack shows it literally, at most `limit` characters (an ellipsis is one).

    Source: docs.slack.dev/messaging/formatting-message-text, "Escaping text".
    """
    escaped = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(escaped) <= limit:
        return escaped
    return _HALF_AN_ENTITY.sub("", escaped[: limit - len(ELLIPSIS)]) + ELLIPSIS


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": escape(text.strip(), limit) or NOTHING, "emoji": False}


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _bold(name: str) -> Block:
    plain = _FORMATTING.sub(" ", name).strip()
    return _mrkdwn(f"*{escape(plain, FIELD_NAME_LIMIT) or NOTHING}*")


def _header(message: Message) -> Block:
    header: Block = {"type": "header", "text": _plain(_one_line(message.headline), HEADLINE_LIMIT)}
    if message.subject is not None:
        header["block_id"] = str(message.subject)
    return header


MENTIONED_LIMIT = 5
"""People who are called by name in one message: who is on call first, and some behind them."""

_USER_ID = re.compile(r"[UW][A-Z0-9]{2,20}")
"""Source: docs.slack.dev/reference/objects/user-object, "id"; nothing else becomes a mention."""

_CALLS = {Mention.CHANNEL: "<!channel>", Mention.ON_CALL: "<!here>"}
"""What rings for whom, and besides people's own names the only markup that is ever sent.
Where nobody on call is known by name, those who are active in the channel are called."""


def _mentioned(message: Message) -> Iterator[Block]:
    if message.mention is not None:
        called = _call(message.mention, message.mentioned)
        yield {"type": "section", "text": {"type": "mrkdwn", "text": called}}


def _call(mention: Mention, people: Sequence[str]) -> str:
    known = [one for one in people if _USER_ID.fullmatch(one)][:MENTIONED_LIMIT]
    if mention is Mention.ON_CALL and known:
        return " ".join(f"<@{one}>" for one in known)
    return _CALLS[mention]


def _body(text: str, most: int) -> Iterator[Block]:
    if text.strip():
        yield {"type": "section", "text": _plain(text, min(BODY_LIMIT, most))}


def _code(message: Message, most: int) -> Iterator[Block]:
    """The lines between fences; a fence in them is broken up by zero-width spaces."""
    lines = message.preformatted
    if lines.strip():
        limit = min(PREFORMATTED_LIMIT, most) - 2 * len(_FENCE) - 2
        harmless = _FENCES.sub(lambda fence: ZERO_WIDTH_SPACE.join(fence[0]), lines.strip("\n"))
        escaped = [escape(line, limit - _NOTE) for line in harmless.split("\n")]
        code = "\n".join(as_fit(escaped, limit, message.whole))
        yield {"type": "section", "text": _mrkdwn(f"{_FENCE}\n{code}\n{_FENCE}")}


def _links(links: Sequence[WebLink]) -> Iterator[Block]:
    """Links by their host; a `WebLink` holds none of the characters that would end one."""
    for link in links:
        url = link.url.replace("&", "&amp;")
        yield {"type": "context", "elements": [_mrkdwn(f"<{url}|Runbook at {link.host}>")]}


def _pages(pages: Sequence[PageLink]) -> Iterator[Block]:
    """Links to Tocsin's own pages, in one block."""
    shown = [page for page in pages if len(page.link.url) <= PAGE_LIMIT][:PAGES_LIMIT]
    if shown:
        yield {"type": "context", "elements": [_mrkdwn(_page(page)) for page in shown]}


def _page(page: PageLink) -> str:
    label = escape(_one_line(page.label), LABEL_LIMIT) or NOTHING
    return f"<{page.link.url.replace('&', '&amp;')}|{label}>"


def _footer(text: str, most: int) -> Iterator[Block]:
    if text.strip():
        yield {"type": "context", "elements": [_plain(text, min(FOOTER_LIMIT, most))]}


def _fields(fields: Sequence[Field], most: int) -> Iterator[Block]:
    """Sections of name and value side by side; Slack takes ten texts a section."""
    shown = list(fields)
    if len(shown) > FIELDS_LIMIT:
        left_out = len(shown) - FIELDS_LIMIT + 1
        shown = [*shown[: FIELDS_LIMIT - 1], Field("And", f"{left_out} more")]
    for start in range(0, len(shown), 5):
        texts: list[Block] = []
        for field in shown[start : start + 5]:
            texts += [_bold(field.name), _plain(field.value, min(FIELD_VALUE_LIMIT, most))]
        yield {"type": "section", "fields": texts}


def _buttons(buttons: Sequence[Button]) -> Iterator[Block]:
    """Rows of buttons; an action stands once in a row, as Slack demands."""
    row: dict[str, Block] = {}
    for button in [button for button in buttons if _fits(button)][:BUTTONS_LIMIT]:
        if button.action in row:
            yield {"type": "actions", "elements": list(row.values())}
            row = {}
        row[button.action] = _button(button)
    if row:
        yield {"type": "actions", "elements": list(row.values())}


def _fits(button: Button) -> bool:
    return 0 < len(button.action) <= ACTION_LIMIT and len(button.value) <= VALUE_LIMIT


def _button(button: Button) -> Block:
    drawn: Block = {
        "type": "button",
        "action_id": button.action,
        "value": button.value,
        "text": _plain(_one_line(button.label), LABEL_LIMIT),
    }
    if button.style is not ButtonStyle.DEFAULT:
        drawn["style"] = button.style.value
    if button.confirm is not None:
        drawn["confirm"] = _confirm(button.label, button.confirm)
    return drawn


def _confirm(label: str, question: str) -> Block:
    return {
        "title": _plain(_one_line(label), LABEL_LIMIT),
        "text": _plain(question, QUESTION_LIMIT),
        "confirm": _plain(_one_line(label), CONFIRM_LABEL_LIMIT),
        "deny": _plain("Cancel", CONFIRM_LABEL_LIMIT),
    }


def _fallback(message: Message) -> str:
    fields = (f"{field.name}: {field.value}" for field in message.fields)
    parts = (message.headline, *fields, message.body, message.preformatted, message.footer)
    return escape("\n".join(part for part in parts if part.strip()), FALLBACK_LIMIT) or NOTHING
