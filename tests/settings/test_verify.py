"""Settings of verification: a provider or a scheme, each complete and with nothing beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from lambdas.sources.providers import PROVIDERS
from settings import loader, verify
from settings.sources import Source, entries
from settings.verify import Verify
from tests.settings.test_schema import _file, _problem

_ARN = "arn:aws:secretsmanager:eu-central-1:111111111111:secret:github-AbCdEf"
_TOPIC = "arn:aws:sns:eu-central-1:111111111111:orders"


def _sources(**keys: Any) -> dict[str, Any]:
    return {"sources": [{"name": "one", "paths": ["/one"], "verify": keys}]}


def test_every_provider_can_be_named() -> None:
    """Settings know exactly the providers that there is data for."""
    assert set(get_args(verify.ProviderName)) == set(PROVIDERS)


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_works_with_what_it_needs(tmp_path: Path, name: str) -> None:
    """A provider with its secret, and with what the table says it needs, is valid."""
    provider = PROVIDERS[name]
    needs = {"url": "https://x.example.com", "publicKeys": ["0" * 64], "topics": [_TOPIC]}
    keys: dict[str, Any] = {"provider": name, **{need: needs[need] for need in provider.needs}}
    if provider.secret:
        keys["secretArn"] = _ARN
    settings = loader.load("dev", file=_file(tmp_path, **_sources(**keys)))
    assert settings.sources
    [source] = settings.sources
    assert source.verify
    assert source.handshakes == provider.handshakes
    [entry] = entries([source])
    assert entry["verify"]["scheme"] == provider.spec["scheme"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, "verify': needs either provider or scheme"),
        ({"provider": "github", "scheme": "basic"}, "verify': needs either provider or scheme"),
        ({"provider": "gitea", "secretArn": _ARN}, "verify.provider': input should be 'github'"),
        ({"provider": "github"}, "verify': verifies with hmac; add secretArn"),
        ({"provider": "github", "secretArn": "s3cret"}, "verify.secretArn': is not the ARN"),
        (
            {"provider": "github", "secretArn": _ARN, "header": "X-Sig"},
            "verify': header is the provider's; remove it, or set scheme",
        ),
        ({"provider": "discord"}, "verify': publicKeys is for ed25519, and for no other; add it"),
        (
            {"provider": "discord", "publicKeys": ["0" * 64], "secretArn": _ARN},
            "verify': verifies with ed25519; it has no secret; remove secretArn",
        ),
        ({"provider": "discord", "publicKeys": ["x"]}, "verify.publicKeys.0': is not an Ed25519"),
        ({"provider": "sns"}, "verify': topics is for sns, and for no other; add it"),
        (
            {"provider": "github", "secretArn": _ARN, "topics": [_TOPIC]},
            "verify': topics is for sns, and for no other; remove it",
        ),
        (
            {"provider": "twilio", "secretArn": _ARN},
            "verify.url': missing, and the URL is signed; set what it begins with",
        ),
        (
            {"provider": "github", "secretArn": _ARN, "url": "https://x.example.com"},
            "verify.url': set, and the signature does not cover the URL; remove it",
        ),
        (
            {"provider": "github", "secretArn": _ARN.replace("eu-central-1", "us-east-1")},
            "verify.secretArn': not in eu-central-1 and account 111111111111, where publish",
        ),
        (
            {"provider": "github", "secretArn": _ARN.removesuffix("-AbCdEf")},
            "verify.secretArn': lacks the six characters",
        ),
        ({"scheme": "hmac", "secretArn": _ARN}, "verify': header is missing; the scheme hmac"),
        (
            {"scheme": "hmac", "secretArn": _ARN, "header": "X", "signed": "{timestamp}"},
            "verify.signed': does not have {body}, so that any body would pass",
        ),
        (
            {"scheme": "hmac", "secretArn": _ARN, "header": "X Y", "signed": "{body}"},
            "verify.header': is not a header's name",
        ),
        (
            {"scheme": "basic", "secretArn": _ARN, "token": "header:x"},
            "verify': token is nothing that the scheme basic has; remove it",
        ),
        (
            {"scheme": "token", "secretArn": _ARN, "token": "body:x"},
            "verify.token': 'body:x': unknown kind 'body'",
        ),
        (
            {"provider": "discord", "publicKeys": ["0" * 64], "secretKeyArn": "x"},
            "verify.secretKeyArn': is not a KMS key's ARN",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, keys: dict[str, Any], expected: str) -> None:
    """File, environment, key and remedy stand in the error."""
    problem = _problem(tmp_path, **_sources(**keys))
    assert f"cdk.json: environment 'dev': key 'sources.0.{expected}" in problem


def test_a_secret_s_arn_is_not_shown(tmp_path: Path) -> None:
    """What somebody wrote in place of an ARN may be the secret itself, and is not repeated."""
    problem = _problem(tmp_path, **_sources(provider="github", secretArn="s3cret"))
    assert "s3cret" not in problem


@pytest.mark.parametrize(
    ("handshake", "expected"),
    [
        ({"kind": "websub"}, "handshake': topics is for websub, and for no other; name at least"),
        ({"kind": "dropbox", "topics": ["https://x/"]}, "handshake': topics is for websub"),
        ({"kind": "cloudevents"}, "handshake': origins is for cloudevents"),
        ({"kind": "slack"}, "': the handshake slack is signed, and nothing verifies it"),
        ({"kind": "x-crc"}, "': the handshake x-crc needs a secret; add verify.secretArn"),
        ({"kind": "okta"}, "handshake.kind': input should be"),
    ],
)
def test_handshakes_have_what_they_need(
    tmp_path: Path, handshake: dict[str, Any], expected: str
) -> None:
    """A handshake without what it needs, or with what is another's, is named."""
    sources = [{"name": "one", "paths": ["/one"], "handshake": handshake}]
    separator = "." if not expected.startswith("'") else ""
    wanted = f"key 'sources.0{separator}{expected}"
    assert wanted in _problem(tmp_path, sources=sources)


def test_the_custom_domain_is_the_url(tmp_path: Path) -> None:
    """Where the URL is signed and the environment has a domain, nothing has to be set."""
    domain = {
        "subdomain": "hooks",
        "domain": "example.com",
        "acmCertificateArn": "arn:aws:acm:eu-central-1:111111111111:certificate/1",
        "pathPrefix": "/in",
    }
    file = _file(tmp_path, **domain, **_sources(provider="square", secretArn=_ARN))
    settings = loader.load("dev", file=file)
    [entry] = entries(settings.sources or (), url=settings.public_url)
    assert entry["verify"]["url"] == "https://hooks.example.com/in"


def test_only_some_schemes_need_a_library() -> None:
    """HMAC, tokens and basic authentication do with the standard library."""
    needy = {
        name
        for name, provider in PROVIDERS.items()
        if provider.spec["scheme"] in ("ed25519", "sns")
    }
    assert needy == {"discord", "sns"}
    assert Verify(provider="discord", publicKeys=["0" * 64]).needs_cryptography
    assert not Verify(provider="github", secretArn=_ARN).needs_cryptography


def test_more_arns_than_a_policy_holds(tmp_path: Path) -> None:
    """Sources whose secrets' ARNs no role's policy could hold are refused before a deployment."""
    long = _ARN.replace("github", "x" * 200)
    many = [
        {
            "name": f"s{number}",
            "paths": [f"/{number}"],
            "verify": {"provider": "github", "secretArn": long.replace("xx", f"{number:02}", 1)},
        }
        for number in range(40)
    ]
    assert "key 'sources': their secrets' ARNs have more than" in _problem(tmp_path, sources=many)
    assert Source.model_validate(many[0]).verify
