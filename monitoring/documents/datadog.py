"""The objects as JSON files, for who has no tool but Datadog itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from monitoring.datadog.definition import Definition, Kind, resolved
from settings.loader import load
from settings.paths import ROOT
from settings.schema import Settings

ENVIRONMENT = "prd"
FOLDER = ROOT / "docs" / "datadog"
COMMAND = "make docs"
# What an environment says that publishes everything; the values are examples.
EXAMPLE = {
    "apiKeySecretArn": "arn:aws:secretsmanager:us-east-1:333333333333:secret:datadog-api-abcdef",
    "recipients": {"page": ["@pagerduty-webhooks"], "ticket": ["@slack-webhooks"]},
    "quietHours": [{"name": "nights", "at": "22:00", "minutes": 480, "timezone": "Europe/Berlin"}],
}


def files(found: Iterable[Definition]) -> Mapping[str, str]:
    """File name (``monitor/KEY.json``) → JSON, with words in place of ids nobody can know."""
    found = list(found)
    ids = {(one.kind, one.key): f"(id of {one.name})" for one in found}
    return {
        f"{one.kind}/{one.key}.json": json.dumps(
            resolved(one.body, dict(ids)), indent=2, ensure_ascii=False
        )
        + "\n"
        for one in found
    }


def example() -> Settings:
    """The settings whose objects are in the docs."""
    return load(ENVIRONMENT, overrides={"datadog": EXAMPLE})


def index(found: Iterable[Definition]) -> str:
    """The page that leads to the files."""
    lines = [
        "# What is published to Datadog",
        "",
        f"<!-- Written by `{COMMAND}`; edit alarms/ and dashboards/, not this. -->",
        "",
        "Every object as `webhook-buffer datadog apply` would publish it for an environment with",
        "all of it switched on. To use one without this tool, paste its JSON into Datadog: a",
        "monitor or dashboard by *Import from JSON*, an SLO by its API; where another object's id",
        "belongs stands its name.",
        "",
    ]
    for kind, title in (
        (Kind.DASHBOARD, "Dashboards"), (Kind.MONITOR, "Monitors"), (Kind.SLO, "SLOs"),
        (Kind.DOWNTIME, "Downtimes"),
    ):  # fmt: skip
        lines += [f"## {title}", "", "| object | what |", "| --- | --- |"]
        for one in found:
            if one.kind is kind:
                name = one.body.get("name") or one.body.get("title") or _first(one)
                query = one.body.get("query")
                told = f"{name}<br>`{query}`" if isinstance(query, str) else str(name)
                told = told.replace("|", r"\|")
                lines.append(f"| [{one.key}](datadog/{kind}/{one.key}.json) | {told} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _first(one: Definition) -> str:
    return str(one.body["message"]).split("\n")[0]


def write(found: Sequence[Definition], folder: Path = FOLDER) -> None:
    """Writes the files, and beside their folder the page that leads to them.

    Args:
        found: the objects of ``example()``.
        folder: other JSON files in it are deleted.
    """
    wanted = files(found)
    for file in folder.rglob("*.json"):
        if str(file.relative_to(folder)) not in wanted:
            file.unlink()
    for name, text in wanted.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    folder.with_name("datadog-objects.md").write_text(index(found), "utf-8")
