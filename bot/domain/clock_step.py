"""A wall clock that was put back: by how much, and what that means for what waits.

Everything that waits goes by moments which are written down: since when somebody is needed,
when the last step was done. When the clock is put back by ten minutes, these lie ten minutes
further ahead than they were meant, and all of it would come ten minutes late. So what is
written down is moved back with the clock, once, when the step is noticed.

A clock that is put forward needs nothing: what waits comes too early then, and each thing
once, because what was done is counted and not timed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.heartbeat import Beat
from bot.domain.incident import Calling, Incident, PageState, Response
from bot.domain.page_test import PageTest, PageTestState

UNNOTICED = timedelta(seconds=2)
"""What a clock may go back by without anything being moved: so much later matters to nobody."""


def put_back_by(seen: datetime, now: datetime) -> timedelta:
    """By how much the clock was put back since it showed `seen`; zero if it was not.

    It is a little less than the whole step: what has passed since `seen` can't be told.
    """
    back = seen - now
    return back if back > UNNOTICED else timedelta(0)


def latest_moment(incident: Incident) -> datetime:
    """The latest moment that is written down about it as past: a clock has shown it."""
    page, calling, response = incident.page, incident.calling, incident.response
    known = (
        incident.opened_at,
        incident.acknowledged_at,
        page.at if page else None,
        calling.since if calling else None,
        calling.fallback_at if calling else None,
        response.done.last_at if response.done else None,
        response.heard_at,
        response.asked_at,
    )
    return max(moment for moment in known if moment is not None)


def moved_incident(incident: Incident, by: timedelta) -> Incident:
    """The incident with all its moments told by the clock that was put back."""
    return replace(
        incident,
        opened_at=incident.opened_at - by,
        acknowledged_at=_moved(incident.acknowledged_at, by),
        resolved_at=_moved(incident.resolved_at, by),
        ticket_due_at=_moved(incident.ticket_due_at, by),
        quiet_until=_moved(incident.quiet_until, by),
        page=_page(incident.page, by),
        calling=_calling(incident.calling, by),
        response=_response(incident.response, by),
        follow_ups=tuple(replace(one, at=one.at - by) for one in incident.follow_ups),
    )


def moved_beat(beat: Beat, by: timedelta) -> Beat:
    """The beat, as long ago as it was."""
    return replace(beat, last_at=beat.last_at - by)


def moved_test(test: PageTest, by: timedelta) -> PageTest:
    """The page test; one that waits keeps its time, which is the wall clock's."""
    if test.state is not PageTestState.RUNNING:
        return test
    return replace(test, confirm_by=_moved(test.confirm_by, by))


def _page(page: PageState | None, by: timedelta) -> PageState | None:
    return None if page is None else replace(page, at=_moved(page.at, by))


def _calling(calling: Calling | None, by: timedelta) -> Calling | None:
    if calling is None:
        return None
    return replace(
        calling,
        since=calling.since - by,
        retry_at=_moved(calling.retry_at, by),
        fallback_at=_moved(calling.fallback_at, by),
    )


def _response(response: Response, by: timedelta) -> Response:
    done = response.done
    return replace(
        response,
        done=None if done is None else replace(done, last_at=done.last_at - by),
        heard_at=_moved(response.heard_at, by),
        asked_at=_moved(response.asked_at, by),
        first_at=_moved(response.first_at, by),
    )


def _moved(moment: datetime | None, by: timedelta) -> datetime | None:
    return None if moment is None else moment - by
