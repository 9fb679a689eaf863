from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from bot.domain.errors import PermanentError
from tests.support.clock import START
from tests.support.step_bench import Bench


def certificate(days: float) -> bytes:
    """A self-signed one that expires so many days after the clock's start, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.example.com")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    builder = builder.not_valid_before(START - timedelta(days=90))
    signed = builder.not_valid_after(START + timedelta(days=days)).sign(key, SHA256())
    return signed.public_bytes(Encoding.PEM)


def put(bench: Bench, name: str, content: bytes, kind: str = "kubernetes.io/tls") -> None:
    namespace, _, short = name.partition("/")
    bench.objects.put(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": short, "namespace": namespace},
            "type": kind,
            "data": {"tls.crt": base64.b64encode(content).decode()},
        }
    )


def check(bench: Bench, **arguments: object) -> str:
    step = bench.step("kubernetes.certificates", **arguments)
    assert step.plan().problems == ()
    return step.execute().summary


def test_certificates_that_hold_long_enough_are_counted(bench: Bench) -> None:
    put(bench, "web/shop", certificate(30.5))
    put(bench, "payments/api", certificate(90))
    put(bench, "web/other", b"not a certificate", kind="Opaque")
    assert check(bench) == (
        "2 certificates in all namespaces, none expires within 14 days; "
        "the first: web/shop expires in 30 days."
    )
    assert check(bench, namespace="payments").startswith("1 certificate in namespace payments")
    assert check(bench, namespace="empty") == (
        "0 certificates in namespace empty, none expires within 14 days."
    )


def test_those_that_expire_too_soon_fail_it_the_most_urgent_first(bench: Bench) -> None:
    put(bench, "web/soon", certificate(3.5))
    put(bench, "web/gone", certificate(-2.5))
    put(bench, "web/broken", b"not a certificate")
    put(bench, "web/fine", certificate(90))
    with pytest.raises(PermanentError) as failure:
        check(bench)
    assert str(failure.value) == (
        "3 of 4 certificates in all namespaces: "
        "web/broken holds no certificate that can be read; "
        "web/gone expired 2 days ago; web/soon expires in 3 days."
    )
    assert "2 of 4 certificates" in failed(bench, minimum="1")


def failed(bench: Bench, **arguments: object) -> str:
    with pytest.raises(PermanentError) as failure:
        check(bench, **arguments)
    return str(failure.value)


def test_fewer_than_expected_are_a_problem(bench: Bench) -> None:
    put(bench, "web/shop", certificate(90))
    step = bench.step("kubernetes.certificates", namespace="web", expected="2")
    assert step.plan().problems == (
        "There should be 2 certificates in namespace web, but there is 1.",
    )
    assert check(bench, namespace="web", expected="1").startswith("1 certificate in")


def test_of_a_chain_the_first_to_expire_counts(bench: Bench) -> None:
    put(bench, "web/shop", certificate(90) + certificate(5))
    assert "web/shop expires in 5 days" in failed(bench)
