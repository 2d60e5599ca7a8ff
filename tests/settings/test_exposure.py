"""What an environment with something real at either end may not have, unless allowed by name."""

from __future__ import annotations

from typing import Any

import pytest

from settings import exposure, loader
from settings.errors import SettingsError
from settings.hosts import is_internal

_REASON = "reached through a VPN"


def _refusal(env: str = "stg", **overrides: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        exposure.require_allowed(loader.load(env, overrides=overrides))
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "key", "overrides"),
    [
        ("test-flags", "testFlags", {"testFlags": True}),
        ("http-backend", "backend_url", {"backend_url": "http://backend.example.com"}),
        ("internal-backend", "backend_url", {"backend_url": "https://169.254.169.254/latest"}),
        (
            "http-backend",
            "sources.0.backend_url",
            {
                "sources": [{"name": "a", "paths": ["/a"], "backend_url": "http://a.example.com"}],
                "openToEveryone": None,
            },
        ),
        ("sentry-without-tls", "sentryDsn", {"sentryDsn": "http://k@sentry.example.com/1"}),
        ("faux-backend", "create_faux_backend", {"create_faux_backend": True, "backend_url": None}),
    ],
)
def test_a_risk_is_refused_unless_allowed(name: str, key: str, overrides: dict[str, Any]) -> None:
    """The refusal names key and remedy; with its reason the risk passes, and synth repeats it."""
    env = "prd" if name == "faux-backend" else "stg"
    refusal = _refusal(env, **overrides)
    assert f"key '{key}'" in refusal
    assert f'"allowedRisks": {{"{name}": "…"}}' in refusal
    assert "k@sentry" not in refusal
    allowed = loader.load(env, overrides={**overrides, "allowedRisks": {name: _REASON}})
    exposure.require_allowed(allowed)
    assert any(f"{name}, because: {_REASON}" in notice for notice in exposure.notices(allowed))


def test_what_is_allowed_for_nothing_is_refused() -> None:
    """An allowance that allows nothing is an error; one without a reason is one, too."""
    assert "key 'allowedRisks.test-flags'" in _refusal(allowedRisks={"test-flags": _REASON})
    with pytest.raises(SettingsError, match="is not a reason"):
        loader.load("stg", overrides={"allowedRisks": {"test-flags": "x"}})


@pytest.mark.parametrize("env", ["local", "dev"])
def test_practice_is_free(env: str) -> None:
    """Where nothing real stands at either end, all of it is allowed."""
    settings = loader.load(env, overrides={"sentryDsn": "http://k@127.0.0.1/1"})
    assert settings.for_practice
    exposure.require_allowed(settings)


def test_a_real_source_ends_practice() -> None:
    """A faux backend beside a source's real one is not practice any more."""
    source = {"name": "a", "paths": ["/a"], "backend_url": "https://a.example.com"}
    refusal = _refusal("dev", sources=[source])
    assert "key 'testFlags'" in refusal
    assert "key 'create_faux_backend'" in refusal


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "a.localhost", "localhost.", "127.0.0.1", "127.1", "0.0.0.0", "0",  # noqa: S104
        "169.254.169.254", "2852039166", "0xa9fea9fe", "169.254.43518", "169.254.170.2",
        "::1", "::", "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254",
        "metadata.google.internal",
    ],
)  # fmt: skip
def test_internal_addresses(host: str) -> None:
    """Loopback, link-local and metadata addresses are recognized however they are written."""
    assert is_internal(host)


@pytest.mark.parametrize("host", ["backend.example.com", "10.0.0.7", "192.0.2.1", "2001:db8::1"])
def test_other_addresses(host: str) -> None:
    """Names, and addresses of private and public networks, may be backends."""
    assert not is_internal(host)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"throttleRate": 10}, "throttleBurst: missing"),
        ({"mutualTlsTruststore": "s3://b/c.pem", "heartbeat": "off"}, "without a custom domain"),
        ({"mutualTlsTruststore": "b/c.pem"}, "is not an object such as s3://bucket/clients.pem"),
    ],
)
def test_settings_of_the_edge(overrides: dict[str, Any], expected: str) -> None:
    """What can't work at the edge is refused by its key."""
    with pytest.raises(SettingsError) as refused:
        loader.load("stg", overrides=overrides)
    assert expected in str(refused.value).replace("': ", ": ")


def test_heartbeats_have_no_certificate() -> None:
    """Mutual TLS with heartbeats on would page at once, and is refused."""
    with pytest.raises(SettingsError, match="heartbeats have no certificate"):
        loader.load("prd", overrides={"mutualTlsTruststore": "s3://b/c.pem"})
