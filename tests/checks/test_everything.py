"""`tocsin check` on settings that name no vendor; with vendors it is checked end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.checks import run_checks
from bot.settings import Settings, load

VENDORS = ("SLACK_BOT_TOKEN", "PAGERDUTY_ROUTING_KEY", "KUBECONFIG", "KUBERNETES_SERVICE_HOST")


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    for variable in (*VENDORS, "TOCSIN_SANDBOX", "PROMETHEUS_URL", "ALERTMANAGER_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TOCSIN_DATABASE_URL", f"sqlite:///{tmp_path}/tocsin.db")
    return load()


@pytest.mark.parametrize("vendor", ["Slack", "PagerDuty", "Kubernetes"])
def test_a_vendor_that_is_not_configured_is_a_finding(settings: Settings, vendor: str) -> None:
    (finding,) = (one for one in run_checks(settings) if one.what == vendor)
    assert not finding.ok
    assert finding.says.startswith("not configured: set ")


def test_what_needs_no_vendor_is_checked_all_the_same(settings: Settings) -> None:
    fine = {one.what for one in run_checks(settings) if one.ok}
    assert fine >= {"severity policy", "runbooks", "database"}


def test_the_sandbox_is_said_to_be_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_SANDBOX", "1")
    says = {one.what: one.says for one in run_checks(load())}
    assert all("SANDBOX" in says[vendor] for vendor in ("Slack", "PagerDuty", "Kubernetes"))
