"""What people read of a maintenance window: whom it spares, until when, and what it hid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.domain.incident import Incident
from bot.domain.incident_message import incident_line
from bot.domain.maintenance import Silence, Window
from bot.domain.matcher_text import written
from bot.domain.message import Field, Message

SHOWN_HIDDEN = 30
"""Hidden incidents named in one message; the newest count at night."""


def window_message(
    window: Window, now: datetime, hides: Sequence[Incident] = (), hid: Sequence[Incident] = ()
) -> Message:
    """A window; `hides` are the incidents that it hides now, `hid` those that it no longer does."""
    return Message(
        headline=f"{window.reference} {_standing(window, now)}: {window.reason}",
        fields=_fields(window),
        preformatted="\n".join(
            [*map(written, window.matchers), *_named("Hides", hides), *_named("Hid", hid)]
        ),
        footer=_footer(window, now),
    )


def window_line(window: Window, now: datetime) -> str:
    """A window in one line, for lists."""
    matchers = ", ".join(map(written, window.matchers))
    when = f"{at(window.starts_at)} to {at(window.ends_at)}"
    return (
        f"{window.reference} {_standing(window, now)}, {when}: "
        f"{matchers} ({window.created_by.name}: {window.reason})"
    )


def at(moment: datetime) -> str:
    """A moment to the minute, with its zone."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _standing(window: Window, now: datetime) -> str:
    if window.active(now):
        return "active"
    return "planned" if now < window.starts_at else "over"


def _fields(window: Window) -> tuple[Field, ...]:
    fields = [
        Field("From", at(window.starts_at)),
        Field("Until", at(window.ends_at)),
        Field("By", window.created_by.name),
        Field("Silence in Alertmanager", _silence(window.silence)),
    ]
    if window.incident_id is not None:
        fields.append(Field("Made from", f"INC-{window.incident_id}"))
    return tuple(fields)


def _silence(silence: Silence | None) -> str:
    if silence is None:
        return "none; Tocsin itself keeps quiet"
    if silence.refused:
        return f"refused: {silence.refused}"
    if not silence.id:
        return "on its way"
    return f"ended ({silence.id})" if silence.expired else silence.id


def _named(verb: str, incidents: Sequence[Incident]) -> Iterable[str]:
    if not incidents:
        return
    yield ""
    yield f"{verb} {len(incidents)} incident{'s' if len(incidents) != 1 else ''}"
    yield from map(incident_line, incidents[-SHOWN_HIDDEN:])
    if len(incidents) > SHOWN_HIDDEN:
        yield f"… and {len(incidents) - SHOWN_HIDDEN} earlier"


def _footer(window: Window, now: datetime) -> str:
    made = f"Made {at(window.created_at)}"
    if window.ends_at <= now:
        return made
    return f"{made} · /maintenance end {window.id} ends it"
