"""What must hold among an environment's keys, topic by topic.

Each topic yields ``key: what is wrong; remedy``, for every mistake at once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from lambdas.sources import routing
from settings import account, sources
from settings.names import Names

# Source: Lambda quotas: a function's environment variables are 4 KB at most.
_LONGEST_EXTRACTORS = 2_000
# Source: IAM quotas: 10,240 characters for all inline policies of a role. The rest is for others.
_LONGEST_ARNS = 7_000
# Source: CloudWatch API reference, PutMetricAlarm: five actions, one of them the severity's topic.
_MAIL_CHANNELS = 4
# The six characters that Secrets Manager appends to a secret's name in its ARN.
_COMPLETE_ARN = re.compile(r"-[A-Za-z0-9]{6}$")


def problems(settings: Names) -> list[str]:
    """All contradictions in a block; empty where it can be deployed."""
    topics = [account.problems, _domain, _channels, _datadog_functions, _datadog_keys]
    topics += [_existing] if settings.existing else [
        _backend, _region, _traffic, _groups, _retries, _sources, _prefix, _signing, _parking,
        _edge,
    ]  # fmt: skip
    return [problem for topic in topics for problem in topic(settings)]


def _domain(settings: Names) -> Iterator[str]:
    keys = {
        "subdomain": settings.subdomain,
        "domain": settings.domain,
        "acmCertificateArn": settings.acmCertificateArn,
    }
    missing = [key for key, value in keys.items() if value is None]
    if missing and len(missing) < len(keys):
        given = ", ".join(sorted(keys.keys() - set(missing)))
        yield (
            f"{missing[0]}: missing, while {given} is set; "
            "a custom domain needs subdomain, domain and acmCertificateArn, or none of them"
        )


def _edge(settings: Names) -> Iterator[str]:
    if (settings.throttleRate is None) != (settings.throttleBurst is None):
        lacking = "throttleRate" if settings.throttleRate is None else "throttleBurst"
        yield f"{lacking}: missing, while the other of the two is set; set both or neither"
    if settings.mutualTlsTruststore is None:
        return
    if settings.domain is None:
        yield (
            "mutualTlsTruststore: set without a custom domain, and only a custom domain asks for "
            "certificates; add subdomain, domain and acmCertificateArn"
        )
    if settings.sends_heartbeats:
        yield (
            "mutualTlsTruststore: set while heartbeat is not 'off', and heartbeats have no "
            "certificate; set heartbeat to 'off'"
        )


def _channels(settings: Names) -> Iterator[str]:
    names = [channel.id for channel in settings.notifications]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"notifications: two channels are called '{name}'; give each a name of its own"
    alike: dict[str, str] = {}
    for name in dict.fromkeys(names):
        other = alike.setdefault(name.replace("-", ""), name)
        if other != name:
            yield (
                f"notifications: '{other}' and '{name}' differ only in hyphens; rename one of the "
                "two"
            )
    mail = [channel for channel in settings.notifications if channel.addresses]
    addresses = Counter(address for channel in mail for address in channel.addresses)
    for address in sorted(address for address, count in addresses.items() if count > 1):
        yield (
            f"notifications: {address} is named more than once, and SNS would ask it to confirm "
            "each; name it in one email channel, with all its severities"
        )
    if len(mail) > _MAIL_CHANNELS:
        yield (
            f"notifications: there are {len(mail)} email channels, and alarms of the alert path "
            f"can notify {_MAIL_CHANNELS} beside their own topic; join some of them"
        )
    for position, channel in enumerate(settings.notifications):
        arn = channel.secretArn
        if not arn:
            continue
        yield from _secret(settings, f"notifications.{position}.secretArn", arn, "notify")


def _secret(settings: Names, key: str, arn: str, function: str) -> Iterator[str]:
    """A secret's ARN is whole, and of where a function looks for it."""
    if not settings.on_laptop and not _COMPLETE_ARN.search(arn):
        yield (
            f"{key}: lacks the six characters that Secrets Manager put at the end of its name; "
            "copy the whole ARN"
        )
    if f":secretsmanager:{settings.place}:" not in arn:
        yield (
            f"{key}: not in {settings.awsRegion} and account {settings.awsAccount}, where "
            f"{function} looks for it; copy the secret there"
        )


def _datadog_functions(settings: Names) -> Iterator[str]:
    """Datadog can instrument only functions of this environment."""
    if settings.datadog is None:
        if settings.forwarderArn:
            yield (
                "forwarderArn: set without datadog, so that nothing would send to it; add "
                '"datadog": {} or remove forwarderArn'
            )
        return
    for name in sorted(set(settings.datadog.functions or ()) - set(settings.functions)):
        yield (
            f"datadog.functions: '{name}' is not a function of this environment; it has "
            f"{', '.join(settings.functions)}"
        )
    # Source: datadog-cdk-constructs, src/layer.ts: accounts of two partitions publish the layers.
    if settings.partition == "aws-cn" and settings.instrumented_functions:
        yield (
            "datadog.functions: instrumented in China, where Datadog publishes no layers; set it "
            "to []"
        )
    if settings.datadog.traceAgentUrl and not settings.on_laptop:
        yield (
            "datadog.traceAgentUrl: set in an environment on AWS, where Datadog's extension "
            "or forwarder takes the spans; remove it"
        )


def _datadog_keys(settings: Names) -> Iterator[str]:
    """Instrumented functions can send, in one way."""
    if settings.datadog is None or settings.on_laptop:
        return
    arn = settings.datadog.apiKeySecretArn or ""
    if settings.instrumented_functions and not (arn or settings.forwarderArn):
        yield (
            "datadog.apiKeySecretArn: missing, so that functions could not send; name the "
            "secret that holds Datadog's API key, set forwarderArn, or set datadog.functions "
            "to [] to instrument none"
        )
    # Source: CloudWatch Logs API reference, PutSubscriptionFilter.
    if settings.forwarderArn and f":lambda:{settings.place}:" not in settings.forwarderArn:
        yield (
            f"forwarderArn: not in {settings.awsRegion} and account {settings.awsAccount}, where "
            "the logs that it reads are; name a forwarder there"
        )
    if arn and settings.forwarderArn:
        yield (
            "forwarderArn: set while datadog.apiKeySecretArn is, and functions send either "
            "through Datadog's extension or through its forwarder; remove one of the two"
        )
    if arn and not _COMPLETE_ARN.search(arn):
        yield (
            "datadog.apiKeySecretArn: lacks the six characters that Secrets Manager put at the "
            "end of its name; copy the whole ARN"
        )
    if arn and f":secretsmanager:{settings.awsRegion}:{settings.awsAccount}:" not in arn:
        yield (
            f"datadog.apiKeySecretArn: not in {settings.awsRegion} and account "
            f"{settings.awsAccount}, where functions may read it; copy the secret there"
        )


def _existing(settings: Names) -> Iterator[str]:
    """An environment that only monitors does not have a buffer to configure."""
    unused = {"backend_url", "create_faux_backend", "subdomain", "traffic", "sentryDsn"}
    unused |= {"sources", "pathPrefix", "signing", "failurePolicy", "allowedRisks"}
    unused |= {"mutualTlsTruststore", "throttleRate", "throttleBurst", "vpc"}
    for key in sorted(unused & settings.model_fields_set):
        yield (
            f"{key}: set while existing is, and with existing no buffer is deployed; "
            "remove one of the two"
        )
    if not settings.monitoring:
        yield "monitoring: false while existing is set; then nothing is deployed"


def _backend(settings: Names) -> Iterator[str]:
    if settings.backend_url is None and not settings.create_faux_backend:
        yield (
            "backend_url: missing, and create_faux_backend is not true; set backend_url to "
            "where webhooks go, or create_faux_backend to true to practice"
        )
    if settings.backend_url is not None and settings.create_faux_backend:
        yield (
            "backend_url: set while create_faux_backend is true, and webhooks can go to only "
            "one of them; remove one of the two"
        )


def _region(settings: Names) -> Iterator[str]:
    arn = settings.acmCertificateArn
    if arn and f":acm:{settings.place}:" not in arn:
        yield (
            f"acmCertificateArn: not in {settings.awsRegion} and account "
            f"{settings.awsAccount}; API Gateway accepts no other certificate; name one there"
        )


def _traffic(settings: Names) -> Iterator[str]:
    if settings.traffic and settings.heartbeat == "off":
        yield (
            "traffic: set while heartbeat is 'off', and the heartbeat is its clock; "
            "set heartbeat to 'buffer'"
        )


def _groups(settings: Names) -> Iterator[str]:
    if not settings.groupId and settings.groupIdMissing == "reject":
        yield (
            "groupId: empty while groupIdMissing is 'reject', which refuses everything; "
            "add an extractor or set groupIdMissing to 'own'"
        )
    if sum(map(len, settings.groupId + settings.deduplicationId)) > _LONGEST_EXTRACTORS:
        yield (
            "groupId: together with deduplicationId more than 2,000 characters, too long for a "
            "function's environment; shorten the extractors"
        )


def _sources(settings: Names) -> Iterator[str]:
    if settings.sources is None:
        return
    yield from sources.problems(
        settings.sources, prefixed=settings.pathPrefix is not None, url=settings.public_url
    )
    for number, source in enumerate(settings.sources):
        arn = source.verify.secretArn if source.verify else None
        if arn:
            yield from _secret(settings, f"sources.{number}.verify.secretArn", arn, "publish")
    if len("".join(sources.secrets(settings.sources))) > _LONGEST_ARNS:
        yield (
            f"sources: their secrets' ARNs have more than {_LONGEST_ARNS} characters in total, too "
            "long for a role's policy; shorten the secrets' names"
        )
    if settings.openToEveryone:
        yield ("openToEveryone: true while sources say who may send; remove it, or remove sources")


def _signing(settings: Names) -> Iterator[str]:
    if settings.signing:
        yield from _secret(settings, "signing.secretArn", settings.signing.secretArn, "subscribe")


def _prefix(settings: Names) -> Iterator[str]:
    prefix = settings.pathPrefix
    if prefix and (routing.path_problem(prefix) or f"{prefix}/".startswith(sources.OURS)):
        yield f"pathPrefix: '{prefix}' can't be matched; choose another, such as /hooks"


def _parking(settings: Names) -> Iterator[str]:
    if settings.longest_seconds > 0.8 * settings.retention_seconds:
        yield (
            f"failurePolicy.longestHours: {settings.failure_policy.longestHours} is more than 80 % "
            f"of retentionDays ({settings.retentionDays}), so that SQS could delete what it should "
            "park; lower it"
        )


def _retries(settings: Names) -> Iterator[str]:
    if settings.retryBaseSeconds > settings.retryMaxSeconds:
        yield (
            f"retryBaseSeconds: {settings.retryBaseSeconds} is more than retryMaxSeconds "
            f"({settings.retryMaxSeconds}); lower it or raise the maximum"
        )
