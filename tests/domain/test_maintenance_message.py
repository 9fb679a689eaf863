from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.maintenance import Silence
from bot.domain.maintenance_message import SHOWN_HIDDEN, window_line, window_message
from bot.domain.message import Message
from tests.support.examples import NOW, incident
from tests.support.windows import HOUR, window


def fields(message: Message) -> dict[str, str]:
    return {field.name: field.value for field in message.fields}


def test_what_is_said_of_a_window() -> None:
    message = window_message(window(3), NOW)
    assert message.headline == "MW-3 active: Upgrade."
    assert fields(message) == {
        "From": "2026-03-01 03:00 UTC",
        "Until": "2026-03-01 04:00 UTC",
        "By": "ana",
        "Silence in Alertmanager": "none; Tocsin itself keeps quiet",
    }
    assert message.preformatted == 'namespace="payments"'
    assert message.footer == "Made 2026-03-01 03:00 UTC · /maintenance end 3 ends it"
    assert message.subject is None


@pytest.mark.parametrize(
    ("hours", "standing"), [(-1.0, "planned"), (0.0, "active"), (1.0, "over"), (2.0, "over")]
)
def test_how_it_stands(hours: float, standing: str) -> None:
    now = NOW + timedelta(hours=hours)
    assert window_message(window(3), now).headline == f"MW-3 {standing}: Upgrade."
    assert ("ends it" in window_message(window(3), now).footer) is (standing != "over")
    assert window_line(window(3), now) == (
        f"MW-3 {standing}, 2026-03-01 03:00 UTC to 2026-03-01 04:00 UTC: "
        'namespace="payments" (ana: Upgrade.)'
    )


@pytest.mark.parametrize(
    ("silence", "said"),
    [
        (Silence(), "on its way"),
        (Silence("abc"), "abc"),
        (Silence("abc", expired=True), "ended (abc)"),
        (Silence(refused="bad matcher"), "refused: bad matcher"),
    ],
)
def test_what_became_of_it_in_alertmanager(silence: Silence, said: str) -> None:
    shown = fields(window_message(window(3, silence=silence, incident_id=7), NOW))
    assert shown["Silence in Alertmanager"] == said
    assert shown["Made from"] == "INC-7"


def test_each_incident_that_it_hid_is_named() -> None:
    message = window_message(window(3), NOW + HOUR, [incident()], [incident(id=8), incident(id=9)])
    assert message.preformatted.splitlines() == [
        'namespace="payments"',
        "",
        "Hides 1 incident",
        "🔴 INC-7 P1 triggered: HighErrorRate: checkout in payments (c1)",
        "",
        "Hid 2 incidents",
        "🔴 INC-8 P1 triggered: HighErrorRate: checkout in payments (c1)",
        "🔴 INC-9 P1 triggered: HighErrorRate: checkout in payments (c1)",
    ]


def test_many_are_counted() -> None:
    hid = [incident(id=number) for number in range(1, SHOWN_HIDDEN + 3)]
    lines = window_message(window(3), NOW, (), hid).preformatted.splitlines()
    assert "INC-3 " in lines[3]
    assert lines[-1] == "… and 2 earlier"
