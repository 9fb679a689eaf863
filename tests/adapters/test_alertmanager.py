"""Alertmanager's webhook bodies: real ones, wrong ones, and any bytes at all."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.alertmanager import (
    MAX_ALERTS,
    MAX_FINGERPRINT,
    MAX_LABELS,
    MAX_TEXT,
    check_delivery,
    parse_delivery,
)
from bot.domain.alert import AlertStatus, Delivery, NotJson, WrongVersion, fingerprint_of
from bot.domain.errors import InvalidInput

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "alertmanager"
SAMPLE_NAMES = sorted(path.stem for path in SAMPLES.glob("*.json"))

READERS = pytest.mark.parametrize("read", [check_delivery, parse_delivery])
Reader = Callable[[bytes], object]


def sample(name: str) -> dict[str, Any]:
    """The body of a webhook that Alertmanager 0.25 really sent."""
    body: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())["body"]
    return body


def parse(body: Any) -> Delivery:
    return parse_delivery(json.dumps(body).encode())


def with_alert(**fields: Any) -> dict[str, Any]:
    """The sample `firing` with fields of its alert replaced."""
    body = sample("firing")
    body["alerts"][0] |= fields
    return body


def without_alert_field(field: str) -> dict[str, Any]:
    body = sample("firing")
    del body["alerts"][0][field]
    return body


def test_an_alert_is_read_as_it_was_sent() -> None:
    delivery = parse(sample("firing"))

    assert delivery.receiver == "main"
    assert delivery.status is AlertStatus.FIRING
    assert delivery.group_key == '{}:{alertname="Single", cluster="c1"}'
    assert delivery.group_labels == {"alertname": "Single", "cluster": "c1"}
    assert delivery.external_url == "http://vm:19093"
    assert delivery.truncated_alerts == 0
    (alert,) = delivery.alerts
    assert alert.fingerprint == "f1466ff9010b9de5"
    assert alert.status is AlertStatus.FIRING
    assert alert.labels["severity"] == "critical"
    assert alert.annotations["runbook_url"] == "https://rb/x"
    assert alert.starts_at == datetime(2026, 11, 23, 10, 46, 46, 489866, UTC)
    assert alert.ends_at is None
    assert alert.generator_url == "http://prom/graph?g0.expr=up"
    assert (alert.name, alert.summary) == ("Single", "Single on i1")


@pytest.mark.parametrize(
    ("name", "status", "firing", "resolved", "truncated"),
    [
        ("firing", "firing", 1, 0, 0),
        ("repeated", "firing", 1, 0, 0),
        ("resolved", "resolved", 0, 1, 0),
        ("grouped_firing", "firing", 3, 0, 0),
        ("grouped_partial_resolved", "firing", 2, 1, 0),
        ("grouped_resolved", "resolved", 0, 2, 0),
        ("truncated_firing", "firing", 2, 0, 3),
        ("truncated_resolved", "resolved", 0, 2, 3),
        ("ha_duplicate_am1", "firing", 1, 0, 0),
        ("ha_duplicate_am2", "firing", 1, 0, 0),
        ("ungrouped_ellipsis_bearer", "firing", 1, 0, 0),
    ],
)
def test_what_alertmanager_sent_is_understood(
    name: str, status: str, firing: int, resolved: int, truncated: int
) -> None:
    delivery = parse(sample(name))

    statuses = [alert.status for alert in delivery.alerts]
    assert delivery.status == status
    assert statuses.count(AlertStatus.FIRING) == firing
    assert statuses.count(AlertStatus.RESOLVED) == resolved
    assert delivery.truncated_alerts == truncated
    for alert in delivery.alerts:
        assert (alert.ends_at is None) is (alert.status is AlertStatus.FIRING)


def test_every_sample_is_tried() -> None:
    (mark,) = (
        mark
        for mark in test_what_alertmanager_sent_is_understood.pytestmark  # type: ignore[attr-defined]
        if mark.name == "parametrize"
    )
    assert sorted(case[0] for case in mark.args[1]) == SAMPLE_NAMES


def test_both_halves_of_a_pair_tell_the_same() -> None:
    one, other = (parse(sample(f"ha_duplicate_am{number}")) for number in (1, 2))

    assert one.external_url != other.external_url
    assert (one.alerts, one.group_key) == (other.alerts, other.group_key)


def test_what_is_not_known_is_ignored() -> None:
    body = with_alert(silenceURL="http://x", values={"A": 1.5})

    assert parse(body | {"orgId": 1, "notificationReason": None}) == parse(sample("firing"))


@pytest.mark.parametrize("field", ["annotations", "endsAt", "generatorURL"])
def test_what_an_alert_can_do_without_may_be_missing(field: str) -> None:
    (alert,) = parse(without_alert_field(field)).alerts

    assert alert.name == "Single"


def test_only_version_status_and_alerts_are_needed() -> None:
    body = sample("firing")
    few = {name: body[name] for name in ("version", "status", "alerts")}

    assert parse(few).alerts == parse(body).alerts


@pytest.mark.parametrize("labels", [{}, {"alertname": ""}])
def test_an_alert_without_a_name_has_one_for_people(labels: dict[str, str]) -> None:
    (alert,) = parse(with_alert(labels=labels, annotations={})).alerts

    assert (alert.name, alert.summary) == ("unnamed alert", "unnamed alert")


@pytest.mark.parametrize(
    ("annotations", "summary"),
    [
        ({"summary": "S", "description": "D"}, "S"),
        ({"description": "\n first line \nsecond"}, "first line"),
        ({"summary": "", "description": "D"}, "D"),
        ({"summary": " \n "}, "Single"),
        ({}, "Single"),
    ],
)
def test_the_summary_is_one_line(annotations: dict[str, str], summary: str) -> None:
    (alert,) = parse(with_alert(annotations=annotations)).alerts

    assert alert.summary == summary


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23T10:46:46Z", datetime(2026, 11, 23, 10, 46, 46, 0, UTC)),
        ("2026-11-23T10:46:46.123456489Z", datetime(2026, 11, 23, 10, 46, 46, 123456, UTC)),
        ("2026-11-23T12:16:46.5+01:30", datetime(2026, 11, 23, 10, 46, 46, 500000, UTC)),
        ("0001-01-01T00:00:00+01:00", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59-01:00", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_times_are_read_into_utc(text: str, moment: datetime) -> None:
    (alert,) = parse(with_alert(startsAt=text)).alerts

    assert alert.starts_at == moment
    assert alert.starts_at.utcoffset() == timedelta(0)


def test_a_missing_fingerprint_is_made_of_the_labels() -> None:
    def fingerprint(labels: dict[str, str]) -> str:
        body = with_alert(labels=labels)
        del body["alerts"][0]["fingerprint"]
        return parse(body).alerts[0].fingerprint

    one = fingerprint({"a": "1", "b": "2"})
    assert one == fingerprint({"b": "2", "a": "1"})
    assert len(one) == 16
    assert len({one, fingerprint({"a": "1b", "": "2"}), fingerprint({"a": "1"})}) == 3
    assert parse(with_alert(fingerprint="")).alerts[0].fingerprint


def test_nul_which_postgresql_can_t_store_is_replaced() -> None:
    (alert,) = parse(with_alert(labels={"a\0": "b\0c"}, fingerprint="f\0")).alerts

    assert alert.labels == {"a\ufffd": "b\ufffdc"}
    assert alert.fingerprint == "f\ufffd"


def test_of_two_equal_keys_the_last_counts() -> None:
    body = json.dumps(sample("firing")).replace('"receiver"', '"receiver": "other", "receiver"')

    assert parse_delivery(body.encode()).receiver == "main"


def test_an_alert_said_twice_is_passed_on_twice() -> None:
    body = sample("firing")
    body["alerts"] *= 2

    assert len(parse(body).alerts) == 2


@READERS
@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "The body is not JSON (Input data was truncated)"),
        (b'{"version": "4"', "The body is not JSON (Input data was truncated)"),
        (b'{"version": "4"} x', "The body is not JSON"),
        (b'{"version": "4", "x": NaN}', "The body is not JSON"),
        (b'{"version": "4", "x": "\\ud800"}', "The body is not JSON"),
        (b'{"version": "4", "x": "\xff"}', "The body is not UTF-8"),
        (b"\xef\xbb\xbf{}", "The body is not JSON"),
        (b"alertname=HighErrorRate", "The body is not JSON"),
    ],
)
def test_what_is_not_json_is_refused(read: Reader, body: bytes, says: str) -> None:
    with pytest.raises(NotJson) as refused:
        read(body)
    assert str(refused.value).startswith(says)


@READERS
@pytest.mark.parametrize("version", ["1", "5", 4, None, ["4"]])
def test_other_versions_are_refused(read: Reader, version: object) -> None:
    body = sample("firing") | {"version": version}
    missing = {"status": "firing"}

    with pytest.raises(WrongVersion, match='version must be "4"'):
        read(json.dumps(body).encode())
    with pytest.raises(WrongVersion, match='version must be "4"'):
        read(json.dumps(missing).encode())


@READERS
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ([], "The body must be a JSON object"),
        ("firing", "The body must be a JSON object"),
        ({"version": "4"}, 'status is missing: it must be "firing" or "resolved".'),
        (sample("firing") | {"status": "ok"}, 'status must be "firing" or "resolved".'),
        (sample("firing") | {"alerts": []}, "alerts must be a list of one alert or more."),
        (sample("firing") | {"alerts": {}}, "alerts must be a list of one alert or more."),
        (sample("firing") | {"alerts": None}, "alerts must be a list of one alert or more."),
        (
            sample("firing") | {"alerts": [1]},
            "alerts[0] must be an object with status, labels and startsAt.",
        ),
        (without_alert_field("labels"), "alerts[0].labels is missing: it must be an object of"),
        (without_alert_field("startsAt"), "alerts[0].startsAt is missing: it must be a time"),
        (without_alert_field("status"), 'alerts[0].status is missing: it must be "firing"'),
        (with_alert(labels=["a"]), "alerts[0].labels must be an object of"),
        (with_alert(labels={"a": 1}), "alerts[0].labels must be an object of"),
        (with_alert(annotations={"a": None}), "alerts[0].annotations must be an object of"),
        (with_alert(status="pending"), 'alerts[0].status must be "firing" or "resolved".'),
        (with_alert(fingerprint=7), "alerts[0].fingerprint must be a text."),
        (with_alert(startsAt="yesterday"), "alerts[0].startsAt must be a time with its zone"),
        (with_alert(startsAt="2026-11-23T10:46:46"), "alerts[0].startsAt must be a time with its"),
        (with_alert(startsAt=1795430806), "alerts[0].startsAt must be a time with its zone"),
        (with_alert(endsAt=""), "alerts[0].endsAt must be a time with its zone"),
        (with_alert(generatorURL=1), "alerts[0].generatorURL must be a text"),
        (sample("firing") | {"receiver": {}}, "receiver must be a text"),
        (sample("firing") | {"groupKey": 1}, "groupKey must be a text"),
        (sample("firing") | {"groupLabels": []}, "groupLabels must be an object of"),
        (sample("firing") | {"externalURL": 1}, "externalURL must be a text"),
        (sample("firing") | {"truncatedAlerts": -1}, "truncatedAlerts must be a whole number"),
        (sample("firing") | {"truncatedAlerts": 1e300}, "truncatedAlerts must be a whole number"),
    ],
)
def test_a_refusal_names_the_field_and_what_it_must_be(
    read: Reader, body: object, sentence: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(json.dumps(body).encode())
    said = str(refused.value)
    assert said.startswith(sentence)
    assert said.endswith(".")
    assert "\n" not in said


def test_what_is_absurdly_large_is_cut_and_loses_no_other_alert() -> None:
    """Alertmanager gives up on what is refused: the P0 beside it would be lost."""
    other = sample("firing")["alerts"][0]
    long = {
        **other,
        "fingerprint": "f" * (MAX_FINGERPRINT + 1),
        "labels": {str(number): "x" for number in range(MAX_LABELS + 1)},
        "annotations": {"summary": "y" * (MAX_TEXT + 1)},
        "generatorURL": "z" * (MAX_TEXT + 1),
    }
    body = json.dumps(sample("firing") | {"alerts": [long, other]}).encode()
    check_delivery(body)
    cut, whole = parse_delivery(body).alerts
    assert (len(cut.labels), len(cut.annotations["summary"])) == (MAX_LABELS, MAX_TEXT)
    assert len(cut.generator_url) == MAX_TEXT
    assert cut.fingerprint == fingerprint_of(long["labels"])
    assert (whole.labels, whole.fingerprint) == (other["labels"], other["fingerprint"])


def test_more_alerts_than_are_read_count_as_left_out() -> None:
    """So that they are asked for at the Alertmanager that has them."""
    alert = sample("firing")["alerts"][0]
    many = sample("firing") | {"alerts": [alert] * (MAX_ALERTS + 3), "truncatedAlerts": 2}
    delivery = parse_delivery(json.dumps(many).encode())
    assert (len(delivery.alerts), delivery.truncated_alerts) == (MAX_ALERTS, 5)


@READERS
def test_absurd_depth_is_refused(read: Reader) -> None:
    deep = b"[" * 200_000 + b"]" * 200_000
    rest = json.dumps(sample("firing")).encode()[1:]

    with pytest.raises(InvalidInput, match="nested too deeply"):
        read(b'{"x": ' + deep + b", " + rest)
    with pytest.raises(InvalidInput, match="must be a JSON object"):
        read(deep)


def test_no_text_of_the_sender_is_in_a_refusal() -> None:
    hostile = "<!channel>"
    for body in (with_alert(status=hostile), with_alert(labels={hostile: 1}), {"version": hostile}):
        with pytest.raises(InvalidInput) as refused:
            parse(body)
        assert hostile not in str(refused.value)


def verdict(read: Reader, body: bytes) -> str | None:
    """How the body was refused, or None; anything but `InvalidInput` fails the test."""
    try:
        read(body)
    except InvalidInput as refused:
        return str(refused)
    return None


def check_both(body: bytes) -> None:
    assert verdict(check_delivery, body) == verdict(parse_delivery, body)


@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    check_both(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PATHS = st.sampled_from(
    [(name,) for name in sample("firing")]
    + [("alerts", 0, name) for name in sample("firing")["alerts"][0]]
    + [("alerts", 0), ("alerts", 0, "labels", "alertname"), ("alerts", 0, "annotations", "summary")]
)


@given(PATHS, JSON)
def test_any_value_in_any_place_is_read_or_refused(path: tuple[Any, ...], value: object) -> None:
    body = copy.deepcopy(sample("firing"))
    place: Any = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    check_both(json.dumps(body).encode())
    check_both(json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass"))


ZONES = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
FRACTIONS = st.from_regex(r"(\.[0-9]{1,12})?", fullmatch=True)


@given(st.datetimes(timezones=ZONES), FRACTIONS)
def test_any_time_is_read(moment: datetime, fraction: str) -> None:
    zone = moment.strftime("%z")
    text = (
        f"{moment.replace(tzinfo=None, microsecond=0).isoformat()}{fraction}{zone[:3]}:{zone[3:]}"
    )
    body = json.dumps(with_alert(startsAt=text, endsAt=text)).encode()

    (alert,) = parse_delivery(body).alerts
    assert alert.starts_at.utcoffset() == timedelta(0)
    assert abs(alert.starts_at - moment.replace(microsecond=0)) <= timedelta(seconds=1) or (
        moment.year in (1, 9999)
    )


@given(st.binary(max_size=4), st.data())
def test_damage_anywhere_is_read_or_refused(damage: bytes, data: st.DataObject) -> None:
    body = json.dumps(sample("firing")).encode()
    at = data.draw(st.integers(0, len(body)))

    check_both(body[:at] + damage + body[at + len(damage) :])
    check_both(body[:at])
