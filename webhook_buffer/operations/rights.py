"""What each call to AWS needs: its IAM action, and the resources of an environment.

Source: Service Authorization Reference: a service's actions, and the resources that each takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from settings.schema import Settings
from settings.secrets import secrets

# The CDK's default qualifier. Source: AWS CDK guide, "Customize AWS CDK bootstrapping".
QUALIFIER = "hnb659fds"
_CDK_ROLES = ("deploy", "file-publishing", "lookup")


@dataclass(frozen=True)
class Right:
    """A statement's part: an action, and where it is needed.

    Attributes:
        resources: of an environment; none where its settings name nothing of the kind.
    """

    action: str
    resources: Callable[[Settings], list[str]]


def _arns(service: str, *names: str, regional: bool = True) -> Callable[[Settings], list[str]]:
    """ARNs, of names with ``PREFIX``, ``ACCOUNT`` and ``REGION`` in them."""

    def arns(settings: Settings) -> list[str]:
        region = settings.awsRegion if regional else ""
        start = f"arn:{settings.partition}:{service}:{region}:{settings.awsAccount}:"
        return [
            start
            + name.replace("PREFIX", settings.prefix)
            .replace("ACCOUNT", settings.awsAccount)
            .replace("REGION", settings.awsRegion)
            for name in names
        ]

    return arns


def _existing(service: str, key: str, start: str = "") -> Callable[[Settings], list[str]]:
    """ARNs of the resources that an environment only monitors."""

    def arns(settings: Settings) -> list[str]:
        resources = getattr(settings.existing, key) if settings.existing else ()
        names = [f"{start}{resource.name}" for resource in resources]
        return _arns(service, *names)(settings)

    return arns


def _existing_apis(settings: Settings) -> list[str]:
    apis = settings.existing.apis if settings.existing else ()
    start = f"arn:{settings.partition}:apigateway:{settings.awsRegion}::/apis"
    return [f"{start}/{api.name}" for api in apis if api.kind == "http"]


def _rest_apis(settings: Settings) -> list[str]:
    """The list of all. Source: API Gateway developer guide, "ARN reference"."""
    apis = settings.existing.apis if settings.existing else ()
    listed = f"arn:{settings.partition}:apigateway:{settings.awsRegion}::/restapis"
    return [listed] if any(api.kind == "rest" for api in apis) else []


def _secrets(settings: Settings) -> list[str]:
    return [secret.arn for secret in secrets(settings)]


def _keys(settings: Settings) -> list[str]:
    """The customer's keys that encrypt secrets."""
    return list(dict.fromkeys(secret.key_arn for secret in secrets(settings) if secret.key_arn))


def _data_key(settings: Settings) -> list[str]:
    """The customer's key that encrypts everything else."""
    return [settings.encryptionKeyArn] if settings.encryptionKeyArn else []


def _all_keys(settings: Settings) -> list[str]:
    return list(dict.fromkeys([*_keys(settings), *_data_key(settings)]))


def _boundary(settings: Settings) -> list[str]:
    return [settings.permissionsBoundaryArn] if settings.permissionsBoundaryArn else []


def _network(settings: Settings) -> list[str]:
    """EC2 describes everything or nothing."""
    return ["*"] if settings.vpc else []


def _certificates(settings: Settings) -> list[str]:
    return [settings.acmCertificateArn] if settings.acmCertificateArn else []


def _zones(settings: Settings) -> list[str]:
    zone = settings.hostedZoneId
    return [f"arn:{settings.partition}:route53:::hostedzone/{zone}"] if zone else []


def _records(settings: Settings) -> list[str]:
    """The zone that a domain's record is in, or all, where no key names it."""
    every = f"arn:{settings.partition}:route53:::hostedzone/*"
    return _zones(settings) or ([every] if settings.domain else [])


def _bodies(settings: Settings) -> list[str]:
    """All objects of the record's bucket."""
    return [f"{bucket}/*" for bucket in _bucket(settings)]


def _bucket(settings: Settings) -> list[str]:
    return [f"arn:{settings.partition}:s3:::{settings.bodies_bucket_name}"]


def _everything(_: Settings) -> list[str]:
    """For actions that know no narrower resource."""
    return ["*"]


_STACKS = _arns("cloudformation", "stack/PREFIX/*", "stack/PREFIX-monitoring/*")
_TABLES = _arns(
    "dynamodb", "table/PREFIX-records", "table/PREFIX-parking", "table/PREFIX-incidents"
)
_QUERIED = _arns(
    "dynamodb",
    "table/PREFIX-records/index/*",
    "table/PREFIX-parking",
    "table/PREFIX-parking/index/*",
)
_QUEUES = _arns("sqs", "PREFIX.fifo", "PREFIX-notifications*")
_FUNCTIONS = _arns("lambda", "function:PREFIX-*")
_EXISTING_QUEUES = _existing("sqs", "queues")
_EXISTING_FUNCTIONS = _existing("lambda", "functions", "function:")
_EXISTING_TABLES = _existing("dynamodb", "tables", "table/")
_TOPICS = _arns("sns", "PREFIX-*")
_BOOTSTRAP_VERSION = _arns("ssm", f"parameter/cdk-bootstrap/{QUALIFIER}/version")
_ALARMS = _arns("cloudwatch", "alarm:PREFIX-*")
_LOGS = _arns("logs", "log-group:/aws/lambda/PREFIX-*")
# What Secrets Manager adds to a name is not known before.
_HEARTBEAT_KEY = _arns("secretsmanager", "secret:PREFIX-heartbeat-key*")
_BOOTSTRAP_ROLES = _arns(
    "iam",
    *(f"role/cdk-{QUALIFIER}-{role}-role-ACCOUNT-REGION" for role in _CDK_ROLES),
    regional=False,
)
_ROLES = _arns("iam", "role/*", regional=False)


def _domains(settings: Settings) -> list[str]:
    """API Gateway's own form of ARNs, without an account."""
    name = settings.domain_name
    start = f"arn:{settings.partition}:apigateway:{settings.awsRegion}::/domainnames"
    return [f"{start}/{name}"] if name else []


# What data under the customer's key asks of whoever reads or writes it. Source: the guides that
# functions/encryption.py names; CloudWatch Logs user guide, "Encrypt log data".
_READ = tuple(Right(f"kms:{action}", _data_key) for action in ("Decrypt", "DescribeKey"))
_WRITE = (
    *_READ,
    *(
        Right(f"kms:{action}", _data_key)
        for action in (
            "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom",
            "ReEncryptTo",
        )
    ),
)  # fmt: skip
# By boto3's names of service and method.
RIGHTS: Mapping[str, tuple[Right, ...]] = {
    "acm.describe_certificate": (Right("acm:DescribeCertificate", _certificates),),
    "apigateway.get_rest_apis": (Right("apigateway:GET", _rest_apis),),
    "apigatewayv2.get_api": (Right("apigateway:GET", _existing_apis),),
    "apigatewayv2.get_domain_name": (Right("apigateway:GET", _domains),),
    "cloudformation.delete_stack": (Right("cloudformation:DeleteStack", _STACKS),),
    "cloudformation.describe_stacks": (Right("cloudformation:DescribeStacks", _STACKS),),
    "cloudformation.get_template": (Right("cloudformation:GetTemplate", _STACKS),),
    "cloudformation.list_exports": (Right("cloudformation:ListExports", _everything),),
    "cloudformation.list_stack_resources": (Right("cloudformation:ListStackResources", _STACKS),),
    "cloudformation.update_termination_protection": (
        Right("cloudformation:UpdateTerminationProtection", _STACKS),
    ),
    "cloudwatch.describe_alarm_history": (Right("cloudwatch:DescribeAlarmHistory", _everything),),
    "cloudwatch.describe_alarms": (Right("cloudwatch:DescribeAlarms", _everything),),
    "cloudwatch.disable_alarm_actions": (Right("cloudwatch:DisableAlarmActions", _ALARMS),),
    "cloudwatch.enable_alarm_actions": (Right("cloudwatch:EnableAlarmActions", _ALARMS),),
    "cloudwatch.get_metric_data": (Right("cloudwatch:GetMetricData", _everything),),
    "cloudwatch.list_dashboards": (Right("cloudwatch:ListDashboards", _everything),),
    "cloudwatch.set_alarm_state": (Right("cloudwatch:SetAlarmState", _ALARMS),),
    "dynamodb.batch_get_item": (Right("dynamodb:BatchGetItem", _TABLES), *_READ),
    "dynamodb.delete_item": (Right("dynamodb:DeleteItem", _TABLES), *_WRITE),
    "dynamodb.describe_table": (
        Right("dynamodb:DescribeTable", _TABLES),
        Right("dynamodb:DescribeTable", _EXISTING_TABLES),
    ),
    "dynamodb.get_item": (Right("dynamodb:GetItem", _TABLES), *_READ),
    "dynamodb.put_item": (Right("dynamodb:PutItem", _TABLES), *_WRITE),
    "dynamodb.query": (Right("dynamodb:Query", _QUERIED), *_READ),
    "dynamodb.update_item": (Right("dynamodb:UpdateItem", _TABLES), *_WRITE),
    **{
        f"ec2.{method}": (Right(f"ec2:{action}", _network),)
        for method, action in {
            "describe_route_tables": "DescribeRouteTables",
            "describe_security_groups": "DescribeSecurityGroups",
            "describe_subnets": "DescribeSubnets",
            "describe_vpc_endpoints": "DescribeVpcEndpoints",
        }.items()
    },
    "events.list_rules": (Right("events:ListRules", _everything),),
    "iam.get_policy": (Right("iam:GetPolicy", _boundary),),
    "iam.get_role": (Right("iam:GetRole", _ROLES),),
    "iam.simulate_principal_policy": (Right("iam:SimulatePrincipalPolicy", _ROLES),),
    "kms.describe_key": (Right("kms:DescribeKey", _all_keys),),
    "kms.get_key_policy": (Right("kms:GetKeyPolicy", _all_keys),),
    "lambda.get_account_settings": (Right("lambda:GetAccountSettings", _everything),),
    "lambda.get_function_configuration": (
        Right("lambda:GetFunctionConfiguration", _FUNCTIONS),
        Right("lambda:GetFunctionConfiguration", _EXISTING_FUNCTIONS),
    ),
    "lambda.invoke": (Right("lambda:InvokeFunction", _FUNCTIONS),),
    "logs.describe_log_groups": (Right("logs:DescribeLogGroups", _everything),),
    "logs.describe_resource_policies": (Right("logs:DescribeResourcePolicies", _everything),),
    "logs.filter_log_events": (Right("logs:FilterLogEvents", _LOGS), *_READ),
    "route53.get_hosted_zone": (Right("route53:GetHostedZone", _zones),),
    "route53.list_hosted_zones_by_name": (Right("route53:ListHostedZonesByName", _everything),),
    "route53.list_resource_record_sets": (Right("route53:ListResourceRecordSets", _records),),
    "s3.get_bucket_encryption": (Right("s3:GetEncryptionConfiguration", _bucket),),
    "s3.get_bucket_policy": (Right("s3:GetBucketPolicy", _bucket),),
    "s3.head_bucket": (Right("s3:ListBucket", _bucket),),
    # Source: S3 API reference, GetObject: without the second right, an object that is not there is
    # refused like one that may not be read.
    "s3.get_object": (
        Right("s3:GetObject", _bodies),
        Right("s3:ListBucket", _bucket),
        Right("kms:Decrypt", _data_key),
    ),
    "secretsmanager.describe_secret": (
        Right("secretsmanager:DescribeSecret", _secrets),
        Right("secretsmanager:DescribeSecret", _HEARTBEAT_KEY),
    ),
    "secretsmanager.get_resource_policy": (Right("secretsmanager:GetResourcePolicy", _secrets),),
    "secretsmanager.get_secret_value": (
        Right("secretsmanager:GetSecretValue", _secrets),
        Right("kms:Decrypt", _keys),
    ),
    "secretsmanager.put_secret_value": (
        Right("secretsmanager:PutSecretValue", _secrets),
        Right("kms:GenerateDataKey", _keys),
    ),
    "sns.get_topic_attributes": (Right("sns:GetTopicAttributes", _TOPICS),),
    "sns.list_subscriptions_by_topic": (Right("sns:ListSubscriptionsByTopic", _TOPICS),),
    "sqs.get_queue_attributes": (Right("sqs:GetQueueAttributes", _QUEUES),),
    "sqs.get_queue_url": (
        Right("sqs:GetQueueUrl", _QUEUES),
        Right("sqs:GetQueueUrl", _EXISTING_QUEUES),
    ),
    "sqs.send_message": (
        Right("sqs:SendMessage", _QUEUES),
        Right("kms:Decrypt", _data_key),
        Right("kms:GenerateDataKey", _data_key),
    ),
    "ssm.get_parameter": (Right("ssm:GetParameter", _BOOTSTRAP_VERSION),),
    # The CDK CLI works as its bootstrap roles, which the caller assumes. Source: AWS CDK guide,
    # "Configure security for the AWS CDK": deploy-role, file-publishing-role, lookup-role.
    **{
        f"cdk.{command}": (Right("sts:AssumeRole", _BOOTSTRAP_ROLES),)
        for command in ("deploy", "destroy", "diff")
    },
}


def actions(calls: Iterable[str]) -> list[str]:
    """The IAM actions that calls need."""
    return sorted({right.action for call in calls for right in RIGHTS[call]})


def policy(settings: Settings, calls: Iterable[str]) -> dict[str, Any]:
    """An IAM policy that allows calls on an environment's resources, and nothing else."""
    return {"Version": "2012-10-17", "Statement": list(_statements(settings, calls))}


def _statements(settings: Settings, calls: Iterable[str]) -> Iterator[dict[str, Any]]:
    """A statement for each set of resources."""
    allowed: dict[tuple[str, ...], set[str]] = {}
    for right in (right for call in calls for right in RIGHTS[call]):
        resources = tuple(right.resources(settings))
        if resources:
            allowed.setdefault(resources, set()).add(right.action)
    for resources, names in sorted(allowed.items(), key=lambda item: sorted(item[1])):
        yield {"Effect": "Allow", "Action": sorted(names), "Resource": list(resources)}


def trust(arn: str) -> dict[str, Any]:
    """A role's trust policy that lets a principal assume it."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}],
    }
