"""``webhook-buffer datadog`` as somebody types it, against the laptop's fake Datadog."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import urllib3

from monitoring.datadog.definition import Definition, Kind
from monitoring.datadog.imported import FOLDERS
from monitoring.datadog.sync import adopt, api
from monitoring.datadog.sync.api import problems
from settings.errors import DatadogError, DefinitionError
from settings.loader import load
from settings.paths import ROOT
from webhook_buffer.cli import datadog_steps, main, terminal
from webhook_buffer.laptop import fake_datadog
from webhook_buffer.laptop import laptop as laptop_module
from webhook_buffer.operations import credentials
from webhook_buffer.operations.environment import Environment

pytestmark = [pytest.mark.xdist_group("datadog"), pytest.mark.slow]

_HEADERS = {
    "DD-API-KEY": "fake-api-key",
    "DD-APPLICATION-KEY": "fake-app-key",
    "Content-Type": "application/json",
}


@dataclass(frozen=True)
class Result:
    """What a command ended with."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Laptop:
    """A state of its own, a fake Datadog that runs, and a folder for what is imported."""

    state: Path
    url: str
    monkeypatch: pytest.MonkeyPatch
    capfd: pytest.CaptureFixture[str]

    def datadog(self, *words: str) -> Result:
        """Runs ``webhook-buffer datadog WORDS`` in this process."""
        self.monkeypatch.setattr(sys, "argv", ["webhook-buffer", "datadog", *words])
        with pytest.raises(SystemExit) as ended:
            main.main()
        return Result(int(ended.value.code or 0), *self.capfd.readouterr())

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = urllib3.request(method, f"{self.url}{path}", headers=_HEADERS, json=body)
        assert answer.status < 300, answer.data
        return answer.json() if answer.data else None


_PROBLEMS: dict[tuple[Kind, str], list[str]] = {}


def _problems(definition: Definition) -> list[str]:
    """The client's judgment of a body, remembered: of a dashboard it takes it half a second."""
    key = definition.kind, json.dumps(definition.body)
    if key not in _PROBLEMS:
        _PROBLEMS[key] = problems(definition)
    return _PROBLEMS[key]


@pytest.fixture
def stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Laptop:
    """A laptop on which nothing runs."""
    for module in (api, adopt):
        monkeypatch.setattr(module, "problems", _problems)
    monkeypatch.setattr(laptop_module, "STATE", tmp_path)
    monkeypatch.setattr(laptop_module, "OUTPUTS", tmp_path / "cdk.out.json")
    monkeypatch.setattr(terminal.console, "width", 200)
    for kind in list(FOLDERS):
        monkeypatch.setitem(FOLDERS, kind, tmp_path / "imported" / kind)
    return Laptop(tmp_path, "", monkeypatch, capfd)


@pytest.fixture
def laptop(stopped: Laptop) -> Iterator[Laptop]:
    """A laptop on which the fake Datadog runs."""
    folder = stopped.state / "datadog"
    yield replace(stopped, url=fake_datadog.started(folder))
    fake_datadog.stop(folder)


def test_plan_apply_plan_drift_apply(laptop: Laptop) -> None:
    """Everything is planned, published, found unchanged; a manual change is listed and undone."""
    first = laptop.datadog("plan", "--detailed-exitcode")
    assert first.returncode == 2, first.stderr
    assert "+ monitor publish-timeouts" in first.stdout
    assert "Nothing was written." in first.stdout
    document = json.loads(laptop.datadog("plan", "--json").stdout)
    assert len(document["steps"]) == 24
    assert laptop.call("GET", "/api/v1/monitor") == []
    applied = laptop.datadog("apply", "--yes")
    assert applied.returncode == 0, applied.stderr
    assert "24 of 24 done" in applied.stdout
    again = laptop.datadog("plan", "--detailed-exitcode")
    assert (again.returncode, again.stdout.splitlines()[-1]) == (
        0, "Plan: 0 to create, 0 to update, 0 to delete, 24 unchanged. Nothing was written.",
    )  # fmt: skip
    still = laptop.datadog("drift")
    assert still.stdout == "No drift: 24 objects are as they were published.\n"
    monitor = next(
        candidate
        for candidate in laptop.call("GET", "/api/v1/monitor")
        if "cold" in str(candidate["query"])
    )
    laptop.call("PUT", f"/api/v1/monitor/{monitor['id']}", {"priority": 2})
    drifted = laptop.datadog("drift")
    assert drifted.returncode == 2
    assert (
        "monitor cold-starts was changed by hand; it differs in:\n    priority: 5 → 2"
        in drifted.stdout
    )
    assert "1 changed by hand, 0 missing, of 24.\nTo undo: " in drifted.stdout
    planned = laptop.datadog("plan")
    assert "~ monitor cold-starts  was changed by hand\n    priority: 2 → 5" in planned.stdout
    assert laptop.datadog("apply", "-y").returncode == 0
    assert laptop.datadog("drift").returncode == 0


def test_a_plan_is_written_as_json(laptop: Laptop, tmp_path: Path) -> None:
    """--out has summary, steps and bodies, and nothing of the keys."""
    file = tmp_path / "plan.json"
    assert laptop.datadog("plan", "--out", str(file)).returncode == 0
    document = json.loads(file.read_text())
    assert document["summary"] == {"create": 24, "update": 0, "delete": 0, "unchanged": 0}
    assert {"kind": "slo", "key": "accepted"}.items() <= document["steps"][18].items()
    assert "fake-api-key" not in file.read_text()
    refused = laptop.datadog("plan", "--out", str(tmp_path))
    assert refused.returncode == 1
    assert "Is a directory. Name a file" in refused.stderr


def test_destroy_takes_what_is_ours(laptop: Laptop) -> None:
    """All of it goes, others' objects stay, and doing it again says that nothing is there."""
    hand_made = {
        "name": "mine", "type": "query alert", "query": "max(last_5m):max:a.b{*} > 1",
        "message": "mine", "options": {"thresholds": {"critical": 1}},
    }  # fmt: skip
    laptop.call("POST", "/api/v1/monitor", hand_made)
    laptop.datadog("apply", "--yes")
    destroyed = laptop.datadog("destroy", "--yes")
    assert "24 of 24 done" in destroyed.stdout
    assert [body["name"] for body in laptop.call("GET", "/api/v1/monitor")] == ["mine"]
    assert "Environment 'local' has no objects" in laptop.datadog("destroy", "--yes").stdout
    gone = laptop.datadog("drift")
    assert (gone.returncode, "deleted, or not published yet" in gone.stdout) == (2, True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("plan", "--nope"), (2, "No such option")),
        (("plan", "--detailed-exitcode", "--nope"), (1, "No such option")),
        (("drift", "--nope"), (1, "No such option")),
        (("plan", "--env", "nowhere"), (2, "unknown; known are")),
        (("plan", "--env", "nowhere", "--detailed-exitcode"), (1, "unknown; known are")),
        (("drift", "--env", "nowhere"), (1, "unknown; known are")),
        (("import", "slo", "x"), (2, "'slo' can't be imported")),
    ],
)
def test_an_error_is_no_change(
    laptop: Laptop, words: tuple[str, ...], expected: tuple[int, str]
) -> None:
    """Wrong input exits with 2, as it does everywhere, but with 1 where 2 means changes."""
    ended = laptop.datadog(*words)
    code, text = expected
    assert (ended.returncode, text in ended.stderr) == (code, True)


def test_what_can_not_be_checked_later_is_not_imported(laptop: Laptop) -> None:
    """An object whose key is taken is refused before it is marked, and there is no file."""
    laptop.datadog("apply", "--yes")
    body = {
        "title": "Overview", "layout_type": "ordered",
        "widgets": [{"definition": {"type": "note", "content": "Hello"}}],
    }  # fmt: skip
    made = laptop.call("POST", "/api/v1/dashboard", body)
    refused = laptop.datadog("import", "dashboard", made["id"], "--yes")
    assert refused.returncode == 2
    assert "The key 'overview' of a dashboard is taken" in refused.stderr
    assert not list(FOLDERS[Kind.DASHBOARD].glob("*"))
    assert not laptop.call("GET", f"/api/v1/dashboard/{made['id']}")["description"]


def test_a_key_that_can_not_be_one_is_not_shown(tmp_path: Path) -> None:
    """A key with a line break is refused in words that do not hold it."""
    settings = load("prd", overrides={"datadog": {"functions": []}})
    target = Environment(settings=settings, folder=tmp_path, outputs_file=tmp_path / "o.json")
    for wrong in ("SECRET1\nexport", "SECRET1…"):
        with pytest.raises(DatadogError, match="DD_API_KEY contains a character") as caught:
            credentials.keys(target, {"DD_API_KEY": wrong, "DD_APP_KEY": "b"})
        assert "SECRET1" not in str(caught.value)
    for missing in ({}, {"DD_API_KEY": "a"}):
        with pytest.raises(DatadogError, match="Nothing was sent"):
            credentials.keys(target, missing)


@pytest.mark.parametrize("kind", ["dashboard", "monitor"])
def test_an_import_is_followed_by_an_empty_plan(laptop: Laptop, kind: str) -> None:
    """What was made by hand becomes a file and is marked, and the next plan has nothing to do."""
    bodies = {
        "dashboard": {
            "title": "My own / board", "layout_type": "ordered",
            "widgets": [{"definition": {"type": "note", "content": "Hello"}}],
        },
        "monitor": {
            "name": "My own / board", "type": "query alert",
            "query": "max(last_5m):max:my.own{*} > 1", "message": "Look.",
            "options": {"thresholds": {"critical": 1}},
        },
    }  # fmt: skip
    made = laptop.call("POST", f"/api/v1/{kind}", bodies[kind])
    laptop.datadog("apply", "--yes")
    completed = laptop.datadog("import", kind, str(made["id"]), "--key", "my-own", "--yes")
    assert completed.returncode == 0, completed.stderr
    file = FOLDERS[Kind(kind)] / "my-own.json"
    assert f"Written: {file}" in completed.stdout
    assert json.loads(file.read_text())["environments"] == ["local"]
    planned = laptop.datadog("plan", "--detailed-exitcode")
    assert planned.returncode == 0, planned.stdout
    assert "25 unchanged" in planned.stdout
    again = laptop.datadog("import", kind, str(made["id"]), "--key", "my-own-2", "--yes")
    assert (again.returncode, "is code already" in again.stderr) == (2, True)


def test_an_imported_object_stands_beside_the_data_of_its_kind() -> None:
    """Monitors are kept with the alarms, dashboards with the dashboards."""
    assert FOLDERS == {
        Kind.MONITOR: ROOT / "alarms" / "imported",
        Kind.DASHBOARD: ROOT / "dashboards" / "imported",
    }


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("import", "dashboard", "aaa-bbb-ccc", "--yes"), "has no dashboard aaa-bbb-ccc"),
        (("import", "slo", "x", "--yes"), "'slo' can't be imported; write dashboard or monitor"),
        (("import", "monitor", "1", "--key", "No Key", "--yes"), "has no monitor 1"),
        (("apply",), "is not a terminal; pass --yes"),
        (("destroy",), "is not a terminal; pass --yes"),
        (("plan", "--env", "nowhere"), "environment 'nowhere': unknown"),
        (("plan", "--env", "dev"), "environment 'dev': key 'datadog': missing"),
    ],
)
def test_what_can_not_be_is_one_sentence(
    laptop: Laptop, words: tuple[str, ...], expected: str
) -> None:
    """Each wrong input ends with one error that says what to do, and writes nothing."""
    completed = laptop.datadog(*words)
    assert completed.returncode in (1, 2)
    assert expected in completed.stderr
    assert "Traceback" not in completed.stderr
    assert laptop.call("GET", "/api/v1/monitor") == []


def test_what_datadogs_models_refuse_is_an_error_of_the_tree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A definition that the client's models don't take is named before Datadog is asked."""

    monkeypatch.setattr(api, "problems", lambda definition: [f"{definition.name}: type: wrong"])
    settings = load("local")
    with pytest.raises(DefinitionError, match=r"^monitor .*: type: wrong"):
        datadog_steps.planned(None, settings)  # type: ignore[arg-type]


def test_without_the_fake_the_command_says_how_to_start_it(stopped: Laptop) -> None:
    """On the laptop nothing is sent anywhere else."""
    completed = stopped.datadog("plan", "--detailed-exitcode")
    assert completed.returncode == 1
    assert "To start it: webhook-buffer up" in completed.stderr


def test_objects_are_rendered_without_keys(stopped: Laptop, tmp_path: Path) -> None:
    """JSON for who has no tool but Datadog: whole, and with words in place of unknown ids."""
    completed = stopped.datadog("render", str(tmp_path / "out"))
    assert completed.returncode == 0, completed.stderr
    slo = json.loads((tmp_path / "out" / "slo" / "delivered.json").read_text())
    assert slo["monitor_ids"] == ["(id of monitor webhooks-late)"]
