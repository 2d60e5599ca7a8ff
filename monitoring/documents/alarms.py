"""``docs/alarms.md``, generated from the signals by ``make docs``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from monitoring import cost, wording
from monitoring.alarm_set import Alarm, AlarmSet, CompositeAlarm
from monitoring.model import metrics
from monitoring.model.signals import FailureMode
from monitoring.quantities import quantity
from settings import paths

FILE = paths.ROOT / "docs" / "alarms.md"
COMMAND = "make docs"
ENVIRONMENT = "prd"

_INTRO = f"""\
# Alarms

<!-- Written by `{COMMAND}`; edit alarms/, not this file. -->

All alarms of an environment with default settings, such as `{ENVIRONMENT}`. They are defined in
`alarms/`; [add-an-alarm.md](add-an-alarm.md) shows how. [runbook.md](runbook.md) says what to do
when an alarm fires, and [settings.md](settings.md) how an environment changes a threshold or a
severity, or turns an alarm off.

A **page** wakes somebody up, a **ticket** is looked at the same day, **info** is only shown. An
alarm that is part of an incident (a composite) does not notify by itself; the incident does, once.
A signal that Datadog evaluates as well has a monitor there; the monitors that only Datadog has are
in [datadog-objects.md](datadog-objects.md).
"""


def alarms_markdown(alarms: AlarmSet) -> str:
    """The whole page.

    Args:
        alarms: of an environment with default settings.
    """
    return "\n".join(
        [
            _INTRO,
            _section("Coverage", _coverage(alarms)),
            _section("Signals", _signals(alarms), _left_out(alarms)),
            _section("Thresholds and reasons", _reasons(alarms)),
            _section("Incidents", _incidents_intro(), _incidents(alarms.composites)),
            _section(
                "Metrics of the functions",
                f"In namespace `{metrics.NAMESPACE}`, by `service` and `env`; others are AWS's.",
                _metrics(),
            ),
            _section("Cost", _cost(alarms), _prices()),
        ]
    )


def _section(title: str, *parts: str) -> str:
    return "\n\n".join([f"## {title}", *(part for part in parts if part)]) + "\n"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    cells = ([cell.replace("|", r"\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _dollars(amount: float) -> str:
    return f"{amount:.2f}"


def _link(alarm: Alarm) -> str:
    return f"[{alarm.signal.id}](runbook.md#{alarm.signal.runbook})"


def _coverage(alarms: AlarmSet) -> str:
    return _table(
        ["#", "failure mode", "signals"],
        (
            [
                str(mode),
                mode.description,
                ", ".join(_link(one) for one in alarms.alarms if mode in one.signal.covers)
                or _opt_in(alarms, mode),
            ]
            for mode in FailureMode
        ),
    )


def _opt_in(alarms: AlarmSet, mode: FailureMode) -> str:
    """Signals of a failure mode that this environment leaves out, and why."""
    return "; ".join(
        f"`{signal.id}`: {alarms.left_out[signal.id]}"
        for signal in alarms.catalog.signals
        if mode in signal.covers and signal.id in alarms.left_out
    )


def _signals(alarms: AlarmSet) -> str:
    return _table(
        [
            "signal",
            "what is wrong",
            "fires when",
            "severity",
            "notified by",
            "evaluated by",
            "covers",
            "no data",
            "$",
        ],
        (
            [
                _link(one),
                one.signal.title,
                wording.condition(one),
                one.severity.value,
                incident.composite.id if (incident := alarms.incident(one.signal.id)) else "itself",
                wording.EVALUATORS[one.signal.evaluated_by],
                ", ".join(map(str, one.signal.covers)),
                wording.missing(one),
                _dollars(cost.of_alarm(one)),
            ]
            for one in alarms.alarms
        ),
    )


def _left_out(alarms: AlarmSet) -> str:
    return "\n".join(
        f"Not here: `{name}`, because {reason}." for name, reason in alarms.left_out.items()
    )


def _reasons(alarms: AlarmSet) -> str:
    return _table(
        ["signal", "threshold", "why", "why for no data"],
        (
            [
                one.signal.id,
                _threshold(one),
                one.signal.threshold.reason,
                one.signal.missing_reason,
            ]
            for one in alarms.alarms
        ),
    )


def _threshold(alarm: Alarm) -> str:
    threshold = alarm.signal.threshold
    shown = quantity(alarm.threshold, threshold.unit)
    return f"{shown} ({threshold.value:g} × {threshold.of})" if threshold.of else shown  # noqa: RUF001


def _incidents_intro() -> str:
    return (
        "An incident is on while any of its parts is. It is suppressed while another one is on: it "
        "waits for that incident to start, and for a while after it has ended."
    )


def _incidents(composites: Iterable[CompositeAlarm]) -> str:
    return _table(
        ["incident", "what is wrong", "severity", "parts", "suppressed by", "waits", "$"],
        (_incident(one) for one in composites),
    )


def _incident(alarm: CompositeAlarm) -> list[str]:
    of = alarm.composite
    parts = wording.parts(alarm)
    wait = quantity(of.wait, "Seconds")
    after = quantity(of.extension, "Seconds")
    return [
        f"[{of.id}](runbook.md#{of.id})",
        of.title,
        alarm.severity.value,
        parts,
        of.suppressed_by or "–",  # noqa: RUF001
        f"{wait} before, {after} after" if of.suppressed_by else "–",  # noqa: RUF001
        _dollars(cost.PRICES["composite alarm"].amount),
    ]


def _metrics() -> str:
    return _table(
        ["metric", "unit", "written"],
        ([f"`{one.name}`", one.unit, one.written] for one in metrics.OURS),
    )


def _cost(alarms: AlarmSet) -> str:
    lines = cost.monthly(alarms)
    rows = [[one.part, one.quantity, _dollars(one.amount), one.remark] for one in lines]
    rows.append(["**all**", "", f"**{_dollars(cost.total(lines))}**", ""])
    return (
        "US dollars for a month of 30 days with traffic and without incidents, at list prices of "
        "us-east-1, without free tiers.\n\n" + _table(["part", "quantity", "$", "remark"], rows)
    )


def _prices() -> str:
    return (
        "Sources of the prices. None of these is AWS's own page: check there before you rely on a "
        "price.\n\n"
        + _table(
            ["price of", "$", "source", "date"],
            ([_unit(one), f"{one.amount:g}", one.source, one.date] for one in cost.PRICES.values()),
        )
    )


def _unit(price: cost.Price) -> str:
    return price.per if price.units == 1 else f"{price.units:,} {price.per}"


def write(alarms: AlarmSet, file: Path = FILE) -> None:
    """Writes the page.

    Args:
        alarms: of an environment with default settings.
    """
    file.write_text(alarms_markdown(alarms), "utf-8")
