"""SAM's short resource types as the CloudFormation resources that they become.

Only what a check of alarms can look at is translated: names, timeouts, event sources and
subscriptions. Source: Serverless Application Model developer guide, "Generated CloudFormation
resources".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_TRANSFORM = "AWS::Serverless-2016-10-31"
_TYPES = {
    "AWS::Serverless::Function": "AWS::Lambda::Function",
    "AWS::Serverless::Api": "AWS::ApiGateway::RestApi",
    "AWS::Serverless::HttpApi": "AWS::ApiGatewayV2::Api",
    "AWS::Serverless::SimpleTable": "AWS::DynamoDB::Table",
    "AWS::Serverless::StateMachine": "AWS::StepFunctions::StateMachine",
    "AWS::Serverless::LayerVersion": "AWS::Lambda::LayerVersion",
    "AWS::Serverless::Application": "AWS::CloudFormation::Stack",
}
_GLOBALS = {
    "AWS::Serverless::Function": "Function",
    "AWS::Serverless::Api": "Api",
    "AWS::Serverless::HttpApi": "HttpApi",
    "AWS::Serverless::SimpleTable": "SimpleTable",
    "AWS::Serverless::StateMachine": "StateMachine",
}
# Event types that read from a stream or a queue, with the property that names it.
_SOURCES = {"SQS": "Queue", "Kinesis": "Stream", "DynamoDB": "Stream", "MSK": "Stream"}


def translated(document: Mapping[str, Any], resources: Mapping[str, Any]) -> Mapping[str, Any]:
    """A template's resources, those of SAM as what they become."""
    transform = document.get("Transform")
    if _TRANSFORM not in (transform if isinstance(transform, list) else [transform]):
        return resources
    shared = document.get("Globals")
    made: dict[str, Any] = {}
    for logical_id, entry in resources.items():
        kind = entry.get("Type") if isinstance(entry, dict) else None
        if kind not in _TYPES:
            made[logical_id] = entry
            continue
        properties = _properties(entry, kind, shared if isinstance(shared, dict) else {})
        made[logical_id] = {**entry, "Type": _TYPES[kind], "Properties": properties}
        if kind == "AWS::Serverless::Function":
            for name, event in _of_events(logical_id, properties.get("Events")):
                made.setdefault(name, event)
    return made


def _properties(entry: Mapping[str, Any], kind: str, shared: Mapping[str, Any]) -> dict[str, Any]:
    common, own = shared.get(_GLOBALS.get(kind, "")), entry.get("Properties")
    properties = {
        **(common if isinstance(common, dict) else {}),
        **(own if isinstance(own, dict) else {}),
    }
    if kind == "AWS::Serverless::HttpApi":
        properties.setdefault("ProtocolType", "HTTP")
    return properties


def _of_events(function: str, events: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the events of a function become, by generated logical id."""
    for name, event in events.items() if isinstance(events, dict) else ():
        kind = event.get("Type") if isinstance(event, dict) else None
        properties = event.get("Properties") if kind else None
        given = properties if isinstance(properties, dict) else {}
        logical_id = f"{function}{name}"
        if kind == "SNS":
            yield (
                logical_id,
                {
                    "Type": "AWS::SNS::Subscription",
                    "Properties": {
                        "TopicArn": given.get("Topic"),
                        "Protocol": "lambda",
                        "Endpoint": {"Fn::GetAtt": [function, "Arn"]},
                    },
                },
            )
            yield (
                f"{logical_id}Permission",
                {
                    "Type": "AWS::Lambda::Permission",
                    "Properties": {
                        "Action": "lambda:InvokeFunction",
                        "FunctionName": {"Ref": function},
                        "Principal": "sns.amazonaws.com",
                    },
                },
            )
        elif kind in _SOURCES:
            yield (
                logical_id,
                {
                    "Type": "AWS::Lambda::EventSourceMapping",
                    "Properties": {
                        "FunctionName": {"Ref": function},
                        "EventSourceArn": given.get(_SOURCES[str(kind)]),
                    },
                },
            )
        elif kind == "Api" and "RestApiId" not in given:
            yield "ServerlessRestApi", {"Type": "AWS::ApiGateway::RestApi", "Properties": {}}
        elif kind == "HttpApi" and "ApiId" not in given:
            api = {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "HTTP"}}
            yield "ServerlessHttpApi", api
