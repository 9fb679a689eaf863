"""What `Metrics` promises, held by the stand-in and by a real Prometheus alike."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from bot.adapters.prometheus import PrometheusMetrics
from bot.domain.errors import PermanentError, TemporaryError
from bot.sandbox.prometheus import SandboxPrometheus, prometheus_app
from tests.support.serve import serve

SECONDS = 10.0
START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A Prometheus that scrapes itself; `hanging` keeps it from answering for a while."""

    url: str
    hanging: Callable[[], AbstractContextManager[None]]


@contextmanager
def sandbox(_folder: Path) -> Iterator[Server]:
    metrics = SandboxPrometheus()
    metrics.set("vector(1)", [({}, 1.0)])
    metrics.set("vector(1/0)", [({}, float("inf"))])

    @contextmanager
    def hanging() -> Iterator[None]:
        metrics.delay_next(1)
        yield

    with serve(prometheus_app(metrics)) as url:
        labels = {"__name__": "up", "job": "self", "instance": url.removeprefix("http://")}
        metrics.set("up", [(labels, 1.0)])
        yield Server(url, hanging)


@contextmanager
def prometheus(folder: Path) -> Iterator[Server]:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("the program prometheus is missing (Debian's package of that name)")
    address = f"127.0.0.1:{_free_port()}"
    process = subprocess.Popen(
        [
            program,
            f"--config.file={_configuration(folder, address)}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--log.level=error",
        ]
    )

    @contextmanager
    def hanging() -> Iterator[None]:
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    try:
        _wait_until_it_has_scraped(f"http://{address}")
        yield Server(f"http://{address}", hanging)
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _configuration(folder: Path, address: str) -> Path:
    file = folder / "prometheus.yml"
    file.write_text(
        "global: {scrape_interval: 1s}\n"
        "scrape_configs:\n"
        f"  - {{job_name: self, static_configs: [{{targets: ['{address}']}}]}}\n"
    )
    return file


def _wait_until_it_has_scraped(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _has_scraped(url):
        assert time.monotonic() < deadline, f"Prometheus scraped nothing in {START_SECONDS} s"
        time.sleep(0.1)


def _has_scraped(url: str) -> bool:
    try:
        answer = requests.get(f"{url}/api/v1/query", params={"query": "up == 1"}, timeout=SECONDS)
    except requests.ConnectionError:
        return False
    return answer.ok and bool(answer.json()["data"]["result"])


SERVERS = [sandbox, prometheus]


@pytest.fixture(scope="module", params=SERVERS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with request.param(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.fixture
def metrics(server: Server) -> PrometheusMetrics:
    return PrometheusMetrics(server.url)


def test_a_series_comes_with_its_labels(server: Server, metrics: PrometheusMetrics) -> None:
    instance = server.url.removeprefix("http://")
    labels = {"__name__": "up", "job": "self", "instance": instance}
    assert metrics.query("up", SECONDS) == [(labels, 1.0)]


@pytest.mark.parametrize(
    ("expression", "value"), [("vector(1)", 1.0), ("vector(1/0)", float("inf"))]
)
def test_a_value_needs_no_labels(metrics: PrometheusMetrics, expression: str, value: float) -> None:
    assert metrics.query(expression, SECONDS) == [({}, value)]


@pytest.mark.parametrize("expression", ["no_such_metric", 'no_such_metric{job="((("}'])
def test_an_unknown_metric_is_an_empty_vector(metrics: PrometheusMetrics, expression: str) -> None:
    assert metrics.query(expression, SECONDS) == []


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("", "1:1: parse error: no expression found in input"),
        ("sum(up", "1:7: parse error: unclosed left parenthesis"),
        ("up{", "1:4: parse error: unexpected end of input inside braces"),
        ("up)", "1:4: parse error: unexpected "),
        ("rate(up[5m)", "parse error: unexpected "),
    ],
)
def test_a_syntax_error_is_permanent_and_explained(
    metrics: PrometheusMetrics, expression: str, complaint: str
) -> None:
    with pytest.raises(PermanentError) as caught:
        metrics.query(expression, SECONDS)
    assert "Prometheus answered 400" in str(caught.value)
    assert complaint in str(caught.value)


def test_a_server_that_hangs_is_temporary(server: Server, metrics: PrometheusMetrics) -> None:
    with server.hanging(), pytest.raises(TemporaryError, match="timed out"):
        metrics.query("up", 0.2)


@pytest.mark.parametrize("path", ["/-/ready", "/api/v1/status/buildinfo"])
def test_it_says_that_it_is_there(server: Server, path: str) -> None:
    assert requests.get(server.url + path, timeout=SECONDS).status_code == 200


@pytest.mark.parametrize("running", SERVERS)
def test_a_server_that_is_down_is_temporary(
    running: Callable[[Path], AbstractContextManager[Server]], tmp_path: Path
) -> None:
    with running(tmp_path) as server:
        metrics = PrometheusMetrics(server.url)
        assert metrics.query("vector(1)", SECONDS) == [({}, 1.0)]
    with pytest.raises(TemporaryError):
        metrics.query("vector(1)", SECONDS)
