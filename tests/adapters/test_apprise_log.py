from __future__ import annotations

import logging
import threading

import pytest

from bot.adapters.apprise_log import Failures, listening, silence
from bot.domain.errors import PermanentError, TemporaryError

LOGGER = logging.getLogger("apprise")
HOST = "t0ken.example.com"


@pytest.fixture(autouse=True)
def _silent() -> None:
    silence()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Socket Exception: Read timed out. (read timeout=4.0)", "no answer in time"),
        ("Socket Exception: [SSL: CERTIFICATE_VERIFY_FAILED]", "no trusted TLS connection"),
        ("Socket Exception: Failed to resolve", "its host's name is not known"),
        ("Socket Exception: [Errno 111] Connection refused", "connection refused"),
        ("Socket Exception: (535, b'bad password')", "SMTP code 535"),
        ("Socket Exception: something new", "connection failed"),
    ],
)
def test_a_failed_connection_is_temporary_and_said_in_our_words(message: str, words: str) -> None:
    with listening() as failures:
        LOGGER.warning("A Connection error occurred sending to %s.", HOST)
        LOGGER.debug("%s %s", message, HOST)
    error = failures.error("sms")
    assert isinstance(error, TemporaryError)
    assert str(error) == f"sms: {words}"


def test_only_a_warning_s_status_is_believed() -> None:
    with listening() as failures:
        LOGGER.debug("Response Details: error=404")
        LOGGER.info("error=404")
        LOGGER.warning("Failed to send to %s: error=503.", HOST)
    assert failures.statuses == [503]


@pytest.mark.parametrize(
    ("failures", "kind"),
    [
        (Failures([400, 404]), PermanentError),
        (Failures([400, 500]), TemporaryError),
        (Failures([429]), TemporaryError),
        (Failures([400], ["connection refused"]), TemporaryError),
        (Failures([302]), TemporaryError),
        (Failures(), TemporaryError),
    ],
)
def test_what_is_not_known_to_be_final_is_tried_again(
    failures: Failures, kind: type[Exception]
) -> None:
    assert type(failures.error("sms")) is kind


def test_without_a_known_reason_it_says_so() -> None:
    assert str(Failures().error("sms")) == "sms: not accepted, for no known reason"


def test_the_same_failure_at_several_recipients_is_said_once() -> None:
    assert str(Failures([500, 500], ["x", "x"]).error("sms")) == "sms: status 500, x"


def test_what_other_threads_log_is_not_heard() -> None:
    with listening() as failures:
        other = threading.Thread(target=LOGGER.warning, args=("error=500",))
        other.start()
        other.join()
    assert failures == Failures()


def test_a_message_that_does_not_fit_its_arguments_breaks_nothing() -> None:
    with listening() as failures:
        record = {"levelno": logging.WARNING, "msg": "error=%d", "args": ("x",)}
        LOGGER.handlers[-1].handle(logging.makeLogRecord(record))
    assert failures == Failures()


def test_who_has_listened_hears_no_more() -> None:
    with listening() as failures:
        pass
    LOGGER.warning("error=500")
    assert failures == Failures()
