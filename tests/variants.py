"""Blocks of ``cdk.json``: settings of real teams, and settings at their limits, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdas.sources.providers import PROVIDERS
from settings import loader
from tests.templates import DEMANDING

_ACCOUNT, _REGION = "444444444444", "eu-central-1"
_BASE: Mapping[str, Any] = {
    "awsAccount": _ACCOUNT,
    "awsRegion": _REGION,
    "environment": "prod",
    "service": "hooks",
    "backend_url": "https://backend.example.com/in",
    "openToEveryone": True,
}


def _arn(
    service: str,
    name: str,
    *,
    region: str = _REGION,
    partition: str = "aws",
    account: str = _ACCOUNT,
) -> str:
    return f"arn:{partition}:{service}:{region}:{account}:{name}"


def _secret(name: str, **where: str) -> str:
    return _arn("secretsmanager", f"secret:{name}-AbCdEf", **where)


def _key(number: int, **where: str) -> str:
    return _arn("kms", f"key/11111111-2222-3333-4444-{number:012}", **where)


def _domain(**where: str) -> dict[str, Any]:
    certificate = _arn("acm", "certificate/11111111-2222-3333-4444-555555555555", **where)
    return {"subdomain": "hooks", "domain": "example.com", "acmCertificateArn": certificate}


def _channels(**where: str) -> list[dict[str, Any]]:
    """A channel of every kind, each with secrets under a key."""
    with_secret = [
        {"kind": kind, "secretArn": _secret(kind, **where), "secretKeyArn": _key(1, **where)}
        for kind in ("slack", "pagerduty", "https")
    ]
    return [*with_secret, {"kind": "email", "addresses": ["ana@example.com", "bo@example.com"]}]


def _account(**where: str) -> dict[str, Any]:
    """What an account may require."""
    boundary = _arn("iam", "policy/boundary", **{**where, "region": ""})
    return {
        "encryptionKeyArn": _key(9, **where),
        "permissionsBoundaryArn": boundary,
        "tags": {"cost-center": "4711"},
        "vpc": {
            "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            "securityGroups": ["sg-0123456789abcdef0"],
        },
    }


def _provided(name: str) -> dict[str, Any]:
    """A source of a provider, with whatever it needs."""
    provider = PROVIDERS[name]
    needed = {
        "url": f"https://hooks.example.com/{name}",
        "publicKeys": ["00" * 32],
        "topics": [_arn("sns", "topic")],
    }
    verify = {"provider": name, **{key: needed[key] for key in provider.needs}}
    if provider.secret:
        verify |= {"secretArn": _secret(name), "secretKeyArn": _key(2)}
    return {"name": name.replace("_", "-"), "paths": [f"/{name}/*"], "verify": verify}


def _numbered(count: int, letter: str) -> list[str]:
    """Names, each as long as can be."""
    return [f"{letter * 28}-{number:03}" for number in range(count)]


def _largest() -> dict[str, Any]:
    """Everything at its most: what quotas have to hold."""
    senders = [
        {
            "name": name,
            "paths": [f"/{name}/*"],
            "verify": {
                "provider": "github",
                "secretArn": _secret(f"hooks/{number}"),
                "secretKeyArn": _key(number),
            },
        }
        for number, name in enumerate(_numbered(40, "n"))
    ]
    by_secret = [
        {
            "kind": "slack",
            "name": name,
            "secretArn": _secret(name),
            "secretKeyArn": _key(100 + number),
        }
        for number, name in enumerate(_numbered(6, "c"))
    ]
    by_mail = [
        {
            "kind": "email",
            "name": name,
            "addresses": [f"{at}.{name}@example.com" for at in "abcdef"],
        }
        for name in _numbered(4, "m")
    ]
    return {
        **_SOURCED,
        **_domain(),
        **_account(),
        "service": "s" * 32,
        "environment": "e" * 16,
        "sources": senders,
        "notifications": [*by_secret, *by_mail],
        "signing": {"secretArn": _secret("signing"), "secretKeyArn": _key(200)},
        "datadog": {"apiKeySecretArn": _secret("datadog"), "secretKeyArn": _key(201)},
        "sentryDsn": "https://key@sentry.example.com/1",
        "runbookUrl": "https://wiki.example.com/runbook",
        "reservedConcurrency": 50,
        "pathPrefix": "/in",
        "tags": dict.fromkeys(_numbered(40, "t"), "v" * 60),
    }


def _without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in _BASE.items() if key not in keys}


_GOVCLOUD = {"region": "us-gov-west-1", "partition": "aws-us-gov"}
_CHINA = {"region": "cn-north-1", "partition": "aws-cn"}
_SOURCED = _without("openToEveryone")
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "plain": _BASE,
    "datadog-extension": {
        **_BASE,
        "datadog": {
            "apiKeySecretArn": _secret("datadog"),
            "secretKeyArn": _key(3),
            "metrics": "stream",
        },
        "sentryDsn": "https://key@sentry.example.com/1",
    },
    "datadog-forwarder": {
        **_BASE,
        "datadog": {"tracing": False},
        "forwarderArn": _arn("lambda", "function:datadog-forwarder"),
    },
    "every-channel": {**_BASE, "notifications": _channels()},
    "most-channels": {
        **_BASE,
        "notifications": [
            {"kind": "slack", "name": f"team-{number}", "secretArn": _secret(f"slack-{number}")}
            for number in range(6)
        ]
        + [
            {"kind": "email", "name": f"mail-{number}", "addresses": [f"{number}@example.com"]}
            for number in range(4)
        ],
    },
    "vpc": {**_BASE, "vpc": _account()["vpc"], "signing": {"secretArn": _secret("signing")}},
    "customer-key": {
        **_BASE,
        "encryptionKeyArn": _key(9),
        "notifications": _channels(),
        "signing": {"secretArn": _secret("signing"), "secretKeyArn": _key(4)},
    },
    "every-requirement": {
        key: value
        for key, value in {**loader.environments()["stg"], **DEMANDING}.items()
        if value is not None
    },
    "custom-domain": {
        **_BASE,
        **_domain(),
        "hostedZoneId": "Z0123456789ABC",
        "throttleRate": 500,
        "throttleBurst": 1000,
        "pathPrefix": "/in",
    },
    "mutual-tls": {
        **_BASE,
        **_domain(),
        "mutualTlsTruststore": "s3://trust/clients.pem",
        "heartbeat": "off",
    },
    "existing": {
        **_without("backend_url", "openToEveryone"),
        **{key: value for key, value in _account().items() if key != "vpc"},
        "existing": {
            "queues": [{"name": "orders.fifo"}],
            "functions": [{"name": "orders", "timeoutSeconds": 30}],
            "apis": [
                {"name": "a1b2c3", "kind": "http"},
                {"name": "orders", "role": "old-api", "kind": "rest"},
            ],
            "tables": [{"name": "orders"}],
        },
        "notifications": _channels(),
    },
    "govcloud": {
        **_BASE,
        "awsRegion": _GOVCLOUD["region"],
        **_domain(**_GOVCLOUD),
        **_account(**_GOVCLOUD),
        "notifications": _channels(**_GOVCLOUD),
        "datadog": {"site": "ddog-gov.com", "apiKeySecretArn": _secret("datadog", **_GOVCLOUD)},
    },
    "china": {
        **_BASE,
        "awsRegion": _CHINA["region"],
        **_domain(**_CHINA),
        **_account(**_CHINA),
        "notifications": _channels(**_CHINA),
        "datadog": {"functions": []},
    },
    "longest-names": {
        **_without("backend_url", "openToEveryone"),
        "service": "s" * 32,
        "environment": "e" * 16,
        "create_faux_backend": True,
        "sources": [{"name": "n" * 32, "paths": ["/n"]}],
        "notifications": [
            {"kind": "email", "name": "m" * 32, "addresses": ["ana@example.com"]},
            {"kind": "slack", "name": "c" * 32, "secretArn": _secret("slack")},
        ],
    },
    "every-provider": {**_SOURCED, "sources": [_provided(name) for name in PROVIDERS]},
    "most-sources": {
        **_SOURCED,
        "sources": [
            {
                "name": f"source-{number}",
                "paths": [f"/{number}/*"],
                "verify": {"provider": "github", "secretArn": _secret(f"s-{number}")},
            }
            for number in range(40)
        ],
    },
    "most-handshakes": {
        **_SOURCED,
        "sources": [
            {
                "name": f"source-{number}",
                "paths": [f"/{number}/*"],
                "verify": {
                    "provider": "asana",
                    "secretArn": _secret(f"hooks/source-{number}"),
                    "secretKeyArn": _key(number),
                },
            }
            for number in range(40)
        ],
    },
    "largest": _largest(),
    "no-monitoring": {**_BASE, "monitoring": False, "heartbeat": "off"},
    "tuned": {
        **_BASE,
        "reservedConcurrency": 50,
        "maxConcurrency": 1000,
        "subscribeTimeoutSeconds": 900,
        "retentionDays": 1,
        "failurePolicy": {"onPark": "group", "longestHours": 12},
        "traffic": {"fromHourUtc": 8, "untilHourUtc": 18},
        "heartbeat": "backend",
        "datadog": {"functions": [], "recipients": {"page": ["@pagerduty-hooks"]}},
        "alarms": {"api-latency": {"enabled": False}, "backend-slow": {"evaluatedBy": "datadog"}},
    },
}
