"""Notices over real HTTP and SMTP; and of an address, nothing is ever said."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email import message_from_string
from email.policy import default
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.adapters.apprise_notifier import AppriseNotifier
from bot.domain.classify import Severity
from bot.domain.errors import InvalidInput, NotFound, PermanentError, TemporaryError
from bot.domain.notice import Notice
from tests.support.serve import serve
from tests.support.smtp import mailbox

SECRET = "s3cr3t"
NOTICE = Notice("HighErrorRate", "Errors above 5 %", Severity.P0, "https://r.example/7")
HOSTILE = Notice(
    f"x\r\nBcc: eve@example.com\r\n\r\n{'@everyone'}",
    "\r\n.\r\nRCPT TO:<eve@example.com>\r\n<!channel> ${SECRET} :smile: \\n &lt;b&gt;",
    Severity.P1,
    "javascript:alert(1)",
)


class Receiver:
    """An HTTP server that answers with the status its path names, and keeps what it was sent."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.over = threading.Event()
        self.address = ""

    async def answer(self, request: Request) -> Response:
        self.paths.append(request.url.path)
        self.received.append(json.loads(await request.body()))
        status = request.path_params["status"]
        if status == 307:
            return RedirectResponse("/200/elsewhere")
        # The body repeats what was sent; nothing of it may be believed.
        return Response(f"error=404 {SECRET}", status)

    def slow(self, request: Request) -> Response:
        self.over.wait()
        return Response()

    def notifier(self, name: str, path: str) -> AppriseNotifier:
        return AppriseNotifier(f"{name}=json://bot:{SECRET}@{self.address}/{path}")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    routes = [
        Route("/slow/{rest:path}", found.slow, methods=["POST"]),
        Route("/{status:int}/{rest:path}", found.answer, methods=["POST", "GET"]),
    ]
    with serve(Starlette(routes=routes)) as url:
        found.address = url.removeprefix("http://")
        try:
            yield found
        finally:
            found.over.set()


def test_a_notice_arrives(receiver: Receiver) -> None:
    receiver.notifier("push", f"200/{SECRET}").notify("push", NOTICE)
    (received,) = receiver.received
    assert received["title"] == "P0: HighErrorRate"
    assert received["message"] == "Errors above 5 %\nhttps://r.example/7"
    assert received["type"] == "failure"
    assert received["attachments"] == []


@pytest.mark.parametrize(
    ("level", "kind"),
    [("P0", "failure"), ("P1", "failure"), ("P2", "warning"), ("P3", "info")],
)
def test_the_level_is_shown_as_the_service_shows_it(
    receiver: Receiver, level: str, kind: str
) -> None:
    receiver.notifier("push", "200/").notify("push", Notice("t", "b", Severity(level)))
    assert receiver.received[0]["type"] == kind


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_what_may_succeed_later_is_temporary(receiver: Receiver, status: int) -> None:
    with pytest.raises(TemporaryError, match=rf"^push: status {status}$"):
        receiver.notifier("push", f"{status}/{SECRET}").notify("push", NOTICE)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_what_would_be_refused_again_is_permanent(receiver: Receiver, status: int) -> None:
    with pytest.raises(PermanentError, match=rf"^push: status {status}$"):
        receiver.notifier("push", f"{status}/{SECRET}").notify("push", NOTICE)


def test_a_redirect_is_not_followed_whatever_the_address_says(receiver: Receiver) -> None:
    with pytest.raises(TemporaryError, match=r"^push: status 307$"):
        receiver.notifier("push", "307/?redirect=yes").notify("push", NOTICE)
    assert receiver.paths == ["/307/"]


def test_one_call_is_one_try_whose_failure_is_one(receiver: Receiver) -> None:
    with pytest.raises(TemporaryError):
        receiver.notifier("push", "500/?retry=3&optional=yes&wait=0").notify("push", NOTICE)
    assert len(receiver.received) == 1


def test_whoever_does_not_answer_is_given_up(receiver: Receiver) -> None:
    with pytest.raises(TemporaryError, match=r"^push: no answer in time$"):
        receiver.notifier("push", f"slow/{SECRET}?rto=0.2").notify("push", NOTICE)


def test_whoever_is_not_there_is_temporary() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        notifier = AppriseNotifier(f"push=json://127.0.0.1:{port}/{SECRET}")
        with pytest.raises(TemporaryError, match=r"^push: connection refused$"):
            notifier.notify("push", NOTICE)


def test_two_notices_at_once_need_not_wait_for_each_other(receiver: Receiver) -> None:
    notifier = AppriseNotifier(
        f"good=json://{receiver.address}/200/,bad=json://{receiver.address}/404/"
    )

    def send(number: int) -> str:
        try:
            notifier.notify("bad" if number % 2 else "good", NOTICE)
        except PermanentError as error:
            return str(error)
        return "sent"

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(send, range(40)))
    assert outcomes == ["sent", "bad: status 404"] * 20


def test_a_hostile_text_stays_text(receiver: Receiver) -> None:
    receiver.notifier("push", "200/mine").notify("push", HOSTILE)
    (received,) = receiver.received
    assert receiver.paths == ["/200/mine"]
    assert received["title"] == "P1: x Bcc: eve@ example.com @ everyone"
    assert received["message"] == (
        ".\nRCPT TO:< eve@ example.com>\n< ! channel> ${SECRET} :smile: \\n &lt;b&gt;"
    )


def test_a_mail_arrives_at_the_address_and_nowhere_else() -> None:
    with mailbox() as box:
        address = f"mailto://127.0.0.1:{box.port}?from=bot@example.com&to=ana@example.com"
        notifier = AppriseNotifier(f"mail={address}&format=text")
        notifier.notify("mail", NOTICE)
        notifier.notify("mail", HOSTILE)
    good, hostile = (message_from_string(text, policy=default) for text in box.messages)
    assert good["Subject"] == "P0: HighErrorRate"
    assert good.get_content().split() == ["Errors", "above", "5", "%", "https://r.example/7"]
    assert hostile["Subject"] == "P1: x Bcc: eve@ example.com @ everyone"
    assert hostile["Bcc"] is None
    assert "RCPT TO:< eve@ example.com>" in hostile.get_content()
    assert {line.upper() for line in box.recipients} == {"RCPT TO:<ANA@EXAMPLE.COM>"}


def test_a_mail_as_html_holds_no_markup_of_the_text() -> None:
    with mailbox() as box:
        address = f"mailto://127.0.0.1:{box.port}?from=bot@example.com&to=ana@example.com"
        AppriseNotifier(f"mail={address}&format=html").notify("mail", HOSTILE)
    message = message_from_string(box.messages[0], policy=default)
    body = message.get_body(("html",))
    assert body is not None
    assert "<!channel" not in body.get_content()
    assert "&lt;&nbsp;!&nbsp;channel&gt;" in body.get_content()
    assert "&amp;lt;b&amp;gt;" in body.get_content()


def test_a_mail_that_is_refused_is_not_sent() -> None:
    with mailbox(refusal="550 no such user") as box:
        address = f"mailto://127.0.0.1:{box.port}?from=bot@example.com&to=ana@example.com"
        with pytest.raises(TemporaryError, match=r"^mail: "):
            AppriseNotifier(f"mail={address}").notify("mail", NOTICE)
    assert box.messages == []


def test_what_is_not_there_is_named_with_what_may_be_meant(receiver: Receiver) -> None:
    with pytest.raises(NotFound, match=r"^TOCSIN_NOTIFIERS has no “pusch”\. Did you mean “push”"):
        receiver.notifier("push", "200/").notify("pusch", NOTICE)


def test_all_that_is_wrong_with_the_setting_is_said_at_once_without_any_address() -> None:
    with pytest.raises(InvalidInput) as caught:
        AppriseNotifier(
            f"a=nowhere://{SECRET},b=discord://{SECRET}\n{SECRET}\n"
            f"c=json://localhost/{SECRET},c=json://localhost/{SECRET}\n"
            f"d=twilio://{SECRET}:{SECRET}@{SECRET}"
        )
    problems = str(caught.value).splitlines()
    assert [problem.split(" ")[1] for problem in problems] == ["entry", "“c”", "a:", "b:", "d:"]
    assert SECRET not in str(caught.value)


class Heard(logging.Handler):
    """What comes to the log of the whole process, from WARNING on as by default."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@pytest.fixture
def heard() -> Iterator[Heard]:
    handler = Heard()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("path", ["307", "404", "500", "slow"])
def test_nothing_of_an_address_comes_into_any_log_or_error(
    receiver: Receiver, heard: Heard, capfd: pytest.CaptureFixture[str], path: str
) -> None:
    notifier = receiver.notifier("push", f"{path}/{SECRET}?rto=0.2&token={SECRET}")
    with pytest.raises((PermanentError, TemporaryError)) as caught:
        notifier.notify("push", NOTICE)
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None
    printed = capfd.readouterr()
    assert (heard.messages, printed.out, printed.err) == ([], "", "")


def test_a_check_names_what_there_is_and_sends_nothing(receiver: Receiver) -> None:
    notifier = AppriseNotifier(
        f"push=json://{receiver.address}/200/,mail=mailto://bot:{SECRET}@example.com"
    )
    assert notifier.names == ("push", "mail")
    assert notifier.verify() == "push (JSON), mail (E-Mail)"
    assert AppriseNotifier("").verify() == "none"
    assert receiver.received == []


def test_apprise_is_not_imported_where_there_is_no_notifier() -> None:
    code = (
        "import sys; from bot.adapters.apprise_notifier import AppriseNotifier;"
        "AppriseNotifier(''); sys.exit('apprise' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
