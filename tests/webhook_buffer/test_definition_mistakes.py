"""Whatever is wrong with a definition, the list has it: once, with its name, and no traceback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from monitoring.model import metrics
from monitoring.model.catalog import Catalog
from monitoring.model.dashboards import (
    Board,
    Dashboards,
    EventList,
    Formula,
    Line,
    LogCount,
    Panel,
    Section,
    Widget,
)
from monitoring.model.datadog import LogQuery, MetricQuery
from monitoring.model.signals import Query, Threshold
from settings.errors import DefinitionError
from settings.loader import load
from tests.dashboard_fixtures import CATALOG, DATADOG
from webhook_buffer import composition

_SIGNAL, *_SIGNALS = CATALOG.signals
_MONITOR, *_MONITORS = CATALOG.monitors
_QUERY = Query(metrics.QUEUE_AGE, "Maximum", "queue")
_AGE = Line("age", _QUERY, _QUERY, id="age")
_PANEL = Panel(title="Age", unit="Seconds", lines=(_AGE,))


def _signal(**changes: Any) -> Catalog:
    return replace(CATALOG, signals=(replace(_SIGNAL, **changes), *_SIGNALS))


def _threshold(**changes: Any) -> Catalog:
    return _signal(threshold=replace(_SIGNAL.threshold, **changes))


def _monitor(**changes: Any) -> Catalog:
    return replace(CATALOG, monitors=(replace(_MONITOR, **changes), *_MONITORS))


def _logs(search: str, **changes: Any) -> Catalog:
    changes = {"queries": {"lines": LogQuery(search)}, "by": ("@where",), **changes}
    threshold = Threshold(3, "Count", "Test.")
    return _monitor(window=300, reading="{value} lines", threshold=threshold, **changes)


def _showing(*widgets: Widget) -> Dashboards:
    sections = (Section("Mine", (widgets,)),)
    return Dashboards(
        cloudwatch=lambda _: sections, datadog=lambda _: (Board("mine", "Mine", "Test.", sections),)
    )


def _panel(**changes: Any) -> Dashboards:
    return _showing(replace(_PANEL, **changes))


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Catalog, Dashboards], list[str]]:
    """What ``alarms list`` says of definitions."""

    def problems(catalog: Catalog, dashboards: Dashboards) -> list[str]:
        monkeypatch.setattr(composition, "CATALOG", catalog)
        monkeypatch.setattr(composition, "DASHBOARDS", dashboards)
        with pytest.raises(DefinitionError) as caught:
            composition.checked(load("local", overrides={"datadog": DATADOG}))
        return caught.value.problems

    return problems


_OF_SIGNALS = {
    "threshold.value: is None; write a number": _threshold(value=None),
    "threshold.value: is '0.8'; write a number": _threshold(value="0.8"),
    "threshold.value: is nan, which is not a finite number; write a number": _threshold(
        value=float("nan")
    ),
    "threshold: is 3; write Threshold(…)": _signal(threshold=3),
    "threshold: -1 must be more than 0": _threshold(value=-1),
    "datapoints: is '3'; write a whole number": _signal(datapoints="3"),
    "datapoints: is True; write a whole number": _signal(datapoints=True),
    "severity: is 'page'; write Severity.PAGE": _signal(severity="page"),
    "severity: is 'wake'; write Severity.PAGE or Severity.TICKET or Severity.INFO": _signal(
        severity="wake"
    ),
    "covers: is <FailureMode.BACKEND_SLOW: 3>; write a tuple, as in (first, second) or (only,)": (
        _signal(covers=_SIGNAL.covers[0])
    ),
    "queries.value: is 'age'; write Query(…)": _signal(queries={"value": "age"}),
    "queries.value.metric: is 'age'; write Metric(…)": _signal(
        queries={"value": Query("age", "Maximum", "queue")}  # type: ignore[arg-type]
    ),
    "opt_in: is 3; write a text or None": _signal(opt_in=3),
    "opt_in: there is no setting 'trafic'; docs/settings.md lists them": _signal(opt_in="trafic"),
    "expression 'FILL(value, 0': it ends too early at character 14; correct it": _signal(
        expression="FILL(value, 0"
    ),
    "log: no resource has the role 'subscrib'; use one of": _signal(log="subscrib"),
}
_OF_MONITORS = {
    "monitor 'costly': window: is 3.5; write a whole number or a text": _monitor(window=3.5),
    "monitor 'costly': threshold: 0 must be more than 0": _monitor(
        threshold=Threshold(0, "US dollars", "Test.")
    ),
    "monitor 'costly': unknown unit 'Euros'; use one of Count,": _monitor(
        threshold=Threshold(3, "Euros", "Test."),
        queries={"cost": LogQuery()},
    ),
    "monitor 'costly': query 'cost': monitoring/datadog/metrics.py has no metric 'cost'": _monitor(
        queries={"cost": MetricQuery("cost")}
    ),
    "environment 'local': monitor costly: query: has brackets or quotes that are not balanced": (
        _logs("@event:(failed", title="It fails at {{@where.name}}")
    ),
    "monitor 'costly': title: {{@wehre.name}} is not what it is grouped by; write {{@where": _logs(
        "@event:failed", title="It fails at {{@wehre.name}}"
    ),
}
_OF_DASHBOARDS = {
    "dashboard panel 'Age', unit: unknown unit 'Millis'; use one of Count,": _panel(unit="Millis"),
    "dashboard panel 'Age', lines: is empty; name a metric": _panel(lines=()),
    "dashboard panel 'Age', lines.0: is 'age'; write Line(…) or Formula(…)": _panel(lines=("age",)),
    "dashboard panel 'Age', lines.0.label: is None; write a text": _panel(
        lines=(replace(_AGE, label=None),)  # type: ignore[arg-type]
    ),
    "dashboard panel 'Age', formula 'half': expression 'age / / 2': '/' is not expected": _panel(
        lines=(_AGE, Formula("age / / 2", "half"))
    ),
    "dashboard panel 'Age', formula 'half': can't be read; are its brackets balanced? age / / 2": (
        _panel(lines=(replace(_AGE, cloudwatch=None), Formula("age / / 2", "half")))
    ),
    "dashboard panel 'Age', budget: 'slo.budget' is not a fact of this environment": _panel(
        number=True, budget="slo.budget"
    ),
    "dashboard panel 'Age', monitors: is None; write a tuple": _panel(monitors=None),
    "dashboard panel 'Age', line 'failed': has brackets or quotes that are not balanced": _panel(
        lines=(Line("failed", datadog=LogCount("@event:(failed")),)
    ),
    "dashboard panel 'Age', line 'age': this environment has no 'queeu'": _panel(
        lines=(Line("age", replace(_QUERY, role="queeu"), replace(_QUERY, role="queeu")),)
    ),
    "dashboard panel 'Age', title: the dashboard 'cloudwatch' has several": Dashboards(
        cloudwatch=lambda _: (Section("Mine", ((_PANEL, _PANEL),)),), datadog=lambda _: ()
    ),
    "dashboard EventList 'Events', search: has brackets or quotes that are not": _showing(
        EventList("Events", "source:(x")
    ),
    "dashboard 'cloudwatch', sections.0.rows.0: is EventList(": Dashboards(
        cloudwatch=lambda _: (Section("Mine", (EventList("E", ""),)),),  # type: ignore[arg-type]
        datadog=lambda _: (),
    ),
}


@pytest.mark.parametrize(
    ("expected", "catalog", "dashboards"),
    [
        *(
            (f"signal 'waits': {text}", wrong, _showing(_PANEL))
            for text, wrong in _OF_SIGNALS.items()
        ),
        *((text, wrong, _showing(_PANEL)) for text, wrong in _OF_MONITORS.items()),
        *((text, CATALOG, wrong) for text, wrong in _OF_DASHBOARDS.items()),
    ],
)
def test_a_mistake_is_one_line(
    expected: str,
    catalog: Catalog,
    dashboards: Dashboards,
    listed: Callable[[Catalog, Dashboards], list[str]],
) -> None:
    """It names the definition and the field, and nothing follows from it."""
    [problem] = listed(catalog, dashboards)
    assert problem.startswith(expected)


def test_eight_mistakes_are_eight_lines(
    listed: Callable[[Catalog, Dashboards], list[str]],
) -> None:
    """Mistyped values, numbers, expressions, roles, metrics, searches and panels, all at once."""
    first, second, third, *_ = CATALOG.signals
    late = replace(_MONITOR, id="late", queries={"late": MetricQuery("latee")})
    [failing] = _logs("@event:(failed", id="failing").monitors[:1]
    catalog = replace(
        CATALOG,
        signals=(
            replace(first, datapoints="3"),  # type: ignore[arg-type]
            replace(
                second, expression="FILL(value, 0", threshold=replace(second.threshold, value=-1)
            ),
            replace(third, log="publsih"),
        ),
        monitors=(late, failing),
    )
    dashboards = _showing(
        replace(_PANEL, unit="Millis", signals=(first.id,)),
        replace(_PANEL, title="Half", lines=(_AGE, Formula("age / / 2", "half"))),
    )
    beginnings = [
        "signal 'waits': datapoints: is '3'",
        "signal 'waits-a-bit': threshold: -1 must",
        "signal 'waits-a-bit': expression 'FILL(value, 0'",
        "signal 'slow': log: no resource has the role 'publsih'",
        "dashboard panel 'Age', unit: unknown unit 'Millis'",
        "dashboard panel 'Half', formula 'half': expression 'age / / 2'",
        "monitor 'late': query 'late': monitoring/datadog/metrics.py has no metric 'latee'",
        "environment 'local': monitor failing: query: has brackets",
    ]
    problems = listed(catalog, dashboards)
    assert [
        problem[: len(beginning)] for problem, beginning in zip(problems, beginnings, strict=True)
    ] == beginnings
