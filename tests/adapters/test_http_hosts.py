from __future__ import annotations

from ipaddress import ip_address

import pytest

from bot.adapters.http_hosts import AllowedHosts
from bot.domain.errors import InvalidInput

HOSTS = AllowedHosts.parse("*.svc, *.svc.cluster.local,Health.Example.com,10.0.0.0/8,127.0.0.1")


@pytest.mark.parametrize(
    "host",
    [
        "checkout.payments.svc",
        "CHECKOUT.payments.SVC",
        "checkout.payments.svc.",
        "checkout.payments.svc.cluster.local",
        "health.example.com",
        "10.1.2.3",
        "127.0.0.1",
        "::ffff:10.1.2.3",
    ],
)
def test_what_is_on_the_list_may_be_asked(host: str) -> None:
    assert HOSTS.allows(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "svc",
        "svc.example.com",
        "checkout.payments.svc.evil.example",
        "xsvc",
        "example.com",
        "a.health.example.com",
        "checkout.payments",
        "11.0.0.1",
        "127.0.0.2",
        "::1",
        "2130706433",
        "0x7f.1",
        "169.254.169.254",
        "localhost",
    ],
)
def test_nothing_else_may(host: str) -> None:
    assert not HOSTS.allows(host)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.1.1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "127.0.0.2",
        "::1",
        "::ffff:127.0.0.2",
    ],
)
def test_some_addresses_are_never_what_a_name_leads_to(address: str) -> None:
    assert not HOSTS.admits(ip_address(address))


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "192.168.1.1", "93.184.216.34", "fd00::5", "127.0.0.1"]
)
def test_an_allowed_name_may_lead_to_the_others(address: str) -> None:
    assert HOSTS.admits(ip_address(address))


def test_a_network_does_not_let_the_metadata_service_in() -> None:
    assert not AllowedHosts.parse("0.0.0.0/0").allows("169.254.169.254")


@pytest.mark.parametrize("text", ["", " , "])
def test_an_empty_list_allows_nothing(text: str) -> None:
    hosts = AllowedHosts.parse(text)
    assert not hosts.allows("checkout.payments.svc")
    assert not hosts.allows("")


@pytest.mark.parametrize(
    "text", ["http://example.com", "*", "a..b", "*.*.svc", "10.0.0.0/33", "a b"]
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="neither a name"):
        AllowedHosts.parse(text)
