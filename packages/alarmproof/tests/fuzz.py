"""Random damage to templates, plans, cases and recordings: one clear error each, soon, or none.

``python packages/alarmproof/tests/fuzz.py --seconds 60`` goes on for a minute with a seed of its
own, which it prints; the suite runs a few hundred inputs of a fixed one.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from types import FrameType
from typing import Any

from alarmproof import cases, recordings, runner, template
from alarmproof.base import composites, expressions
from alarmproof.base.errors import AlarmproofError
from alarmproof.evaluate import evaluate
from alarmproof.formats import as_json, as_sarif
from alarmproof.lint import lint

LONGEST, MOST_MEMORY = 5.0, 500_000_000  # seconds and bytes of one input

_ALARM = {
    "Type": "AWS::CloudWatch::Alarm", "Condition": "C", "Metadata": {"alarmproof": {"allow": {}}},
    "Properties": {
        "AlarmName": {"Fn::Sub": "${P}-a"}, "AlarmActions": [{"Ref": "T"}], "Period": 60,
        "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "Threshold": {"Ref": "P"},
        "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "missing",
        "EvaluationWindow": {"WallClockWindow": {"Timezone": "Europe/Berlin"}},
        "WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 5}, "Statistic": "Sum",
        "Namespace": "AWS/SQS", "MetricName": "NumberOfMessagesSent", "Unit": "Count",
        "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["Q", "QueueName"]}}],
    },
}  # fmt: skip
_MATH = {
    "Type": "AWS::CloudWatch::Alarm",
    "Properties": {
        "EvaluationPeriods": 2, "Threshold": 1, "ComparisonOperator": "LessThanThreshold",
        "Metrics": [
            {"Id": "e", "Expression": "IF(m > 1, SUM(METRICS()) / FILL(m, LINEAR), 0)"},
            {"Id": "m", "ReturnData": False, "AccountId": "1", "MetricStat": {
                "Metric": {"Namespace": "N", "MetricName": "M", "Dimensions": []},
                "Period": 300, "Stat": "tm99"}},
        ],
    },
}  # fmt: skip
TEMPLATE: dict[str, Any] = {
    "Transform": ["AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"],
    "Parameters": {"P": {"Type": "Number", "Default": 5}, "S": {"Type": "String"}},
    "Mappings": {"M": {"a": {"b": "c"}}},
    "Conditions": {"C": {"Fn::Or": [{"Fn::Equals": [{"Ref": "S"}, "x"]}, {"Fn::Not": [
        {"Fn::Equals": [{"Fn::FindInMap": ["M", {"Ref": "S"}, "b"]}, "c"]}]}]}},
    "Resources": {
        "T": {"Type": "AWS::SNS::Topic", "Properties": {"Subscription": [{"Protocol": "email"}]}},
        "Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Join": ["-", ["a"]]}}},
        "F": {"Type": "AWS::Serverless::Function", "Properties": {"Events": {
            "E": {"Type": "SNS", "Properties": {"Topic": {"Ref": "T"}}}}}},
        "A": _ALARM, "B": _MATH,
        "C": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {
            "AlarmRule": {"Fn::Sub": "ALARM(${A}) OR AT_LEAST(1, OK, (B))"},
            "ActionsSuppressor": {"Ref": "B"}}},
        "R": {"Type": "AWS::CloudWatch::AlarmMuteRule", "Properties": {
            "Rule": {"Schedule": {"Expression": "cron(0 2 * * *)", "Duration": "PT4H"}},
            "MuteTargets": {"AlarmNames": [{"Ref": "A"}]}}},
        "Fn::ForEach::L": ["X", ["a", "b"], {"D${X}": _ALARM}],
        "N": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "t"}},
    },
    "Outputs": {"O": {"Value": {"Ref": "Q"}, "Export": {"Name": "o"}}},
}  # fmt: skip
PLAN: dict[str, Any] = {
    "format_version": "1.2",
    "planned_values": {"root_module": {"resources": [
        {"address": "aws_cloudwatch_metric_alarm.a", "type": "aws_cloudwatch_metric_alarm",
         "values": {"alarm_name": "a", "threshold": 1, "metric_query": [
             {"id": "m", "metric": [{"metric_name": "M", "namespace": "N", "period": 60}]}]}},
        {"address": "aws_kms_key.k", "type": "aws_kms_key", "values": {"policy": "{}"}}]}},
    "resource_changes": [{"address": "aws_cloudwatch_metric_alarm.a",
                          "change": {"after_unknown": {"alarm_actions": [True]}}}],
    "configuration": {"root_module": {"resources": [{"address": "aws_cloudwatch_metric_alarm.a",
                      "expressions": {"alarm_actions": {"references": ["aws_kms_key.k"]}}}]}},
}  # fmt: skip
LIVE: dict[str, Any] = {"MetricAlarms": [{
    "AlarmName": "a", "AlarmArn": "arn:aws:cloudwatch:eu-west-1:1:alarm:a", "Namespace": "N",
    "MetricName": "M", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold", "StateValue": "OK", "Dimensions": [],
}]}  # fmt: skip
CASES: dict[str, Any] = {"interval": "1m", "start": "2026-05-01T00:00Z", "cases": [{
    "title": "t", "alarm": "B", "initial": "OK", "quiet": "true",
    "series": [{"metric": "N M", "account": "1", "values": "0x9 5+1x3 _x2", "interval": "30s"}],
    "expect": [{"at": "2m", "state": "OK", "notifies": "nobody", "values": {"m": "3"}}],
}]}  # fmt: skip
RECORDING: dict[str, Any] = {
    "series": [
        {
            "namespace": "N",
            "metric": "M",
            "dimensions": {},
            "statistic": "Sum",
            "period": 60,
            "account": "1",
            "unit": "Count",
            "start": "2026-05-01T00:00:00Z",
            "values": [1, None, 3],
        }
    ]
}
_ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, 10**30, 10**400, float("inf"), "", "x", "%", "\x1b[31m", "9" * 400,
    [], {}, [[]], [None], {"Ref": "A"}, {"Ref": 5}, {"Fn::Sub": "${P}" * 50}, {"Fn::If": ["C", 1]},
    {"Fn::GetAtt": ["C", "Arn"]}, {"Fn::Join": ["", {"Ref": "P"}]}, {"Fn::Select": [9, []]},
    {"Fn::Split": ["", "a"]}, {"Condition": "C"}, {"Fn::ForEach::Z": [1]}, "cron(* * * * *)",
    "2026-99-99", "1x999999999", "99999999d", "(" * 90, "NOT " * 90, "../../../etc/passwd",
)  # fmt: skip


def damaged(chance: random.Random, document: Any) -> str:
    """A document with a few random changes, as JSON or as text with random bytes."""
    copy = json.loads(json.dumps(document))
    for _ in range(chance.randint(1, 4)):
        container, key = chance.choice(list(_places(copy)))
        if chance.random() < 0.2 and isinstance(container, dict):
            container[chance.choice(("Fn::Sub", "Condition", "x", key))] = container.pop(key)
        elif chance.random() < 0.2:
            container[key] = deepcopy(chance.choice(list(_places(copy)))[0])
        else:
            container[key] = deepcopy(chance.choice(_ODD))
    try:
        text = json.dumps(copy)
    except (RecursionError, ValueError):
        return "[" * 200
    if chance.random() < 0.3:
        at = chance.randrange(len(text))
        text = (
            text[:at]
            + chance.choice(("&a ", "*a", "!Ref ", "\x00", "<<: ", '"', "]", "🦆"))
            + text[at:]
        )
    return text


def _places(value: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield value, key
        if isinstance(inner, dict | list) and depth < 20:
            yield from _places(inner, depth + 1)


def _of_template(file: Path) -> None:
    templates = template.read([file])
    findings = lint(templates)
    as_json(findings)
    as_sarif(findings, version="0")
    for alarm in templates.alarms:
        try:
            evaluate(
                [alarm], runner.InMemory({}), start=0, end=600, mute_rules=templates.mute_rules
            )
        except AlarmproofError:
            continue


def _of_cases(file: Path) -> None:
    templates = template.parse(TEMPLATE, "t.json")
    runner.run(cases.load([file]), templates)


def _of_recording(file: Path) -> None:
    list(recordings.load(file).every())


TARGETS: tuple[tuple[str, Any, Callable[[Path], None]], ...] = (
    ("t.json", TEMPLATE, _of_template),
    ("t.yaml", TEMPLATE, _of_template),
    ("p.json", PLAN, _of_template),
    ("l.json", LIVE, _of_template),
    ("c.yaml", CASES, _of_cases),
    ("r.json", RECORDING, _of_recording),
)


def attempt(chance: random.Random, folder: Path) -> str | None:
    """Damages one document and uses it; what went wrong, or None."""
    name, document, use = chance.choice(TARGETS)
    text = damaged(chance, document)
    file = folder / name
    file.write_text(text, "utf-8", errors="replace")
    started = time.process_time()
    try:
        use(file)
    except AlarmproofError as error:
        if len(str(error)) > 20_000:
            return f"an error of {len(str(error)):,} characters"
    except Exception as error:
        return f"{type(error).__name__}: {error}\n{name}: {text[:4000]}"
    took = time.process_time() - started
    if took > LONGEST:
        return f"{took:.1f} s\n{name}: {text[:4000]}"
    return None


def expression(chance: random.Random) -> None:
    """Compiles random math, and parses random rules."""
    words = ("m", "1", "(", ")", ",", "IF", "SUM", "METRICS()", "[", "]", "+", "^", "-", "FILL",
             "REPEAT", "ALARM", "NOT", "AND", '"a"', "AT_LEAST", "50%", "e9")  # fmt: skip
    text = " ".join(chance.choice(words) for _ in range(chance.randint(1, 60)))
    for parse in (expressions.compile_expression, composites.parse):
        try:
            parse(text)
        except AlarmproofError:
            continue


def main() -> None:
    """Goes on for some seconds; exits with 1 at the first surprise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    chance, end, count = random.Random(seed), time.monotonic() + options.seconds, 0

    def late(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"an input takes more than {4 * LONGEST:g} s")

    signal.signal(signal.SIGALRM, late)
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < end:
            signal.setitimer(signal.ITIMER_REAL, 4 * LONGEST)
            expression(chance)
            wrong = attempt(chance, Path(folder))
            signal.setitimer(signal.ITIMER_REAL, 0)
            count += 1
            memory = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            if memory > MOST_MEMORY:
                wrong = wrong or f"{memory / 1e6:.0f} MB after input {count}"
            if wrong:
                sys.exit(f"seed {seed}, input {count}: {wrong}")
    print(f"{count} inputs in {options.seconds:g} s, seed {seed}: {memory / 1e6:.0f} MB at most")


if __name__ == "__main__":
    main()
