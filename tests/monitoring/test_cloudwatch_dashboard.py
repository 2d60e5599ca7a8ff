"""The dashboard shows what is there, with each threshold from its alarm."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import pytest

from dashboards.cloudwatch import buffer, existing, notifications
from monitoring.alarm_set import PROBE, AlarmSet, alarm_set
from monitoring.cloudwatch import dashboard
from monitoring.model.dashboards import Formula, Line, Panel, Section
from monitoring.model.signals import Kind, variables
from monitoring.quantities import quantity
from monitoring.resources import resources
from settings.loader import environments, load
from settings.schema import Settings

EXISTING: dict[str, Any] = {
    "backend_url": None,
    "existing": {
        "queues": [{"name": "orders.fifo", "role": "orders"}],
        "functions": [{"name": "worker", "role": "worker", "timeoutSeconds": 30}],
        "apis": [{"name": "shop", "role": "shop", "kind": "rest"}],
        "tables": [{"name": "stock", "role": "stock"}],
    },
}
ONLY_A_QUEUE: dict[str, Any] = {
    "backend_url": None,
    "existing": {"queues": [{"name": "q", "role": "orders"}]},
}
TRAFFIC: dict[str, Any] = {"traffic": {}}
# Signals whose threshold is on no graph: a duplicate of what stands beside it, or a number that
# no graph has. Each with its reason.
UNDRAWN = {
    "backend-redirects": "one in 5 minutes, while the panel of answers has minutes",
    "consumer-stopped": "one waiting message, in a panel that reaches to thousands",
    "no-traffic": "none in half an hour, while the panel has five minutes",
    "dropped-duplicates": "one in 5 minutes, in a panel of minutes",
    "slo-accepted-fast-short": "the same number as the long window's",
    "slo-accepted-slow-short": "the same number as the long window's",
    "slo-delivered-fast-short": "the same number as the long window's",
    "slo-delivered-slow-short": "the same number as the long window's",
}
CASES: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in environments()),
    ("stg", EXISTING),
    ("stg", ONLY_A_QUEUE),
    ("stg", {"heartbeat": "off"}),
    ("stg", TRAFFIC),
]


def _set(environment: str = "stg", **overrides: Any) -> AlarmSet:
    return alarm_set(load(environment, overrides=overrides))


def _widgets(found: AlarmSet, kind: str = "") -> list[dict[str, Any]]:
    body = dashboard.body(found, region="eu-west-1", account="123456789012")
    widgets: list[dict[str, Any]] = body["widgets"]
    return [widget for widget in widgets if kind in ("", widget["type"])]


def _panel(found: AlarmSet, title: str) -> dict[str, Any]:
    [one] = [w for w in _widgets(found, "metric") if w["properties"]["title"] == title]
    properties: dict[str, Any] = one["properties"]
    return properties


def _lines(panel: dict[str, Any]) -> dict[str, float]:
    across = panel.get("annotations", {"horizontal": []})["horizontal"]
    return {line["label"]: line["value"] for line in across}


def _headings(found: AlarmSet) -> list[str]:
    texts = [widget["properties"]["markdown"] for widget in _widgets(found, "text")]
    return [text.removeprefix("## ") for text in texts if text.startswith("## ")]


def _sections(settings: Settings) -> list[Section]:
    return [*buffer(settings), notifications()]


def _panels(settings: Settings) -> list[Panel]:
    return [panel for one in _sections(settings) for row in one.rows for panel in row]


@pytest.mark.parametrize(("environment", "overrides"), CASES)
def test_widgets_lie_on_the_grid_side_by_side(environment: str, overrides: dict[str, Any]) -> None:
    """Every widget is within the 24 columns and none covers another."""
    widgets = _widgets(_set(environment, **overrides))
    for one in widgets:
        assert one["x"] >= 0
        assert one["width"] >= 1
        assert one["height"] >= 1
        assert one["x"] + one["width"] <= 24
    for one, other in combinations(widgets, 2):
        beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        above = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
        assert beside or above, (one, other)


@pytest.mark.parametrize(("environment", "overrides"), CASES)
def test_metric_widgets_are_complete(environment: str, overrides: dict[str, Any]) -> None:
    """Each graph says where, what, how often, how, and in which unit."""
    widgets = _widgets(_set(environment, **overrides), "metric")
    assert widgets
    for widget in widgets:
        properties = widget["properties"]
        assert properties["region"] == "eu-west-1"
        assert properties["title"]
        assert properties["period"] % 60 == 0
        assert properties["view"] in ("timeSeries", "singleValue")
        assert properties["yAxis"]["left"]["label"]
        assert properties["metrics"]


@pytest.mark.parametrize(("environment", "overrides"), CASES)
def test_it_is_json_without_blanks(environment: str, overrides: dict[str, Any]) -> None:
    """The body is plain JSON in which every fact is filled in."""
    found = _set(environment, **overrides)
    text = json.dumps(dashboard.body(found, region="eu-west-1", account="123456789012"))
    assert json.loads(text)
    assert "{slo" not in text
    assert "{subscribe" not in text


@pytest.mark.parametrize(("environment", "overrides"), CASES)
def test_only_what_is_there_is_shown(environment: str, overrides: dict[str, Any]) -> None:
    """Every metric of a graph is of a resource of this environment."""
    found = _set(environment, **overrides)
    known = {
        pair for one in found.resources.by_role.values() for pair in one.dimensions.items()
    } | {("Operation", "UpdateItem")}
    for widget in _widgets(found, "metric"):
        for metric in widget["properties"]["metrics"]:
            if len(metric) == 1:
                continue
            _, name, *dimensions, _ = metric
            pairs = set(zip(dimensions[::2], dimensions[1::2], strict=True))
            assert pairs <= known
            assert pairs or "-log-" in name


def test_it_goes_from_users_to_parts() -> None:
    """First what users notice, then what waits, then the parts, then everything."""
    assert _headings(_set()) == [
        "Are senders served?",
        "Do webhooks arrive?",
        "What waits?",
        "Functions",
        "The record",
        "Does the watching work?",
        "Do notifications arrive?",
        "All alarms",
    ]
    first, second, *_ = _widgets(_set())
    assert first["type"] == "text"
    assert second["type"] == "alarm"


def test_incidents_and_pages_stand_at_the_top() -> None:
    """The first thing to see is whether anything that wakes somebody is on."""
    found = _set()
    top = _widgets(found, "alarm")[0]["properties"]["alarms"]
    names = [arn.removeprefix("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:") for arn in top]
    composites = [one.name for one in found.composites]
    assert names[: len(composites)] == composites
    pages = {alarm.name for alarm in found.alarms if alarm.severity.value == "page"}
    assert set(names[len(composites) :]) == pages


def test_all_alarms_stand_at_the_bottom() -> None:
    """Every alarm's state is shown, and the probe, which watches nothing, is not."""
    found = _set()
    shown = {arn.rpartition(":")[2] for arn in _widgets(found, "alarm")[-1]["properties"]["alarms"]}
    alarms = {alarm.name for alarm in found.alarms}
    assert shown == alarms | {composite.name for composite in found.composites}
    assert not any(PROBE in name for name in shown)


def test_many_alarms_take_several_widgets() -> None:
    """CloudWatch shows 100 alarms in a widget at most; the rest gets another."""
    functions = [
        {"name": f"f{number}", "role": f"f{number}", "timeoutSeconds": 30} for number in range(30)
    ]
    found = _set(backend_url=None, existing={"functions": functions})
    lengths = [len(one["properties"]["alarms"]) for one in _widgets(found, "alarm")]
    assert max(lengths) <= 100
    assert sum(lengths[1:]) == len(found.alarms) > 100


@pytest.mark.parametrize(
    ("title", "signal", "label"),
    [
        ("Age of the oldest message", "queue-age-page", "queue-age-page (page): {}"),
        ("Share of requests not taken", "api-5xx", "api-5xx (page): {}"),
        ("subscribe: duration", "subscribe-duration", "subscribe-duration (ticket): {}"),
        ("How long the backend takes", "backend-slow", "backend-slow (ticket): {}"),
        (
            "Time to drain, at the last minute's rate",
            "backlog-growing",
            "backlog-growing (ticket): {}",
        ),
    ],
)
def test_thresholds_are_the_alarms_own(title: str, signal: str, label: str) -> None:
    """A line is where its alarm fires, and says whose it is and how bad."""
    found = _set()
    alarm = found.alarm(signal)
    assert alarm
    label = label.format(quantity(alarm.threshold, alarm.signal.threshold.unit))
    assert _lines(_panel(found, title))[label] == alarm.threshold


def test_a_changed_threshold_moves_its_line() -> None:
    """What an environment changes in an alarm shows on its dashboard."""
    changes = {"queue-age-page": {"threshold": 1200, "severity": "ticket"}}
    panel = _panel(_set(alarms=changes), "Age of the oldest message")
    assert _lines(panel)["queue-age-page (ticket): 20 min"] == 1200


def test_a_switched_off_alarm_has_no_line() -> None:
    """Where there is no alarm, no line claims one."""
    panel = _panel(_set(alarms={"queue-age-page": {"enabled": False}}), "Age of the oldest message")
    assert list(_lines(panel)) == ["queue-age-ticket (ticket): 5 min"]


def test_limits_are_drawn_in_the_graph_s_unit() -> None:
    """Timeouts, targets and retention stand beside the thresholds, converted."""
    found = _set()
    assert _lines(_panel(found, "publish: duration"))["timeout: 10 s"] == 10_000
    assert _lines(_panel(found, "From receipt to delivery"))["target: 5 min"] == 300_000
    retention = "Age of the oldest message, against its retention"
    assert _lines(_panel(found, retention))["it vanishes: 14 d"] == 1_209_600


def test_lines_that_fall_together_share_a_label() -> None:
    """Two labels on one spot can't be read; the worse severity gives the colour."""
    panel = _panel(_set(), "subscribe: concurrency")
    [line] = panel["annotations"]["horizontal"]
    assert line["label"] == "subscribe-concurrency (info), limit: 10"
    assert line["color"] == "#1f77b4"
    changes = {"api-4xx": {"threshold": 5}}
    [line] = _panel(_set(alarms=changes), "Share of requests not taken")["annotations"][
        "horizontal"
    ]
    assert line["label"] == "api-4xx (ticket), api-5xx (page): 5 %"
    assert line["color"] == "#d62728"
    changes = {"publish-duration": {"threshold": 10_000}}
    [line] = _panel(_set(alarms=changes), "publish: duration")["annotations"]["horizontal"]
    assert line["label"] == "publish-duration (ticket), timeout: 10 s"
    assert line["color"] == "#ff7f0e"


@pytest.mark.parametrize("overrides", [TRAFFIC, EXISTING])
def test_reasons_not_to_draw_a_threshold_are_used(overrides: dict[str, Any]) -> None:
    """A signal that is said to have no line has none; a new one need not be drawn at once."""
    found = _set(**overrides)
    labels = " ".join(label for w in _widgets(found, "metric") for label in _lines(w["properties"]))
    missing = {alarm.signal.id for alarm in found.alarms if f"{alarm.signal.id} (" not in labels}
    if found.resources.ours:
        assert missing >= UNDRAWN.keys()
    else:
        assert missing == {"orders-consumer-stopped"}


def test_counts_are_drawn_over_the_period_they_are_for() -> None:
    """A threshold for a sum is drawn where sums are over the alarm's own period."""
    found = _set(**TRAFFIC)
    for panel in _panels(found.settings):
        period = panel.period
        if isinstance(period, str):
            period = round(found.resources.fact(period).value)
        for name in panel.signals:
            alarm = found.alarm(name)
            assert alarm
            statistics = {one.statistic for one in alarm.measures.values()}
            # One or none is the same over any period.
            if panel.unit == "Count" and "Sum" in statistics and alarm.threshold > 1:
                assert alarm.period == period, f"{panel.title}: {name}"


def test_panels_name_only_signals_that_exist() -> None:
    """No panel draws the line of a signal that is misspelt."""
    found = _set(**TRAFFIC)
    for panel in _panels(found.settings):
        assert all(found.alarm(name) for name in panel.signals)
    theirs = _set(**EXISTING)
    for resource in theirs.resources.by_role.values():
        section = existing(resource.role, resource.kind)
        if section and resource.role not in ("notify", "notify-dlq"):
            for panel in (panel for row in section.rows for panel in row):
                assert all(theirs.alarm(name) for name in panel.signals), panel.title


def test_formulas_use_their_panel_s_lines() -> None:
    """Every id in a formula is a line of the same panel, and every hidden line is used."""
    found = _panels(load("stg"))
    for kind in (Kind.QUEUE, Kind.REST_API):
        section = existing("theirs", kind)
        assert section
        found += [panel for row in section.rows for panel in row]
    for panel in found:
        ids = {line.id for line in panel.lines if isinstance(line, Line) and line.id}
        formulas = [line.expression for line in panel.lines if isinstance(line, Formula)]
        used = {name for expression in formulas for name in variables(expression)}
        assert used == ids, panel.title


def test_a_threshold_in_another_unit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds on an axis of milliseconds would be a line in the wrong place."""
    wrong = Panel(title="Wrong", unit="Milliseconds", lines=(), signals=("queue-age-page",))
    monkeypatch.setattr(dashboard, "notifications", lambda: Section("Wrong", ((wrong,),)))
    with pytest.raises(ValueError, match="panel 'Wrong' is in Milliseconds, but the threshold of "):
        _widgets(_set())


def test_outcomes_are_stacked_and_the_slo_is_one_number() -> None:
    """Outcomes add up to all attempts; objectives are told over the time shown."""
    found = _set()
    outcomes = _panel(found, "Attempts, by what the backend answered")
    assert outcomes["stacked"] is True
    assert [metric[1] for metric in outcomes["metrics"]] == [
        "Backend2xx",
        "Backend3xx",
        "Backend4xx",
        "Backend5xx",
        "BackendTimeout",
        "BackendConnectionError",
    ]
    accepted = _panel(found, "Accepted, over the time shown")
    assert accepted["view"] == "singleValue"
    assert accepted["setPeriodToTimeRange"] is True
    assert accepted["metrics"][-1][0]["label"] == "accepted; 0.1 % may be refused"
    delivered = _panel(found, "Delivered in time, over the time shown")
    assert delivered["metrics"][0][-1]["stat"] == "PR(:300000)"


def test_dimensions_are_flat_and_log_metrics_have_none() -> None:
    """A metric is namespace, name, dimensions in pairs, then how it is shown."""
    found = _set()
    assert _panel(found, "Records not written")["metrics"] == [
        [
            "WebhookBuffer",
            "RecordFailed",
            "service",
            "webhook-buffer",
            "env",
            "stg",
            {"stat": "Sum", "label": "not written", "color": "#d62728"},
        ]
    ]
    log = _panel(found, "publish: log")["metrics"][0]
    alarm = found.alarm("publish-log-errors")
    assert alarm
    [measure] = alarm.measures.values()
    assert log[:-1] == [measure.namespace, measure.name]


def test_the_api_s_id_may_be_a_token() -> None:
    """What the API's id is only the deployment knows; it stands in the body as it came."""
    settings = load("stg")
    found = alarm_set(settings, resources(settings, api_id="${Token[API.1]}"))
    assert _panel(found, "Requests")["metrics"][0][2:4] == ["ApiId", "${Token[API.1]}"]


def test_existing_resources_have_a_section_each() -> None:
    """Where only a queue is watched, only a queue is shown, and whether notifications arrive."""
    assert _headings(_set(**ONLY_A_QUEUE)) == [
        "Queue orders",
        "Do notifications arrive?",
        "All alarms",
    ]
    assert _headings(_set(**EXISTING))[:4] == [
        "Queue orders",
        "Function worker",
        "API shop",
        "Table stock",
    ]


def test_a_role_that_only_begins_like_the_monitoring_s_is_shown() -> None:
    """A function called notify-customers is not the one that notifies us."""
    functions = [{"name": "n", "role": "notify-customers", "timeoutSeconds": 30}]
    found = _set(backend_url=None, existing={"functions": functions})
    assert _headings(found)[0] == "Function notify-customers"


def test_without_heartbeat_none_is_shown() -> None:
    """A panel of heartbeats that nobody sends would only puzzle."""
    titles = {w["properties"]["title"] for w in _widgets(_set(heartbeat="off"), "metric")}
    assert "Heartbeats that came through" not in titles
    assert "Heartbeats that came through" in {
        w["properties"]["title"] for w in _widgets(_set(), "metric")
    }


def test_the_runbook_is_linked_where_it_is_a_url() -> None:
    """The console follows links into a runbook on the web, and shows the name of any other."""
    linked = _set(runbookUrl="https://example.com/runbook")
    first, *_, last = _widgets(linked, "text")
    assert "[Runbook](https://example.com/runbook)" in first["properties"]["markdown"]
    links = last["properties"]["markdown"]
    for heading in {alarm.signal.runbook for alarm in linked.alarms}:
        assert f"[{heading}](https://example.com/runbook#{heading})" in links
    assert "[senders-refused](https://example.com/runbook#senders-refused)" in links
    first, *_, last = _widgets(_set(), "text")
    assert "Runbook: `docs/runbook.md`" in first["properties"]["markdown"]
    assert "](" not in last["properties"]["markdown"]
