"""What the benchmark measured, in tables: a terminal's, and the page ``docs/benchmark.md``."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring.model.signals import FailureMode
from webhook_buffer.benchmark.baselines import BASELINES
from webhook_buffer.benchmark.detection import Detection, Results
from webhook_buffer.benchmark.scenarios import BEGUN, LASTS, RECORDINGS, SCENARIOS, Scenario


def cell(scenario: Scenario, detected: Detection) -> str:
    """A detection in a few characters: minutes to the page and how many, or to the ticket."""
    if detected.notified is None:
        return "–"  # noqa: RUF001
    if detected.paged is None:
        minutes = f"{detected.notified} min"
        return f"{minutes}, no page" if scenario.page else minutes
    return f"{detected.paged} min, {detected.pages} page{'s' if detected.pages != 1 else ''}"


def summary(results: Results, name: str) -> list[str]:
    """Modes detected, users hit and paged within 3 minutes, most pages an incident, false pages."""
    hit = [
        detected
        for scenario, detected in zip(SCENARIOS, results.by_set[name], strict=True)
        if scenario.page
    ]
    soon = sum(detected.paged is not None and detected.paged <= 3 for detected in hit)
    most = max((detected.pages for detected in results.by_set[name]), default=0)
    pages, tickets = results.healthy[name]
    weeks = results.days / 7
    return [
        f"{len(results.modes(name))} of {len(FailureMode)}", f"{soon} of {len(hit)}", str(most),
        f"{pages / weeks:.1f}", f"{tickets / weeks:.1f}",
    ]  # fmt: skip


HEADS = (
    "Set", "Failure modes detected", "Users hit: paged within 3 min", "Most pages an incident",
    "False pages a week", "False tickets a week",
)  # fmt: skip


def healthy(days: int) -> str:
    """How long nothing was wrong."""
    return f"{days} healthy day{'s' if days != 1 else ''}"


def _recorded_table(results: Results, names: Sequence[str]) -> list[str]:
    ours, *others = names
    lines = [
        "",
        "## Recorded from a running buffer",
        "",
        "Failures that a laptop can show were caused in a real buffer on the emulator, under",
        "traffic, and recorded by `webhook-buffer alarms record-failures`. Each fault lasts as",
        "many minutes as the table says, so what takes longer is not seen here. Beside it the",
        "model, with a fault of the same length.",
        "",
        f"| mode | lasts | {ours}, modeled | {ours}, recorded | " + " | ".join(others) + " |",
        "|" + " --- |" * (len(names) + 3),
    ]
    for number, what in enumerate(RECORDINGS.values()):
        scenario = what.scenario
        both = [cell(scenario, detected) for detected in results.compared[ours][number]]
        rest = [cell(scenario, results.compared[name][number][1]) for name in others]
        head = [f"{scenario.mode} {scenario.title}", f"{what.lasts} min"]
        lines.append(f"| {' | '.join([*head, *both, *rest])} |")
    return lines


def markdown(results: Results) -> str:
    """The page ``docs/benchmark.md``."""
    names = list(results.by_set)
    lines = [
        "# Benchmark: how well alarms detect failures",
        "",
        "<!-- Written by `webhook-buffer alarms bench --write`; "
        "edit webhook_buffer/benchmark/, not this. -->",
        "",
        "Every failure mode of the buffer is a run of a model "
        "(`webhook_buffer/benchmark/simulation.py`) with that",
        f"fault, from minute {BEGUN} for {LASTS} minutes; {results.days} healthy days have none.",
        "The alarms are evaluated as CloudWatch documents it",
        "([alarmproof](../packages/alarmproof/docs/test.md)).",
        "[Decision 14](decisions/0014-benchmark.md) derives the model and says what it can't show.",
        "Our set includes `no-traffic` (mode 10), which an environment turns on with `traffic`.",
        "What a laptop shows was also [recorded](#recorded-from-a-running-buffer); nothing of",
        "this was recorded on AWS.",
        "",
        "| " + " | ".join(HEADS) + " |",
        "|" + " --- |" * len(HEADS),
        *("| " + " | ".join([name, *summary(results, name)]) + " |" for name in names),
        "",
        "## By failure mode",
        "",
        "Minutes from the fault to the first page (or ticket), and how many pages. A mode in bold",
        "hits users.",
        "",
        "| mode | " + " | ".join(names) + " |",
        "|" + " --- |" * (len(names) + 1),
    ]
    for number, scenario in enumerate(SCENARIOS):
        title = f"{scenario.mode} {scenario.title}"
        cells = [cell(scenario, results.by_set[name][number]) for name in names]
        lines.append(f"| {f'**{title}**' if scenario.page else title} | {' | '.join(cells)} |")
    lines += _recorded_table(results, names)
    lines += ["", "## Sources of the other projects' numbers", ""]
    lines += [f"- **{baseline.name}**: {baseline.source}." for baseline in BASELINES]
    return "\n".join(lines) + "\n"
