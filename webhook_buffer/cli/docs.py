"""``make docs``: regenerates what is generated, whole files and parts of files.

A part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from alarmproof import template
from alarmproof.base.math_functions import functions_table
from alarmproof.lint import rules_table

from alarms import CATALOG
from alarms.recommended import RECOMMENDATIONS
from dashboards.recommended import CHARTED
from lambdas.sources.providers import PROVIDERS
from monitoring import cost
from monitoring.cloudwatch.alarms import template as own
from monitoring.documents import ENVIRONMENT, alarms, datadog, recommended, runbook, settings
from monitoring.model.signals import FailureMode
from settings.errors import InputError
from settings.loader import load
from settings.paths import ROOT, RUNBOOK
from webhook_buffer.benchmark.detection import first_signals
from webhook_buffer.benchmark.scenarios import RECORDINGS
from webhook_buffer.cli import permissions, preflight, sources_page, webhook_costs
from webhook_buffer.cli.app import app
from webhook_buffer.cli.benchmark import bench
from webhook_buffer.composition import alarm_set, definitions
from webhook_buffer.laptop.drills import report
from webhook_buffer.laptop.drills.verdict import Result
from webhook_buffer.operations.files import write

_DOCS = ROOT / "docs"
_ALARMPROOF = ROOT / "packages" / "alarmproof" / "docs"
BENCHMARK = _DOCS / "benchmark.md"
# Results of the drills that were kept: ``make drills``, then copies of its files.
DRILLS = _DOCS / "drills"
# Columns of the benchmark's first table that the README shows.
_COLUMNS = 5
# Providers that the README names before it counts the others.
_NAMED_PROVIDERS = {"github", "stripe", "slack"}


def main() -> None:
    """Writes every generated file that is out of date, the benchmark's page first."""
    bench(env=ENVIRONMENT, days=30, write=True)
    refresh()


def refresh() -> None:
    """Writes what is out of date, except the slow benchmark page."""
    wanted = generated()
    changed = [file for file, text in wanted.items() if not file.exists() or _read(file) != text]
    for file in changed:
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file, wanted[file])
    old = stale(wanted)
    for file in old:
        file.unlink()
    for file in [*changed, *old]:
        print(f"{'Deleted' if file in old else 'Written'}: {file.relative_to(ROOT)}")
    print(f"{len(wanted)} generated files are up to date.")


def generated() -> Mapping[Path, str]:
    """The text of every file with something generated, except the slow benchmark page.

    Raises:
        InputError: When a file lacks the markers of its part.
    """
    ours = alarm_set(load(ENVIRONMENT))
    published = definitions(datadog.example())
    pages = {
        alarms.FILE: alarms.alarms_markdown(ours),
        datadog.FOLDER.with_name("datadog-objects.md"): datadog.index(published),
        recommended.FILE: recommended.markdown(RECOMMENDATIONS, CATALOG, CHARTED, published),
        RUNBOOK: runbook.refreshed(_read(RUNBOOK), runbook.sources(CATALOG)),
    }
    objects = {datadog.FOLDER / name: text for name, text in datadog.files(published).items()}
    parts = {
        settings.FILE: settings.tables(),
        sources_page.FILE: sources_page.parts(),
        permissions.FILE: permissions.parts(app),
        webhook_costs.FILE: webhook_costs.parts(),
        permissions.ACCOUNT: permissions.account_parts(),
        preflight.FILE: preflight.parts(),
        _DOCS / "drills.md": {"results": _drills()},
        _ALARMPROOF / "lint.md": {"rules": rules_table()},
        _ALARMPROOF / "test.md": {"functions": functions_table()},
        ROOT / "README.md": {
            "failure modes": str(len(FailureMode)),
            "further providers": str(len(PROVIDERS.keys() - _NAMED_PROVIDERS)),
            "recordings": str(len(RECORDINGS)),
            "cost": f"${cost.total(cost.monthly(ours)):.2f}",
            "benchmark": _benchmark(_read(BENCHMARK)),
        },
    }
    return pages | objects | {file: _filled(file, texts) for file, texts in parts.items()}


def _drills() -> str:
    """The kept results of drills, beside what alarms did on recordings of the same failures."""
    return report.as_table(kept_drills(), recorded_signals()).rstrip()


def recorded_signals() -> dict[str, dict[str, int]]:
    """By recording and signal, minutes from the failure to the first ALARM of it."""
    alarms = alarm_set(load(ENVIRONMENT))
    parsed = template.parse(own(alarms), ENVIRONMENT).alarms
    names = {alarm.name: alarm.signal.id for alarm in alarms.alarms}
    return {
        name: {
            names[alarm]: minutes
            for alarm, minutes in first_signals(parsed, name).items()
            if alarm in names
        }
        for name in RECORDINGS
    }


def kept_drills() -> list[Result]:
    """The results of drills that are kept, fast and in real time."""
    return report.together(sorted(DRILLS.glob("*.json")))


def stale(wanted: Mapping[Path, str]) -> list[Path]:
    """Files of objects that are no longer published."""
    return [file for file in sorted(datadog.FOLDER.rglob("*.json")) if file not in wanted]


def _filled(file: Path, parts: Mapping[str, str]) -> str:
    """A file's text with its generated parts in place."""
    text = _read(file)
    for name, part in parts.items():
        marker = f"<!-- generated: {name} -->"
        pattern = re.compile(rf"{re.escape(marker)}(\n?).*?(\n?)<!-- end -->", re.DOTALL)
        if len(pattern.findall(text)) != 1:
            raise InputError(f"{file}: write {marker} and <!-- end --> around the part '{name}'.")
        text = pattern.sub(lambda match: f"{marker}{match[1]}{part}{match[2]}<!-- end -->", text)  # noqa: B023
    return text


def _benchmark(page: str) -> str:
    """The README's table: the first of the benchmark's page, ours first, then the best."""
    lines = [line for line in page.partition("\n## ")[0].splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")][:_COLUMNS] for line in lines]
    head, ruler, ours, *others = rows
    others.sort(key=lambda row: [-int(cell.split()[0]) for cell in row[1:3]])
    table = [[cell.lower() if cell == "Set" else cell for cell in head], ruler, ours, *others]
    return "\n".join(f"| {' | '.join(row)} |" for row in table)


def _read(file: Path) -> str:
    return file.read_text("utf-8")
