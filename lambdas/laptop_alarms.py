"""CloudFormation → CloudWatch: alarms that the emulator's CloudFormation does not support.

A custom resource with the properties of the resource it stands for: metric math and composite
alarms. Nothing of this is deployed on AWS.
"""

from __future__ import annotations

from typing import Any

from lambdas.base import observe

with observe.loading():
    import json

    from lambdas.base import aws, http

_SECONDS = 5.0
# CloudFormation hands numbers and booleans to custom resources as strings.
_NUMBERS = {
    "EvaluationPeriods": int,
    "DatapointsToAlarm": int,
    "Threshold": float,
}
_PUT = {"Custom::Alarm": "PutMetricAlarm", "Custom::CompositeAlarm": "PutCompositeAlarm"}


@observe.observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Puts or deletes one alarm, and reports to CloudFormation whether that succeeded."""
    properties = dict(event["ResourceProperties"])
    properties.pop("ServiceToken", None)
    name = properties["AlarmName"]
    answer = {
        "PhysicalResourceId": name,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Status": "SUCCESS",
    }
    try:
        if event["RequestType"] == "Delete":
            _call("DeleteAlarms", {"AlarmNames": [event["PhysicalResourceId"]]})
        else:
            for key, kind in _NUMBERS.items():
                if key in properties:
                    properties[key] = kind(properties[key])
            properties["ActionsEnabled"] = True
            _suppress(properties)
            _call(_PUT[event["ResourceType"]], properties)
    except aws.AwsError as error:
        observe.log("ERROR", "alarm.failed", aws_error=error.code)
        answer |= {"Status": "FAILED", "Reason": f"CloudWatch refused {name}: {error.code}"}
    http.send("PUT", event["ResponseURL"], json.dumps(answer).encode(), {}, seconds=_SECONDS)
    return {}


def _suppress(properties: dict[str, Any]) -> None:
    """Lets the rule itself be false during the suppressor, which the emulator does not know.

    It knows no wait and no extension either: live alarms see to those.
    """
    suppressor = properties.pop("ActionsSuppressor", None)
    for name in ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"):
        properties.pop(name, None)
    if suppressor:
        properties["AlarmRule"] = f'({properties["AlarmRule"]}) AND NOT ALARM("{suppressor}")'


def _call(action: str, parameters: dict[str, Any]) -> None:
    aws.CLOUDWATCH.call(action, parameters, seconds=_SECONDS, within=2 * _SECONDS)
