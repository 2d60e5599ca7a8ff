"""Settings: what is shipped works, and every mistake is reported with its remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from settings import loader
from settings.errors import SettingsError
from settings.signing import example

VALID: dict[str, Any] = {
    "awsAccount": "111111111111",
    "awsRegion": "eu-central-1",
    "environment": "dev",
    "service": "hooks",
    "backend_url": "https://example.com/in",
}

_VPC = {"subnets": ["subnet-0123abcd"], "securityGroups": ["sg-0123abcd"]}
_FORWARDER = "arn:aws-cn:lambda:cn-north-1:111111111111:function:forwarder"


def _file(tmp_path: Path, **changes: Any) -> Path:
    """A cdk.json with one block, ``dev``; a change to None removes a key."""
    block = {key: value for key, value in {**VALID, **changes}.items() if value is not None}
    file = tmp_path / "cdk.json"
    file.write_text(json.dumps({"context": {"dev": block, "@aws-cdk/flag": True}}))
    return file


def _problem(tmp_path: Path, **changes: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        loader.load("dev", file=_file(tmp_path, **changes))
    return str(caught.value)


@pytest.mark.parametrize("name", ["local", "dev", "stg", "prd"])
def test_shipped_environments_are_valid(name: str) -> None:
    """Every block in cdk.json loads as it is."""
    assert loader.load(name).environment == name


def test_test_flags_are_for_practice_only() -> None:
    """Test flags are obeyed in local and dev, and nowhere else."""
    allowed = {name for name in loader.environments() if loader.load(name).testFlags}
    assert allowed == {"local", "dev"}


def test_names_come_from_service_and_environment(tmp_path: Path) -> None:
    """Physical names are derived from two keys."""
    settings = loader.load("dev", file=_file(tmp_path))
    assert settings.queue_name == "hooks-dev.fifo"
    assert settings.table_name == "hooks-dev-records"
    assert settings.function_name("publish") == "hooks-dev-publish"
    assert settings.log_group_name("publish") == "/aws/lambda/hooks-dev-publish"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"awsAccount": None}, "key 'awsAccount': missing"),
        (
            {"awsAccount": "12"},
            "key 'awsAccount': is not an AWS account's twelve digits (it is \"12\")",
        ),
        ({"awsAccount": 111111111111}, "key 'awsAccount': input should be a valid string"),
        ({"backendUrl": "x"}, "key 'backendUrl': unknown; remove it or correct its spelling"),
        ({"maxConcurrency": 1}, "key 'maxConcurrency': input should be greater than or equal to 2"),
        ({"maxConcurrency": "10"}, "key 'maxConcurrency': input should be a valid integer"),
        ({"retentionDays": 15}, "key 'retentionDays': input should be less than or equal to 14"),
        ({"logRetentionDays": 8}, "key 'logRetentionDays': input should be 1, 3, 5"),
        ({"groupIdMissing": "drop"}, "key 'groupIdMissing': input should be 'own' or 'reject'"),
        ({"groupId": ["body:x"]}, "key 'groupId.0': 'body:x': unknown kind 'body'"),
        ({"groupId": ["json:a["]}, "key 'groupId.0': 'json:a[' is not valid JMESPath"),
        ({"groupId": ["path:0"]}, "key 'groupId.0': 'path:0': a path segment is a number from 1"),
        ({"deduplicationId": ["id"]}, "key 'deduplicationId.0': 'id' is not an extractor"),
        ({"backend_url": None}, "key 'backend_url': missing, and create_faux_backend is not true"),
        ({"create_faux_backend": True}, "key 'backend_url': set while create_faux_backend is true"),
        ({"backend_url": "ftp://x"}, "key 'backend_url': must be an http:// or https:// URL"),
        ({"backend_url": "https://a:b@x/"}, "key 'backend_url': must not hold credentials"),
        ({"backend_url": "https://x/?a=1"}, "key 'backend_url': must not hold a query"),
        ({"subdomain": "a", "domain": "example.com"}, "key 'acmCertificateArn': missing, while"),
        ({"domain": "example.com"}, "key 'subdomain': missing, while domain is set"),
        ({"retryBaseSeconds": 400}, "key 'retryBaseSeconds': 400 is more than retryMaxSeconds"),
        ({"awsRegion": "us-iso-east-1"}, "key 'awsRegion': us-iso-east-1 is in a partition that"),
        ({"awsRegion": "eusc-de-east-1"}, "key 'awsRegion': eusc-de-east-1 is in a partition that"),
        ({"groupId": [], "groupIdMissing": "reject"}, "key 'groupId': empty while groupIdMissing"),
        (
            {"groupId": ["json:" + "a" * 2000]},
            "key 'groupId': together with deduplicationId more",
        ),
        (
            {
                "subdomain": "a",
                "domain": "example.com",
                "acmCertificateArn": "arn:aws:acm:us-east-1:111111111111:certificate/1",
            },
            "key 'acmCertificateArn': not in eu-central-1",
        ),
        (
            {
                "subdomain": "a",
                "domain": "example.com",
                "acmCertificateArn": "arn:aws:acm:eu-central-1:222222222222:certificate/1",
            },
            "key 'acmCertificateArn': not in eu-central-1 and account 111111111111",
        ),
        ({"notifications": [{"kind": "fax"}]}, "key 'notifications.0.kind': input should be"),
        (
            {"notifications": [{"kind": "slack"}]},
            "key 'notifications.0': a slack channel needs secretArn",
        ),
        (
            {"notifications": [{"kind": "pagerduty", "addresses": ["a@b"]}]},
            "key 'notifications.0': a pagerduty channel needs secretArn, the ARN of the Secrets "
            "Manager secret that holds its routing key; add it",
        ),
        (
            {"notifications": [{"kind": "email"}]},
            "key 'notifications.0': an email channel needs addresses",
        ),
        (
            {"notifications": [{"kind": "email", "addresses": ["a@b"], "severities": ["urgent"]}]},
            "key 'notifications.0.severities.0': input should be 'page', 'ticket' or 'info' "
            '(it is "urgent")',
        ),
        (
            {"notifications": [{"kind": "email", "addresses": ["a@b"]}] * 2},
            "key 'notifications': two channels are called 'email'; give each a name",
        ),
        (
            {
                "notifications": [
                    {"kind": "email", "name": name, "addresses": ["a@b"]} for name in ("a", "b")
                ]
            },
            "key 'notifications': a@b is named more than once, and SNS would ask it to confirm",
        ),
        (
            {
                "notifications": [
                    {"kind": "email", "name": f"c{n}", "addresses": [f"{n}@b"]} for n in range(5)
                ]
            },
            "key 'notifications': there are 5 email channels, and alarms of the alert path can "
            "notify 4 beside their own topic; join some of them",
        ),
        (
            {
                "notifications": [
                    {"kind": "email", "name": name, "addresses": [f"{name}@b"]}
                    for name in ("ops-1", "ops1")
                ]
            },
            "key 'notifications': 'ops-1' and 'ops1' differ only in hyphens; rename one",
        ),
        ({"alarms": {"x": {"treshold": 1}}}, "key 'alarms.x.treshold': unknown"),
        ({"alarms": {"x": {"severity": "loud"}}}, "key 'alarms.x.severity': input should be"),
        ({"traffic": {"fromHourUtc": 9, "untilHourUtc": 9}}, "key 'traffic': fromHourUtc must"),
        ({"traffic": {}, "heartbeat": "off"}, "key 'traffic': set while heartbeat is 'off'"),
        ({"acceptedObjective": 100}, "key 'acceptedObjective': input should be less than 100"),
        ({"existing": {}, "backend_url": None}, "key 'existing': names nothing; list queues"),
        (
            {"existing": {"queues": [{}]}, "backend_url": None},
            "key 'existing.queues.0.name': missing; add it",
        ),
        (
            {"existing": {"functions": [{"name": "f"}]}, "backend_url": None},
            "key 'existing.functions.0.timeoutSeconds': missing; add it",
        ),
        (
            {"existing": {"queues": [{"name": "a"}, {"name": "b"}]}, "backend_url": None},
            "key 'existing': the role 'queue' is used twice; give each resource a role of its own",
        ),
        (
            {"existing": {"tables": [{"name": "a", "role": "buffer"}]}, "backend_url": None},
            "key 'existing': the role 'buffer' is used by the monitoring itself",
        ),
        (
            {"existing": {"queues": [{"name": "a"}]}},
            "key 'backend_url': set while existing is",
        ),
        (
            {"existing": {"queues": [{"name": "a"}]}, "backend_url": None, "monitoring": False},
            "key 'monitoring': false while existing is set",
        ),
        ({"environment": "prod"}, "key 'environment': 'prod' is not the block's name; write 'dev'"),
        (
            {"operatorRoleArn": "arn:aws-cn:iam::111111111111:role/operator"},
            "key 'operatorRoleArn': an ARN in the partition aws-cn, and eu-central-1 is in aws;",
        ),
        (
            {"permissionsBoundaryArn": "arn:aws:iam::222222222222:policy/boundary"},
            "key 'permissionsBoundaryArn': a policy in an account other than awsAccount (1111",
        ),
        ({"tags": {"AWS:owner": "x"}}, "key 'tags.AWS:owner.[key]': is not a tag's key: up to 128"),
        ({"tags": {"owner": "a;b"}}, "key 'tags.owner': is not a tag's value: 1 to 256 letters"),
        ({"tags": {"owner": ""}}, "key 'tags.owner': is not a tag's value: 1 to 256 letters"),
        ({"service": "sthree-hooks"}, "key 'service': begins with sthree-, which S3 reserves"),
        ({"subdomain": "a..b"}, "key 'subdomain': is not a subdomain such as webhooks"),
        ({"subdomain": "a" * 64}, "key 'subdomain': is not a subdomain such as webhooks"),
        ({"domain": "-a.example"}, "key 'domain': is not a domain such as example.com"),
        ({"tags": {"Env": "x"}}, "key 'tags': 'Env' is set by the stacks themselves; remove it"),
        ({"tags": {"Team": "a", "team": "b"}}, "key 'tags': 'Team' and 'team' differ only in case"),
        (
            {"encryptionKeyArn": "arn:aws:kms:us-east-1:111111111111:key/1"},
            "key 'encryptionKeyArn': not in eu-central-1 and account 111111111111",
        ),
        (
            {
                "awsAccount": "000000000000",
                "encryptionKeyArn": "arn:aws:kms:eu-central-1:000000000000:key/1",
            },
            "key 'encryptionKeyArn': set in an environment on the laptop, which has no KMS",
        ),
        ({"vpc": {"subnets": []}}, "key 'vpc.subnets': list should have at least 1 item"),
        (
            {"vpc": {"subnets": ["10.0.0.0/24"], "securityGroups": ["sg-0123abcd"]}},
            "key 'vpc.subnets.0': is not a subnet's id such as subnet-0123abcd",
        ),
        ({"awsAccount": "000000000000", "vpc": _VPC}, "key 'vpc': set in an environment on the la"),
        (
            {"backend_url": "https://10.1.2.3:8443/in"},
            "key 'backend_url': 10.1.2.3 is a private address, which Lambda's own network can't",
        ),
        (
            {"existing": {"queues": [{"name": "a"}]}, "backend_url": None, "vpc": _VPC},
            "key 'vpc': set while existing is",
        ),
        (
            {"awsRegion": "cn-north-1", "datadog": {}, "forwarderArn": _FORWARDER},
            "key 'datadog.functions': instrumented in China, where Datadog publishes no layers",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    """File, environment, key and remedy stand in the error."""
    assert f"cdk.json: environment 'dev': {expected}" in _problem(tmp_path, **changes)


_TWINS = {"awsAccount": "111111111111", "awsRegion": "eu-central-1"}


@pytest.mark.parametrize(
    ("service", "environment", "taken"),
    [
        ("hooks", "eu-dev", "hooks-eu-dev"),
        ("hooks-eu-dev", "monitoring", "hooks-eu-dev-monitoring"),
        ("hooks-eu-dev", "faux-backend", "hooks-eu-dev-faux-backend"),
    ],
)
def test_environments_have_names_of_their_own(
    tmp_path: Path, service: str, environment: str, taken: str
) -> None:
    """An environment that would deploy to another's stacks is refused, but not elsewhere."""
    block = {**VALID, "service": "hooks-eu"}
    other = {"service": service, "environment": environment}
    file = tmp_path / "cdk.json"
    file.write_text(json.dumps({"context": {"dev": block, environment: {**_TWINS, **other}}}))
    with pytest.raises(SettingsError, match=f"environment '{environment}' also uses {taken}"):
        loader.load("dev", file=file)
    elsewhere = {**_TWINS, **other, "awsRegion": "us-east-1"}
    file.write_text(json.dumps({"context": {"dev": block, environment: elsewhere}}))
    assert loader.load("dev", file=file).prefix == "hooks-eu-dev"


@pytest.mark.parametrize(
    ("url", "valid"),
    [
        ("https://git.example/ops/runbook.md", True),
        ("http://wiki.internal:8080/x?page=1", True),
        ("https://wiki.example", True),
        ("docs/runbook.md", True),
        ("javascript:alert(1)", False),
        ("JavaScript://x/%0aalert(1)", False),
        ("data:text/html,x", False),
        ("//evil.example/x", False),
        ("https://x/#y", False),
        ("https://x/a|b>", False),
        ("https://x/ y", False),
        ("https:///x", False),
        ("", False),
    ],
)
def test_a_runbook_is_a_web_page_or_a_path(tmp_path: Path, url: str, valid: bool) -> None:
    """What notifications link to is neither a script nor anything else that a click would run."""
    if valid:
        assert loader.load("dev", file=_file(tmp_path, runbookUrl=url)).runbookUrl == url
    else:
        assert "key 'runbookUrl': is not an https or http URL" in _problem(tmp_path, runbookUrl=url)


def test_all_problems_at_once(tmp_path: Path) -> None:
    """One run reports every mistake, a line each."""
    lines = _problem(tmp_path, awsAccount=None, service=None, maxConcurrency=1).splitlines()
    assert len(lines) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"sentryDsn": "https//hush@x"},
        {"backend_url": "https://u:hush@x/"},
        {"notifications": [{"kind": "slack", "secretArn": "https://hooks.example.com/hush"}]},
    ],
)
def test_secrets_are_not_shown(tmp_path: Path, changes: dict[str, Any]) -> None:
    """A malformed value that may hold a secret is not repeated in the error."""
    assert "hush" not in _problem(tmp_path, **changes)


def test_a_private_backend_needs_a_network(tmp_path: Path) -> None:
    """With a VPC a private address is as good as any."""
    url = "https://[fd12::3]/in"
    assert "key 'backend_url': fd12::3 is a private address" in _problem(tmp_path, backend_url=url)
    assert loader.load("dev", file=_file(tmp_path, backend_url=url, vpc=_VPC)).vpc


def test_an_example_of_signing_is_of_the_partition(tmp_path: Path) -> None:
    """What commands add to show the alarms that signing brings is accepted in any region."""
    file = _file(
        tmp_path, awsRegion="cn-north-1", signing=example("aws-cn", "cn-north-1:111111111111")
    )
    assert loader.load("dev", file=file).signing


def test_unknown_environment(tmp_path: Path) -> None:
    """An unknown environment is reported with the known ones."""
    with pytest.raises(SettingsError, match=r"environment 'qa': unknown; known are dev\. Add its"):
        loader.load("qa", file=_file(tmp_path))


def test_no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --env the variable decides; without both the error says how to choose."""
    with pytest.raises(SettingsError, match="no environment chosen; choose one with --env"):
        loader.load(file=_file(tmp_path))
    monkeypatch.setenv("WEBHOOK_BUFFER_ENV", "dev")
    assert loader.load(file=_file(tmp_path)).environment == "dev"


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, "not found in"), ("{", "not valid JSON"), ("[]", 'has no "context"')],
)
def test_unusable_file(tmp_path: Path, content: str | None, expected: str) -> None:
    """A missing or broken cdk.json is named as such."""
    file = tmp_path / "cdk.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError, match=f"cdk.json: {expected}"):
        loader.load("dev", file=file)


def test_overrides_replace_and_remove(tmp_path: Path) -> None:
    """An override takes a key's place for one run; None removes the key."""
    overrides = {"backend_url": None, "create_faux_backend": True}
    settings = loader.load("dev", file=_file(tmp_path), overrides=overrides)
    assert settings.backend_url is None
    assert settings.create_faux_backend
