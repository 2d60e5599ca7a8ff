"""The functions' asset: exactly what runs, and enough of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from functions import assets
from functions.assets import functions_asset, release
from monitoring.alarm_guide import alarm_guides
from settings import loader, paths
from tests.bench_cold_start import RUNTIME
from tests.function_modules import AUDIT_ENVIRON, function_environ
from webhook_buffer.composition import alarm_set


def test_asset_holds_what_runs_and_nothing_else() -> None:
    """Our modules, three libraries, and no tests, settings or notes of an installer."""
    asset = functions_asset()
    assert {entry.name for entry in asset.iterdir()} == {
        "certifi",
        "jmespath",
        "lambdas",
        "sentry_sdk",
        "urllib3",
    }
    code = paths.ROOT / "lambdas"
    sources = {path.relative_to(code) for path in code.rglob("*.py")}
    files = {path for path in (asset / "lambdas").rglob("*") if path.is_file()}
    modules = {path.relative_to(asset / "lambdas") for path in files if path.suffix != ".pyc"}
    assert modules == sources


def test_asset_runs_on_any_processor() -> None:
    """Nothing in it is compiled, so the laptop runs the very files that arm64 does."""
    assert not [path for path in functions_asset().rglob("*") if path.suffix in (".so", ".pyd")]


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    """A folder with what the Lambda runtime provides, and nothing more."""
    libraries = Path(sysconfig.get_path("purelib"))
    folder = tmp_path / "runtime"
    folder.mkdir()
    for name in RUNTIME:
        (folder / name).symlink_to(libraries / name)
    return folder


@pytest.mark.parametrize(
    ("module", "event", "expected"),
    [
        ("publish", {"requestContext": {"http": {"method": "POST"}, "timeEpoch": 1}}, 503),
        ("subscribe", {"Records": []}, None),
        ("faux_backend", {"requestContext": {"http": {"method": "GET"}, "timeEpoch": 1}}, 200),
        ("notify", {"Records": []}, None),
        ("audit", {}, None),
        ("heartbeat", None, None),
        ("laptop_alarms", None, None),
    ],
)
def test_handlers_need_only_asset_and_runtime(
    runtime: Path,
    tmp_path: Path,
    module: str,
    event: dict[str, object] | None,
    expected: int | None,
) -> None:
    """Each handler works in an interpreter that has the asset and Lambda's libraries alone.

    Without an event its module is only loaded: there is nobody here to answer it.

    publish reaches no queue here, so it answers 503, and reports that to Sentry, whose
    library has to be in the asset for it.
    """
    script = (
        "import importlib, json, sys, types\n"
        f"sys.path[:0] = [{str(functions_asset())!r}]\n"
        f"sys.path.append({str(runtime)!r})\n"
        f"handler = importlib.import_module('lambdas.{module}').handler\n"
        "context = types.SimpleNamespace(function_name='f', aws_request_id='r',\n"
        "    get_remaining_time_in_millis=lambda: 5000)\n"
        f"event = json.loads({json.dumps(json.dumps(event))})\n"
        "answer = {} if event is None else handler(event, context)\n"
        "print('ANSWER', json.dumps(answer))\n"
        "print('SENTRY', getattr(sys.modules.get('sentry_sdk'), '__file__', None))\n"
    )
    environ = {
        **function_environ("http://127.0.0.1:1"),
        **AUDIT_ENVIRON,
        "SERVICE": "s",
        "ENVIRONMENT": "e",
        "ENDPOINT": "http://127.0.0.1:1",
        "PROBE_ALARM": "probe",
        "HEARTBEAT_KEY": "arn:aws:secretsmanager:us-east-1:000000000000:secret:key",
        "CHANNELS": "[]",
        "ALARM_GUIDES": str(_alarm_guides(tmp_path)),
        "SENTRY_DSN": "http://key@127.0.0.1:1/1",
    }
    # -S and -I: no site-packages, no PYTHONPATH, no current folder. -B: no bytecode in the asset.
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", script],
        capture_output=True, text=True, check=False, cwd=tmp_path, env=environ,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout.partition("ANSWER ")[2].splitlines()[0])
    assert answer.get("statusCode") == expected
    if module == "publish":
        assert str(functions_asset()) in result.stdout.partition("SENTRY ")[2]


@pytest.mark.parametrize("module", ["publish", "subscribe"])
def test_start_loads_ours_and_the_standard_library(module: str, tmp_path: Path) -> None:
    """A cold start waits for no library, and for no costly part of the standard one."""
    script = (
        f"import sys\nsys.path[:0] = [{str(functions_asset())!r}]\nimport lambdas.{module}\n"
        "print(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names)\n"
        "print(*{'dataclasses', 'inspect', 'email', 'http.client'} & sys.modules.keys())\n"
    )
    environ = {**function_environ("https://127.0.0.1:1"), "SENTRY_DSN": "http://key@127.0.0.1:1/1"}
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", script],
        capture_output=True, text=True, check=True, cwd=tmp_path, env=environ,
    )  # fmt: skip
    assert set(result.stdout.split()) - {"__main__", "__mp_main__"} == {"lambdas"}


def _alarm_guides(folder: Path) -> Path:
    """What notify knows of the alarms, as the monitoring stack writes it."""
    file = folder / "alarm_guides.json"
    file.write_text(json.dumps(alarm_guides(alarm_set(loader.load("prd")))))
    return file


def test_asset_holds_what_is_put_beside() -> None:
    """Data made at synth stands beside the code, in an asset of its own."""
    asset = functions_asset({"alarm_guides.json": "{}"})
    assert asset != functions_asset()
    assert (asset / "lambdas" / "alarm_guides.json").read_text() == "{}"
    assert asset != functions_asset({"alarm_guides.json": "[]"})


def test_release_follows_code_and_settings() -> None:
    """The release is the same for the same tree, and another for other settings."""
    dev = loader.load("dev")
    assert release(dev) == release(loader.load("dev"))
    assert release(dev) != release(loader.load("dev", overrides={"retryMaxSeconds": 299}))
    assert os.sep not in release(dev)


def test_a_faster_process_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another process makes the same folder meanwhile, that one stays."""
    monkeypatch.setattr(assets, "_BUILD", tmp_path)
    final = tmp_path / "functions-x"
    with assets._new_folder(final) as mine:
        (mine / "a").write_text("mine")
        final.mkdir()
        (final / "a").write_text("theirs")
        monkeypatch.setattr(Path, "exists", lambda _: False)
    monkeypatch.undo()
    assert (final / "a").read_text() == "theirs"
    assert [file.name for file in tmp_path.iterdir()] == ["functions-x"]
