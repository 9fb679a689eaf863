"""Posted alerts: what is read, what is refused, and that a delivery survives its encoding."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.alertmanager import MAX_ALERTS, MAX_TEXT, check_delivery, parse_delivery
from bot.adapters.posted_alerts import check_posted, encode_delivery, parse_posted, posted_form
from bot.domain.alert import Alert, AlertStatus, Delivery, NotJson, fingerprint_of
from bot.domain.errors import InvalidInput
from tests.support.alertmanager import alertmanager
from tests.support.installation import TIMEOUT

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "alertmanager"
NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
BEFORE, AFTER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
LABELS = {"alertname": "DiskFull", "instance": "db-1"}


def body(*alerts: Any) -> bytes:
    return json.dumps(alerts).encode()


def posted(**fields: Any) -> Alert:
    (alert,) = parse_posted(body({"labels": LABELS, **fields}), NOW).alerts
    return alert


def test_an_alert_with_nothing_but_labels_fires_from_now_on() -> None:
    assert posted() == Alert(
        fingerprint_of(LABELS), AlertStatus.FIRING, LABELS, {}, starts_at=NOW, ends_at=None
    )


def test_everything_that_is_given_is_taken() -> None:
    alert = posted(
        annotations={"summary": "full"},
        startsAt="2026-03-01T03:00:00+01:00",
        endsAt=AFTER.isoformat(),
        generatorURL="http://nagios",
    )

    assert alert.starts_at == NOW - timedelta(hours=1)
    assert (alert.status, alert.ends_at) == (AlertStatus.FIRING, AFTER)
    assert (alert.summary, alert.generator_url) == ("full", "http://nagios")


@pytest.mark.parametrize(
    ("fields", "status", "starts_at", "ends_at"),
    [
        ({"endsAt": BEFORE}, "resolved", BEFORE, BEFORE),
        ({"endsAt": NOW}, "resolved", NOW, NOW),
        ({"startsAt": BEFORE, "endsAt": NOW}, "resolved", BEFORE, NOW),
        ({"endsAt": AFTER}, "firing", NOW, AFTER),
        ({"startsAt": None, "endsAt": None, "annotations": None}, "firing", NOW, None),
        (
            {"startsAt": "0001-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z"},
            "firing",
            NOW,
            None,
        ),
    ],
)
def test_status_and_times_follow_from_the_end(
    fields: dict[str, Any], status: str, starts_at: datetime, ends_at: datetime | None
) -> None:
    texts = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in fields.items()}

    alert = posted(**texts)

    assert (alert.status, alert.starts_at, alert.ends_at) == (status, starts_at, ends_at)


def test_a_delivery_fires_while_any_of_its_alerts_does() -> None:
    over = {"labels": LABELS, "endsAt": BEFORE.isoformat()}

    assert parse_posted(body(over), NOW).status is AlertStatus.RESOLVED
    assert parse_posted(body(over, {"labels": LABELS}), NOW).status is AlertStatus.FIRING


def test_a_label_without_a_value_is_no_label() -> None:
    assert posted(labels={**LABELS, "team": ""}) == posted()


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"\xff", "The body is not UTF-8"),
        (b"[{", "The body is not JSON"),
        (b'{"labels": {}}', "The body must be a JSON list of 1 to 10,000 alerts"),
        (b"[]", "The body must be a JSON list of 1 to 10,000 alerts"),
        (b"[3]", "[0] must be an object with labels."),
        (b'[{"x":' + b"[" * 100_000, "The body is nested too deeply"),
        (body({"labels": LABELS}, {}), "[1].labels is missing: it must be an object of"),
        (body({"labels": {}}), "[0].labels must hold at least one label"),
        (body({"labels": {"a": ""}}), "[0].labels must hold at least one label"),
        (body({"labels": {"": "a", "b": "c"}}), "[0].labels has a label without a name"),
        (body({"labels": {"a": 3}}), "[0].labels must be an object of at most"),
        (body({"labels": {"a": "x" * (MAX_TEXT + 1)}}), "[0].labels must be an object of at most"),
        (body({"labels": LABELS, "startsAt": "now"}), "[0].startsAt must be a time with its zone"),
        (body({"labels": LABELS, "endsAt": 12}), "[0].endsAt must be a time with its zone"),
        (body({"labels": LABELS, "generatorURL": 12}), "[0].generatorURL must be a text"),
        (
            body({"labels": LABELS, "startsAt": AFTER.isoformat(), "endsAt": NOW.isoformat()}),
            "[0].endsAt is before startsAt",
        ),
    ],
)
def test_bad_input_is_refused_as_a_whole_and_in_one_sentence(sent: bytes, says: str) -> None:
    for read in (check_posted, lambda wrong: parse_posted(wrong, NOW)):
        with pytest.raises(InvalidInput) as refused:
            read(sent)
        assert str(refused.value).startswith(says)
        assert str(refused.value).endswith(".")


def test_the_number_of_alerts_is_bounded() -> None:
    one = {"labels": LABELS}

    check_posted(body(*[one] * MAX_ALERTS))
    with pytest.raises(InvalidInput, match="1 to 10,000 alerts"):
        check_posted(body(*[one] * (MAX_ALERTS + 1)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
MAYBE_TEXTS = st.dictionaries(st.text(), st.text() | st.none())
ALERT_LIKE = st.fixed_dictionaries(
    {"labels": MAYBE_TEXTS},
    optional={
        "annotations": MAYBE_TEXTS,
        "startsAt": st.text() | st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
        "endsAt": st.text() | st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
        "generatorURL": JSON,
    },
)


@given(st.binary() | (JSON | st.lists(ALERT_LIKE)).map(lambda value: json.dumps(value).encode()))
def test_what_passes_the_check_can_be_read(sent: bytes) -> None:
    try:
        check_posted(sent)
    except InvalidInput:
        with pytest.raises(InvalidInput):
            parse_posted(sent, NOW)
    else:
        assert len(parse_posted(sent, NOW).alerts) == len(json.loads(sent))


# Encoding

PRINTABLE = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]))
TEXTS = st.dictionaries(PRINTABLE, PRINTABLE, max_size=4)
MOMENTS = st.integers(-60_000_000_000, 250_000_000_000).map(
    lambda seconds: NOW + timedelta(seconds=seconds, microseconds=seconds % 1_000_000)
)
ALERTS = st.builds(
    Alert,
    fingerprint=st.text("0123456789abcdef", min_size=16, max_size=16),
    status=st.sampled_from(AlertStatus),
    labels=TEXTS,
    annotations=TEXTS,
    starts_at=MOMENTS,
    ends_at=st.none() | MOMENTS,
    generator_url=PRINTABLE,
)
DELIVERIES = st.builds(
    Delivery,
    receiver=PRINTABLE,
    status=st.sampled_from(AlertStatus),
    group_key=PRINTABLE,
    group_labels=TEXTS,
    alerts=st.lists(ALERTS, min_size=1, max_size=4).map(tuple),
    external_url=PRINTABLE,
    truncated_alerts=st.integers(0, 2**31 - 1),
)


@given(DELIVERIES)
def test_a_delivery_is_read_back_as_it_was(delivery: Delivery) -> None:
    encoded = encode_delivery(delivery)

    check_delivery(encoded)
    assert parse_delivery(encoded) == delivery


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_what_alertmanager_sent_is_encoded_alike(path: Path) -> None:
    sent = json.dumps(json.loads(path.read_text())["body"]).encode()
    delivery = parse_delivery(sent)

    assert parse_delivery(encode_delivery(delivery)) == delivery


# Files


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_a_webhook_is_posted_as_the_alerts_that_it_holds(path: Path) -> None:
    captured = json.loads(path.read_text())
    wanted = parse_delivery(json.dumps(captured["body"]).encode()).alerts

    for content in (captured, captured["body"]):
        form = posted_form(json.dumps(content).encode())
        alerts = parse_posted(form, datetime(2030, 1, 1, tzinfo=UTC)).alerts
        assert alerts == wanted


def test_a_list_and_a_single_alert_are_posted_as_they_are() -> None:
    one = {"labels": LABELS}

    assert json.loads(posted_form(body(one, one))) == [one, one]
    assert json.loads(posted_form(json.dumps(one).encode())) == [one]


@pytest.mark.parametrize("content", [b"", b"alert", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_not_json_says_so(content: bytes) -> None:
    with pytest.raises(NotJson, match="not JSON"):
        posted_form(content)


@pytest.mark.parametrize("content", [b"3", b"{}", b'{"alerts": {}}', b'[{"labels": 3}]'])
def test_a_file_of_something_else_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        posted_form(content)


# The fingerprint


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_fingerprints_are_alertmanagers_own(path: Path) -> None:
    for alert in json.loads(path.read_text())["body"]["alerts"]:
        assert fingerprint_of(alert["labels"]) == alert["fingerprint"]


def test_an_alert_is_the_same_whichever_way_it_comes(tmp_path: Path) -> None:
    sets = [LABELS, {**LABELS, "empty": ""}, {"b": "ü\x01", "a": "%s" % ("x" * 500), "A_": " "}]
    with alertmanager(tmp_path, "http://127.0.0.1:9") as real:
        sent = body(*({"labels": labels} for labels in sets))
        requests.post(
            f"{real.url}/api/v2/alerts",
            data=sent,
            headers={"Content-Type": "application/json"},
            timeout=TIMEOUT,
        ).raise_for_status()
        theirs = requests.get(f"{real.url}/api/v2/alerts", timeout=TIMEOUT).json()

    ours = {one.fingerprint: one.labels for one in parse_posted(sent, NOW).alerts}
    assert ours == {one["fingerprint"]: one["labels"] for one in theirs}
