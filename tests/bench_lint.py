"""``make bench``: how long alarmproof lints many alarms, in JSON and in YAML, after its start.

``python -m tests.bench_lint``. The times are of the processor, so that other work beside it does
not count; the start is that of ``alarmproof lint --help`` beside ``import typer, rich``.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from alarmproof.lint import lint
from alarmproof.template import read

# Alarms, and the seconds that were asked for.
ASKED = {500: 1.0, 2000: 3.0}
_RUNS = 5


def document(alarms: int) -> dict[str, Any]:
    """A template with a queue for each alarm; two of three alarms are on an expression."""
    topic = {"Properties": {"Subscription": [{"Protocol": "email", "Endpoint": "a@example.com"}]}}
    resources: dict[str, Any] = {"Topic": {"Type": "AWS::SNS::Topic", **topic}}
    for number in range(alarms):
        name = {"Fn::Sub": f"q-${{AWS::StackName}}-{number}"}
        resources[f"Q{number}"] = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}
        resources[f"A{number}"] = {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmDescription": "Orders wait. https://example.com/runbook",
                "AlarmActions": [{"Ref": "Topic"}], "EvaluationPeriods": 3, "Threshold": number,
                "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
                **(_ratio(number) if number % 3 else _age(number)),
            },
        }  # fmt: skip
    return {"Resources": resources}


def _age(number: int) -> dict[str, Any]:
    queue = {"Name": "QueueName", "Value": {"Fn::GetAtt": [f"Q{number}", "QueueName"]}}
    return {"Namespace": "AWS/SQS", "MetricName": "ApproximateAgeOfOldestMessage",
            "Dimensions": [queue], "Statistic": "Maximum", "Period": 60}  # fmt: skip


def _ratio(number: int) -> dict[str, Any]:
    def read_metric(name: str, metric: str) -> dict[str, Any]:
        function = {"Name": "FunctionName", "Value": f"f{number}"}
        key = {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": [function]}
        stat = {"Metric": key, "Period": 60, "Stat": "Sum"}
        return {"Id": name, "ReturnData": False, "MetricStat": stat}

    expression = {"Id": "r", "Expression": "IF(n > 10, 100 * e / n, 0)"}
    return {"Metrics": [expression, read_metric("e", "Errors"), read_metric("n", "Invocations")]}


def main() -> None:
    """Prints seconds beside those that were asked for, the start, and the peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        for alarms, asked in ASKED.items():
            for suffix in ("json", "yaml"):
                file = Path(folder, f"t.{suffix}")
                made = document(alarms)
                text = json.dumps(made, indent=1) if suffix == "json" else yaml.safe_dump(made)
                file.write_text(text)
                seconds = statistics.median(_seconds(file) for _ in range(_RUNS))
                print(f"{alarms} alarms in {suffix}: {seconds:.2f} s (asked for: {asked:g} s)")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"peak memory: {memory} MB")
    script = str(Path(sys.executable).with_name("alarmproof"))
    ours = [_start([script, "lint", "--help"]) for _ in range(_RUNS)]
    bare = [_start([sys.executable, "-c", "import typer, rich"]) for _ in range(_RUNS)]
    ratio = statistics.median(ours) / statistics.median(bare)
    print(f"start: {ratio:.2f} times that of 'import typer, rich' (asked for: 2)")


def _seconds(file: Path) -> float:
    started = time.process_time()
    lint(read([file]))
    return time.process_time() - started


def _start(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
