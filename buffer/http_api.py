"""An HTTP API whose every request goes to one function, with JSON access logs."""

from __future__ import annotations

import json

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_route53 as route53
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from aws_cdk.aws_certificatemanager import Certificate
from aws_cdk.aws_s3 import Bucket
from constructs import Construct

from functions.factory import create_log_group
from settings.schema import Settings

# Source: API Gateway developer guide, "Logging variables for HTTP APIs". Neither path, query string
# nor headers: they may hold what a log must not. publish logs the path without its tokens.
_ACCESS_LOG = {
    "request_id": "$context.requestId",
    "at": "$context.requestTimeEpoch",
    "method": "$context.httpMethod",
    "protocol": "$context.protocol",
    # Not "status", which Datadog takes for the line's severity; see lambdas/base/observe.py.
    "http": {"status_code": "$context.status"},
    "response_bytes": "$context.responseLength",
    "latency_ms": "$context.responseLatency",
    "integration_latency_ms": "$context.integrationLatency",
    "integration_status": "$context.integration.status",
    "integration_error": "$context.integrationErrorMessage",
}


def create_http_api(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    function: lambda_.Function,
    settings: Settings,
    domain: apigateway.DomainName | None = None,
    throttle: apigateway.ThrottleSettings | None = None,
) -> apigateway.HttpApi:
    """The API; any method on any path invokes ``function``.

    Args:
        name: physical name, from which its access log has its own.
        domain: a custom domain that serves it, and then its own address does not.
        throttle: beyond which it answers 429; by default the account's quota.
    """
    api = apigateway.HttpApi(
        scope,
        construct_id,
        api_name=name,
        description=f"Every request goes to {function.node.id}",
        create_default_stage=False,
        default_integration=HttpLambdaIntegration("Function", function),
    )
    if domain:
        # Whoever could use both addresses would get around what guards the domain. Not by the
        # construct, which then refuses to say the address, an output that others rely on.
        own = api.node.default_child
        assert isinstance(own, apigateway.CfnApi)
        own.disable_execute_api_endpoint = True
    access_log = create_log_group(
        scope,
        f"{construct_id}AccessLog",
        name=settings.access_log_group_name(name),
        settings=settings,
    )
    stage = apigateway.HttpStage(
        scope,
        f"{construct_id}Stage",
        http_api=api,
        stage_name="$default",
        auto_deploy=True,
        domain_mapping=apigateway.DomainMappingOptions(domain_name=domain) if domain else None,
        throttle=throttle,
    )
    resource = stage.node.default_child
    assert isinstance(resource, apigateway.CfnStage)
    resource.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
        destination_arn=access_log.log_group_arn,
        format=json.dumps(_ACCESS_LOG, separators=(",", ":")),
    )
    return api


def create_custom_domain(
    scope: Construct, construct_id: str, *, settings: Settings
) -> apigateway.DomainName | None:
    """The settings' domain with its certificate and Route 53 record; None if there is no domain.

    The hosted zone is named, not looked up: no account is asked at synth.
    """
    if settings.domain_name is None or settings.acmCertificateArn is None:
        return None
    certificate = Certificate.from_certificate_arn(
        scope, f"{construct_id}Certificate", settings.acmCertificateArn
    )
    domain = apigateway.DomainName(
        scope,
        construct_id,
        domain_name=settings.domain_name,
        certificate=certificate,
        mtls=_mutual_tls(scope, construct_id, settings.mutualTlsTruststore),
    )
    route53.CfnRecordSet(
        scope,
        f"{construct_id}Record",
        name=f"{settings.domain_name}.",
        type="A",
        hosted_zone_id=settings.hostedZoneId,
        hosted_zone_name=None if settings.hostedZoneId else f"{settings.domain}.",
        alias_target=route53.CfnRecordSet.AliasTargetProperty(
            dns_name=domain.regional_domain_name, hosted_zone_id=domain.regional_hosted_zone_id
        ),
    )
    return domain


def _mutual_tls(
    scope: Construct, construct_id: str, truststore: str | None
) -> apigateway.MTLSConfig | None:
    if truststore is None:
        return None
    name, _, key = truststore.removeprefix("s3://").partition("/")
    bucket = Bucket.from_bucket_name(scope, f"{construct_id}Truststore", name)
    return apigateway.MTLSConfig(bucket=bucket, key=key)
