"""Whoever can write an alert can write anything into it; it stays text everywhere."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.domain.timeline import markdown
from tests.support.harness import Harness
from tests.support.waiting import eventually
from tests.support.webhook import alert

TEXTS = [
    pytest.param("<!channel> <@U00000ANA> <https://evil.example|click>", id="mentions and links"),
    pytest.param("``` *bold* _it_ ~no~ `code` ```", id="markup"),
    pytest.param("x" * 10_000, id="long"),
    pytest.param("<script>alert(1)</script> &amp; </td>|\n\n# heading\r\n", id="html"),
    pytest.param("a\0b\x1b[31mred\x07 \u202egnp.exe \ufeff\u2028", id="control characters"),
    pytest.param("💥 é ≠ 日本語 \U0001f468\u200d\U0001f469", id="unicode"),
    pytest.param("${parameters.workload} {{ .Labels }} %s {0} $(id) `id`", id="templates"),
    pytest.param("', (SELECT 1)); DROP TABLE incident; --", id="sql"),
    pytest.param(",alertname=other\\,namespace=web", id="group key"),
    pytest.param("", id="nothing"),
]


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_texts_stay_text(h: Harness, text: str) -> None:
    """Every label and annotation holds it; the whole job is done all the same."""
    hostile = alert("x", service=text, namespace=text, cluster=text, instance=text, extra=text)
    hostile["labels"]["alertname"] = text
    hostile["annotations"] = {"summary": text, "description": text, "runbook_url": text}
    h.deliver(hostile)
    assert h.told_pager() == [("trigger", 202)]
    for value in strings(h.message().blocks):
        assert "<" not in value
        assert len(value) <= 3_000
    assert list(h.message().buttons) == ["Acknowledge", "Resolve"]
    h.click("Acknowledge")
    h.command("ana", f"/incident note 1 {text[:2_000]}")
    for ask in ("show 1", "timeline 1", "list"):
        h.command("ana", f"/incident {ask}")
    incident, story = h.incidents.timeline(1)
    told = markdown(incident.title, story)
    assert told.count("\n") == len(story) + 4
    assert "<" not in told
    assert "\x1b" not in told
    h.deliver({**hostile, "status": "resolved", "endsAt": h.clock.now().isoformat()})
    assert h.incident().state == "resolved"
    assert h.told_pager()[-1] == ("resolve", 202)


def strings(value: Any) -> list[str]:
    """All texts in a JSON value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in strings(one)]
    return []


def test_hostile_words_after_a_command_are_answered(h: Harness) -> None:
    """Whatever is typed, there is an answer, and no run."""
    for text in (str(one.values[0]) for one in TEXTS):
        words = " ".join(text.split())
        for command in ("/incident", "/incident ack", "/runbook show", "/restart"):
            assert h.slack.command("ana", f"{command} {words}") != ""
    h.settle()
    assert h.runs.newest() == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"null", b"{" * 10_000, b'{"version":"4"}', b"\xff\xfe", b'"\\ud800"'],
)
def test_what_is_no_delivery_is_refused_and_somebody_hears_of_it(h: Harness, body: bytes) -> None:
    """With one plain sentence, never with a 500; of its alerts nobody will ever hear again."""
    answer = h.post(body)
    assert answer.status_code == 400
    problem = json.loads(answer.text)["error"]
    eventually(lambda: h.inbox.read(limit=1))
    h.settle()
    (incident,) = h.incidents.newest()
    assert incident.title.startswith("TocsinWebhookRefused")
    (known,) = h.incidents.alerts(incident.id)
    assert known.alert.annotations["description"] == problem
    assert h.pages() == ["triggered"]
