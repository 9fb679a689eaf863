"""Alertmanager's API as the `AlertSource`: what fires there, and its silences.

Several addresses are the members of a pair or Alertmanagers that know nothing of each
other; what any of them holds counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import msgspec

from bot.adapters.alertmanager_member import AlertmanagerMember, NotThere
from bot.domain.alert import Alert, AlertStatus
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.matcher import Matcher, Operator
from bot.domain.observation import Member, Observation, Sighting, State, united


class _Named(msgspec.Struct):
    name: str


class _Status(msgspec.Struct):
    state: State


class _Alert(msgspec.Struct, rename="camel"):
    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    status: _Status
    receivers: list[_Named]
    generator_url: str = msgspec.field(name="generatorURL", default="")


class _Cluster(msgspec.Struct):
    name: str = ""
    peers: list[_Named] = []


class _MemberStatus(msgspec.Struct):
    cluster: _Cluster
    uptime: datetime


class _Silence(msgspec.Struct, rename="camel"):
    id: str
    status: dict[str, str]
    matchers: list[dict[str, str | bool]]
    ends_at: datetime
    created_by: str
    comment: str

    @property
    def expired(self) -> bool:
        return self.status.get("state") == "expired"


class _Created(msgspec.Struct):
    id: str = msgspec.field(name="silenceID")


class AlertmanagerApi:
    """The Alertmanagers at `urls`, asked one after the other; for one thread at a time.

    A URL may hold a user with a password; `timeout` is in seconds, for each wait.
    """

    def __init__(self, urls: Sequence[str], timeout: float = 10) -> None:
        self._members = [AlertmanagerMember(url, timeout) for url in urls]

    def alerts(self) -> Observation:
        """All alerts of all members that answer; when none does, the first one's error."""
        members: list[Member] = []
        sightings: list[Sighting] = []
        errors: list[Exception] = []
        for member in self._members:
            try:
                found = _sightings(member)
                # Asked afterwards: a restart in between then shows as a short time.
                members.append(Member(member.url, _up_for(member)))
                sightings += found
            except (TemporaryError, PermanentError) as error:
                members.append(Member(member.url, problem=str(error)))
                errors.append(error)
        if len(errors) == len(members):
            raise _worth_repeating(errors)
        return Observation(tuple(members), united(sightings))

    def silence(
        self,
        matchers: Sequence[Matcher],
        starts_at: datetime,
        ends_at: datetime,
        created_by: str,
        comment: str,
    ) -> str:
        """Silence on every member; returns the ids, by commas where there are several.

        A pair's members tell each other, so one of them is told. A silence of the same
        matchers, end, author and comment is taken for this one, so that it can be repeated.
        """
        wanted: dict[str, object] = {
            "matchers": [_matcher(one) for one in matchers],
            "startsAt": starts_at.isoformat(),
            "endsAt": ends_at.isoformat(),
            "createdBy": created_by,
            "comment": comment,
        }
        ids: list[str] = []
        told: set[str] = set()
        for member in self._members:
            cluster = _status(member).cluster
            if cluster.name not in told:
                ids.append(_existing(member, wanted, ends_at) or _create(member, wanted))
            told |= {peer.name for peer in cluster.peers}
        return ",".join(dict.fromkeys(ids))

    def expire_silence(self, silence_id: str) -> None:
        """End the silence on every member that has it."""
        for member in self._members:
            for one in silence_id.split(","):
                _expire(member, one)


def _worth_repeating(errors: Sequence[Exception]) -> Exception:
    return next((error for error in errors if isinstance(error, TemporaryError)), errors[0])


def _sightings(member: AlertmanagerMember) -> list[Sighting]:
    return [_sighting(raw) for raw in member.get("alerts").read(list[_Alert])]


def _sighting(raw: _Alert) -> Sighting:
    return Sighting(
        Alert(
            fingerprint=raw.fingerprint,
            status=AlertStatus.FIRING,
            labels=raw.labels,
            annotations=raw.annotations,
            starts_at=raw.starts_at.astimezone(UTC),
            generator_url=raw.generator_url,
        ),
        raw.status.state,
        frozenset(receiver.name for receiver in raw.receivers),
    )


def _status(member: AlertmanagerMember) -> _MemberStatus:
    return member.get("status").read(_MemberStatus)


def _up_for(member: AlertmanagerMember) -> timedelta | None:
    """How long it has run: from its start (`uptime`) to its own time, the header `Date`."""
    answer = member.get("status")
    if answer.date is None:
        return None
    return timedelta(seconds=answer.date - answer.read(_MemberStatus).uptime.timestamp())


_IS_REGEX = frozenset({Operator.MATCHES, Operator.NOT_MATCHES})
_IS_EQUAL = frozenset({Operator.EQUAL, Operator.MATCHES})


def _matcher(matcher: Matcher) -> dict[str, str | bool]:
    return {
        "name": matcher.name,
        "value": matcher.value,
        "isRegex": matcher.operator in _IS_REGEX,
        "isEqual": matcher.operator in _IS_EQUAL,
    }


def _create(member: AlertmanagerMember, wanted: Mapping[str, object]) -> str:
    return member.post("silences", wanted).read(_Created).id


def _existing(
    member: AlertmanagerMember, wanted: Mapping[str, object], ends_at: datetime
) -> str | None:
    """The id of such a silence; the start is not compared, Alertmanager moves it to now."""
    texts = (wanted["createdBy"], wanted["comment"], _milliseconds(ends_at))
    matchers = _sorted(wanted["matchers"])  # type: ignore[arg-type]
    for one in member.get("silences").read(list[_Silence]):
        same = (one.created_by, one.comment, _milliseconds(one.ends_at)) == texts
        if same and not one.expired and _sorted(one.matchers) == matchers:
            return one.id
    return None


def _sorted(matchers: Iterable[Mapping[str, str | bool]]) -> list[list[tuple[str, str | bool]]]:
    return sorted(sorted(matcher.items()) for matcher in matchers)


def _milliseconds(moment: datetime) -> int:
    """Epoch milliseconds; Alertmanager drops what is finer."""
    return moment.microsecond // 1000 + int(moment.replace(microsecond=0).timestamp()) * 1000


def _expire(member: AlertmanagerMember, silence_id: str) -> None:
    path = f"silence/{quote(silence_id, safe='')}"
    try:
        if not member.get(path).read(_Silence).expired:
            member.delete(path)
    except NotThere:
        return
