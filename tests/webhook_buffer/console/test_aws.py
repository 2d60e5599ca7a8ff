"""The page of an environment on AWS: CloudWatch's numbers and states, read and never written.

No answer here was recorded on AWS: each is built by hand, and held to botocore's models.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import urllib3

from monitoring.cloudwatch.alarms import template
from settings.loader import load
from tests.fake_aws import FakeAws, Refusal, install
from tests.webhook_buffer.console.sessions import Served
from webhook_buffer.cli import console as command
from webhook_buffer.composition import alarm_set
from webhook_buffer.console import reading
from webhook_buffer.console.feeds import AwsFeed
from webhook_buffer.console.published import Published
from webhook_buffer.console.state import State
from webhook_buffer.laptop.programs.process import free_port
from webhook_buffer.live.aws import POLL_SECONDS, AwsSource, Reads
from webhook_buffer.live.session import Session
from webhook_buffer.operations.budget import Budget
from webhook_buffer.operations.environment import Environment

_SETTINGS = load("prd")
_ALARMS = alarm_set(_SETTINGS)
_ACCOUNT, _API = "333333333333", "a1b2c3d4e5"
# Each request has a connection of its own: one that is refused unread is closed.
_HTTP = urllib3.PoolManager(retries=False, headers={"Connection": "close"})
_ONLY = {
    "cloudwatch.DescribeAlarms", "cloudwatch.DescribeAlarmHistory", "cloudwatch.GetMetricData",
    "logs.FilterLogEvents", "sts.GetCallerIdentity",
}  # fmt: skip
_ON = _SETTINGS.alarm_name("backend-down")
_NOW = time.time() // 60 * 60 + 5
_MESSAGE, _SECRET = "m-1", "Bearer of-a-customer"


@cache
def _reads() -> Reads:
    return reading.reads(_ALARMS, Published(_ALARMS))


@cache
def _described() -> dict[str, Any]:
    """The alarms as deployed, in the form of DescribeAlarms."""
    kinds: dict[str, list[Any]] = {"MetricAlarms": [], "CompositeAlarms": []}
    text = json.dumps(template(_ALARMS)).replace("(known once deployed)", _API)
    for resource in json.loads(text)["Resources"].values():
        kind = "CompositeAlarms" if resource["Type"].endswith("CompositeAlarm") else "MetricAlarms"
        alarm = {name: said for name, said in resource["Properties"].items() if name != "Tags"}
        alarm |= {"StateValue": "OK", "StateReason": "Threshold Crossed: none"}
        alarm["StateTransitionedTimestamp"] = datetime.fromtimestamp(_NOW - 240, UTC)
        if alarm["AlarmName"] == _ON:
            alarm["StateValue"] = "ALARM"
        kinds[kind].append(alarm)
    return kinds


def _metric_data(asked: dict[str, Any]) -> dict[str, Any]:
    """Two minutes' values of each metric that is asked for: 7 and 8."""
    last = asked["EndTime"].timestamp()
    times = [datetime.fromtimestamp(last - 60 * at, UTC) for at in (2, 1)]
    results = [
        {"Id": query["Id"], "StatusCode": "Complete", "Timestamps": times, "Values": [7.0, 8.0]}
        for query in asked["MetricDataQueries"]
    ]
    return {"MetricDataResults": results}


def _history(_: dict[str, Any]) -> dict[str, Any]:
    """A transition whose actions ran, one whose did not, and one of another team's alarm."""
    at = datetime.fromtimestamp(_NOW - 240, UTC)

    def item(name: str, kind: str, data: dict[str, Any], earlier: float = 0.0) -> dict[str, Any]:
        moment = datetime.fromtimestamp(at.timestamp() - earlier, UTC)
        return {"AlarmName": name, "AlarmType": "MetricAlarm", "Timestamp": moment,
                "HistoryItemType": kind, "HistorySummary": kind,
                "HistoryData": json.dumps(data)}  # fmt: skip

    new = {"newState": {"stateValue": "ALARM", "stateReason": "2 out of 10 datapoints"}}
    old = {"newState": {"stateValue": "OK", "stateReason": "none"}}
    acted = {"actionState": "Succeeded", "stateUpdateTimestamp": round(1000 * at.timestamp())}
    return {"AlarmHistoryItems": [
        item(_ON, "Action", acted), item(_ON, "StateUpdate", new),
        item("another-teams", "StateUpdate", new), item(_ON, "StateUpdate", old, 600.0),
    ]}  # fmt: skip


def _log(asked: dict[str, Any]) -> dict[str, Any]:
    if not asked["logGroupName"].endswith("publish"):
        return {"events": []}
    line = {"level": "INFO", "event": "webhook.queued", "message_id": _MESSAGE, "group_id": "g",
            "method": "POST", "path": "/orders", "http": {"status_code": 200}}  # fmt: skip
    return {"events": [{"timestamp": round(1000 * (_NOW - 30)), "message": json.dumps(line)}]}


def _recorded(asked: dict[str, Any]) -> dict[str, Any]:
    """The record's item of the webhook; it has no row of attempts."""
    if asked["Key"] != {"id": {"S": _MESSAGE}}:
        return {}
    request = {"headers": {"authorization": _SECRET}, "body": "{}"}
    said = {"id": _MESSAGE, "message_id": _MESSAGE, "group_id": "g", "request": json.dumps(request)}
    item = {name: {"S": value} for name, value in said.items()}
    return {"Item": item | {"received_timestamp": {"N": str(round(1000 * _NOW))}}}


def _parking_index(asked: dict[str, Any]) -> dict[str, Any]:
    """The webhook, set aside, and dropped by a person."""
    kind = asked["ExpressionAttributeValues"][":kind"]["S"]
    said = {"id": _MESSAGE, "kind": "aside", "row": "0", "group_id": "g", "reason": "refused"}
    row = {name: {"S": value} for name, value in said.items()} | {"dropped_at": {"N": "1"}}
    return {"Items": [row] if kind == "aside" else []}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    return install(
        monkeypatch, _ACCOUNT, cloudwatch_DescribeAlarms=_described(),
        cloudwatch_GetMetricData=_metric_data, cloudwatch_DescribeAlarmHistory=_history,
        logs_FilterLogEvents=_log,
        dynamodb_GetItem=_recorded,
    )  # fmt: skip


def _feed(folder: Path, calls: int = 100) -> AwsFeed:
    target = Environment(settings=_SETTINGS, folder=folder, outputs_file=folder / "o.json")
    budget = Budget(calls)
    budget.watch(target)
    source = AwsSource(target, _reads(), since=_NOW)
    return AwsFeed(target, source, reading.new_session(_ALARMS, now=_NOW), budget)


def _state(feed: AwsFeed) -> State:
    state = State(feed, _ALARMS)
    feed.poll()
    state.update()
    return state


def test_a_dashboard_has_cloudwatchs_numbers(aws: FakeAws, tmp_path: Path) -> None:
    """Each metric as it was answered, also those that a laptop has not; nothing is derived."""
    state = _state(_feed(tmp_path))
    board = state.board("cloudwatch", None, None)
    assert board is not None
    charts = [
        widget
        for group in board["widgets"]
        for widget in group["widgets"]
        if widget["type"] == "timeseries"
    ]
    assert len(charts) > 10
    assert not [chart["title"] for chart in charts if "reason" in chart or "missing" in chart]
    plain = [
        [value for value in line["values"] if value is not None]
        for chart in charts
        for line in chart["series"]
        if chart["step"] == 60
    ]
    assert [7.0, 8.0] in [values[-2:] for values in plain]
    [requests] = [chart for chart in charts if chart["title"] == "Requests"]
    refused = next(line["values"] for line in requests["series"] if line["label"] == "5xx")
    assert [value for value in refused if value is not None] == [7.0, 8.0]
    assert set(aws.names) <= _ONLY
    asked = [
        query["MetricStat"]
        for call in aws.calls
        if call.name.endswith("GetMetricData")
        for query in call.parameters["MetricDataQueries"]
    ]
    assert len(asked) == len(_reads())
    assert {"Name": "ApiId", "Value": _API} in [d for a in asked for d in a["Metric"]["Dimensions"]]


@pytest.mark.usefixtures("aws")
def test_states_and_timelines_are_cloudwatchs(tmp_path: Path) -> None:
    """With who was notified; what other teams' alarms did is not among them."""
    state = _state(_feed(tmp_path))
    document = state.verdicts()
    assert document
    first = state.alarms.listed(document)[0]
    assert (first["id"], first["state"], first["value"]) == (
        "backend-down",
        "ALARM",
        "8 % of the attempts failed",
    )
    assert state.session
    alarm = state.alarms.alarm("backend-down", state.session, document)
    assert alarm is not None
    assert [(change["state"], change["notified"]) for change in alarm["changes"]] == [
        ("ALARM", True), ("OK", False),
    ]  # fmt: skip
    assert alarm["chart"]["begun"] is None  # nothing before it was made up
    assert {change.alarm for change in state.session.timeline} == {_ON}


def test_what_is_read_again_counts_once(aws: FakeAws, tmp_path: Path) -> None:
    """The next poll asks for the last minutes only, and changes nothing that was there."""
    feed = _feed(tmp_path)
    state = _state(feed)
    feed.poll()
    state.update()
    assert state.session
    assert len(state.session.timeline) == 2
    assert len(state.session.lines) == 1
    spans = [
        (call.parameters["EndTime"] - call.parameters["StartTime"]).total_seconds()
        for call in aws.calls
        if call.name.endswith("GetMetricData")
    ]
    assert spans[0] > 23 * 3600
    assert spans[-1] <= 11 * 60


def test_a_drop_is_read_of_the_parking_table(aws: FakeAws, tmp_path: Path) -> None:
    """Once something is parked; while nothing is, the table is not asked."""
    aws.answers["dynamodb.Query"] = _parking_index
    feed = _feed(tmp_path)
    state = _state(feed)
    assert state.session
    feed.poll()
    assert "dynamodb.Query" not in {call.name for call in aws.calls}
    said = {"event": "webhook.parked", "level": "WARNING", "message_id": _MESSAGE,
            "group_id": "g", "reason": "refused", "state": "aside"}  # fmt: skip
    line = [round(1000 * _NOW), "subscribe", json.dumps(said)]
    state.session.apply({"kind": "seen", "until": _NOW, "lines": [line]})
    state.update()
    assert state.session.webhooks[_MESSAGE].state == "parked"
    for _ in range(2):
        feed.poll()
        state.update()
    assert state.session.webhooks[_MESSAGE].state == "dropped"


def test_no_request_is_read_before_it_is_asked_for(aws: FakeAws, tmp_path: Path) -> None:
    """And whatever writes is refused; other parts say why they have nothing."""
    state = _state(_feed(tmp_path))
    with Served(state, free_port()).running() as url:
        said = {
            path: _HTTP.request("GET", f"{url}api/{path}", timeout=10).json()
            for path in ("session", f"webhooks/{_MESSAGE}", "inbox", "drills", "examples")
        }
        assert set(aws.names) <= _ONLY
        assert _SECRET not in json.dumps(said)
        shown = _HTTP.request("GET", f"{url}api/webhooks/{_MESSAGE}/request", timeout=10).json()
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            for path in ("webhooks", "drills/backend-down", "drills/current", "session", "pace"):
                reply = _HTTP.request(
                    method, f"{url}api/{path}", body=b"{}", timeout=10,
                    headers={"Content-Type": "application/json", "Connection": "close"},
                )  # fmt: skip
                assert reply.status == 405, (method, path)
    assert shown["request"]["headers"] == {"authorization": _SECRET}
    assert set(aws.names) - _ONLY == {"dynamodb.GetItem"}
    assert "not run on AWS" in said["session"]["notice"]
    assert "calls within the last hour" in said["session"]["notice"]
    assert said["inbox"]["reason"]
    assert said["drills"]["reason"]


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_what_aws_refuses_is_asked_less_often(aws: FakeAws, tmp_path: Path, code: str) -> None:
    """Twice as long each time, up to ten minutes; then as before. The page keeps what it has."""
    feed = _feed(tmp_path)
    state = _state(feed)
    answered = aws.answers["logs.FilterLogEvents"]
    aws.answers["logs.FilterLogEvents"] = Refusal(code)
    assert [feed.poll() for _ in range(5)] == [120.0, 240.0, 480.0, 600.0, 600.0]
    assert "problem" in state.update()
    assert state.session
    assert state.problem
    assert code in state.problem
    aws.answers["logs.FilterLogEvents"] = answered
    assert feed.poll() == POLL_SECONDS


def test_calls_are_counted_and_bounded(aws: FakeAws, tmp_path: Path) -> None:
    """What is over the budget is not asked at all."""
    feed = _feed(tmp_path, calls=3)
    feed.poll()
    asked = len(aws.names)
    assert asked - aws.names.count("sts.GetCallerIdentity") == 3
    feed.poll()
    assert len(aws.names) == asked
    with pytest.raises(Exception, match="All 3 calls of an hour have been made"):
        feed.update()


def test_a_log_that_is_too_long_is_read_on_from_now(aws: FakeAws, tmp_path: Path) -> None:
    """Some pages at most, and that is said."""
    aws.answers["logs.FilterLogEvents"] = lambda asked: {**_log(asked), "nextToken": "more"}
    feed = _feed(tmp_path)
    _state(feed)
    assert "some were left out" in feed.said
    assert aws.names.count("logs.FilterLogEvents") <= 20


def test_what_it_costs_is_said_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the price and its source, even where the credentials are of another account."""
    fake = install(monkeypatch, "999999999999")
    with pytest.raises(Exception, match="999999999999"):
        command.show(None, "prd", None)
    said = capsys.readouterr().out
    assert f"{len(_reads())} metrics a minute" in said
    assert "an hour" in said
    assert set(fake.names) == {"sts.GetCallerIdentity"}


@pytest.mark.usefixtures("aws")
def test_a_session_of_aws_is_kept(tmp_path: Path) -> None:
    """Its file has the same numbers, and says where they are from."""
    state, file = _state(_feed(tmp_path)), tmp_path / "session.jsonl"
    assert state.session
    state.session.save(file)
    copy = Session.open(file)
    assert copy.on_aws
    assert sorted(map(str, copy.cells.stated())) == sorted(map(str, state.session.cells.stated()))
    assert copy.lines_from == state.session.lines_from
