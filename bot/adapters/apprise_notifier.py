"""E-mail, SMS, push messages and over a hundred other services as the `Notifier`.

Apprise knows them all, by addresses. The service is called here directly, without
Apprise's own retries, thread pools and "optional" services: one call is one try, which
fails or does not; trying again is decided elsewhere.

Importing Apprise with its services takes a third of a second, so it is imported when a
notifier is made that has addresses.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bot.adapters.apprise_log import Failures, listening, silence
from bot.adapters.notice_text import body_of, title_of
from bot.adapters.notifier_setting import VARIABLE, read_setting
from bot.domain.classify import Severity
from bot.domain.errors import InvalidInput, NotFound
from bot.domain.nearest import guess
from bot.domain.notice import Notice

if TYPE_CHECKING:
    from apprise import NotifyBase

ANSWER_TIMEOUT = 10.0
"""Seconds to wait for an answer where the address doesn't say (``rto=``). Apprise's own 4
are few for a gateway, and what was accepted after we gave up is sent twice."""


class AppriseNotifier:
    """Sends notices to the addresses of `setting` (see `read_setting`), each by its name.

    Raises `InvalidInput` with all that is wrong with them. May be shared between threads.
    """

    def __init__(self, setting: str) -> None:
        read = read_setting(setting)
        self._addresses = read.addresses
        self._services: dict[str, str] = {}
        problems = [*read.problems, *self._check()]
        if problems:
            raise InvalidInput("\n".join(problems))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all ways."""
        return tuple(self._addresses)

    def verify(self) -> str:
        """What the names stand for, such as ``mail (Email), sms (Twilio)``; sends nothing."""
        return ", ".join(f"{name} ({kind})" for name, kind in self._services.items()) or "none"

    def notify(self, name: str, notice: Notice) -> None:
        """Send it once.

        Raises `PermanentError` when the service refused just this or its credentials,
        `TemporaryError` for all else that fails.
        """
        if name not in self._addresses:
            raise NotFound(f"{VARIABLE} has no “{name}”.{guess(name, self.names)}")
        # A new one each time: it would sleep for seconds before it sends a second time.
        service = _service(self._addresses[name])
        with listening() as failures:
            sent = _send(service, notice, failures)
        if not sent:
            raise failures.error(name)

    def _check(self) -> Iterable[str]:
        for name, address in self._addresses.items():
            try:
                self._services[name] = str(_service(address).service_name)
            except InvalidInput as error:
                yield f"{VARIABLE}: {name}: {error}"


def _service(address: str) -> NotifyBase:
    """The service at the address; `InvalidInput` where there is none, in words of our own."""
    silence()
    from apprise import Apprise, AppriseAsset
    from apprise.plugins import url_to_dict

    schema = address.partition("://")[0]
    # Nothing is read in a text but text, nothing but the address says where it goes.
    asset = AppriseAsset(http_redirects=False, interpret_emojis=False, allow_templates=False)
    options = url_to_dict(address)  # type: ignore[no-untyped-call]
    service = options and Apprise.instantiate(
        {"rto": ANSWER_TIMEOUT, "overflow": "truncate", **options, **_FIXED}, asset
    )
    if not service:
        raise InvalidInput(
            f"{schema}:// is no service of Apprise, or not with such an address; "
            "see https://appriseit.com/services/"
        )
    return service


_FIXED = {"retry": 0, "optional": False, "redirect": False}
"""What no address may change: one try, whose failure is one, and goes where the address says."""


def _send(service: NotifyBase, notice: Notice, failures: Failures) -> bool:
    from apprise import NotifyFormat

    try:
        return service.notify(
            body=body_of(notice),
            title=title_of(notice),
            notify_type=_TYPES[notice.level],
            body_format=NotifyFormat.TEXT,
        )
    except Exception as error:
        # Of the many services' own code anything may come; its text may hold the address.
        failures.others.append(type(error).__name__)
        return False


_TYPES = {
    Severity.P0: "failure",
    Severity.P1: "failure",
    Severity.P2: "warning",
    Severity.P3: "info",
}
"""How the services color or rank a notice."""
