"""What every run has: an order, a source tree left alone, and fixtures that many files share."""

from __future__ import annotations

import gc
import os
import random
import re
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from functools import cache
from pathlib import Path

import botocore.session
import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from settings import loader
from settings.paths import ROOT
from tests import source_tree
from tests.emulated_aws import Aws, client, made_aws
from tests.fake_aws import MODELS
from tests.function_events import HEARTBEAT_KEY
from tests.function_modules import Functions
from tests.instrumented import Choices
from tests.templates import DEMANDING, Synthesized, Template, synthesize
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.emulator import Emulator
from webhook_buffer.laptop.programs.process import Running

# No test may find an account of the person who runs it, nor a chosen environment.
for name in [name for name in os.environ if name.startswith(("AWS_", "WEBHOOK_BUFFER_ENV"))]:
    del os.environ[name]
os.environ.pop("NO_COLOR", None)
# Compiling all modules again in every process would take a third of the run.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
# Each session of boto3 would read AWS's service models again, which takes longer than most tests.
botocore.session.create_loader = lambda *_: MODELS

# The same examples in every run, of each property as many as are asked for; what Hypothesis caches
# belongs in no source tree.
hypothesis.settings.register_profile(
    "same",
    derandomize=True,
    deadline=None,
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "100")),
)
hypothesis.settings.load_profile("same")
os.environ.setdefault(
    "HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir(), f"hypothesis-{os.getuid()}"))
)


def _variables() -> dict[str, str]:
    """This process's environment, but for what pytest and ``functions.jsii`` keep in it."""
    theirs = ("PYTEST_CURRENT_TEST", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION")
    return {name: value for name, value in os.environ.items() if name not in theirs}


@pytest.fixture(autouse=True)
def environment_is_left_alone() -> Iterator[None]:
    """Fails a test that leaves other environment variables to those after it."""
    before = _variables()
    yield
    assert [name for name, _ in before.items() ^ _variables().items()] == []


# How a file says that one worker runs it and all others of a group in turn, because what they make
# is dear and shared, or what one does is seen by the next.
_GROUP = re.compile(r'xdist_group\("(\w+)"\)')
# Groups and files of half a minute and more, the longest first: one that is begun last is run by
# one worker while the others have nothing to do.
_LONGEST = (
    "drills",
    "laptop",
    "tests/test_guides.py",
    "tests/webhook_buffer/laptop/test_demo.py",
    "synth",
    "bench",
    "tests/webhook_buffer/cli/test_os_errors.py",
    "tests/webhook_buffer/laptop/test_traces.py",
    "datadog",
    "tests/webhook_buffer/laptop/test_sources.py",
    "tests/functions/test_bytecode.py",
    "tests/webhook_buffer/console/test_page.py",
    "demanding",
    "tests/lambdas/test_parking_order.py",
    "tests/test_alarmproof_wheel.py",
)


def _group(nodeid: str) -> str:
    """What one worker runs in turn: a test's file, or the group that the file's mark names."""
    file = nodeid.partition("::")[0]
    return _marked(file) or file


@cache
def _marked(file: str) -> str | None:
    """The group, read from the text, because the process that distributes tests collects none."""
    mark = _GROUP.search((ROOT / file).read_text("utf-8"))
    return mark[1] if mark else None


class _ByGroup(LoadScopeScheduling):  # type: ignore[misc]
    """A worker takes a whole file, or group, so that a fixture of a module is made once.

    xdist's own groups are not seen by pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Says which worker runs what: groups in the order of the first of their tests."""
    config.option.loadscopereorder = False
    return _ByGroup(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds ``--order``."""
    parser.addoption(
        "--order", metavar="reversed|SEED", help="run files, and tests in them, in another order"
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collects without the garbage collector, which would take a third of the time.

    What was collected stays until the end, so that it need not be looked through again later.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.set_threshold(50_000)  # with 700, collecting takes a twentieth of the run
        gc.freeze()


# What synthesizes stacks, or starts Chromium.
_DEAR = {"synthesized", "chosen", "demanding", "browser"}


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None]:
    """Marks what uses an emulator, the CDK or a browser for -m; then applies ``--order``."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "emulator" in fixtures:
            item.add_marker("emulator")
        if not _DEAR.isdisjoint(fixtures):
            item.add_marker("slow")
    yield
    order = config.getoption("--order")
    if order == "reversed":
        items.reverse()
    elif order:
        chance = random.Random(order)
        chance.shuffle(items)
        files = sorted({item.path for item in items})
        chance.shuffle(files)
        items.sort(key=lambda item: files.index(item.path))
    elif hasattr(config, "workerinput"):
        sizes = Counter(_group(item.nodeid) for item in items)
        items.sort(key=lambda item: _place(_group(item.nodeid), sizes))


def _place(group: str, sizes: Mapping[str, int]) -> tuple[int, int]:
    """Sorts the longest groups first, and then those of many tests."""
    known = _LONGEST.index(group) if group in _LONGEST else len(_LONGEST)
    return known, -sizes[group]


_BEFORE = pytest.StashKey[dict[str, str]]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remembers the source tree; with several workers, the controller does."""
    if not hasattr(session.config, "workerinput"):
        session.config.stash[_BEFORE] = source_tree.hashes()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails the run when a file of the source tree is not what it was."""
    before = session.config.stash.get(_BEFORE, None)
    if before is not None and source_tree.changes(before, source_tree.hashes()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Names the files that the run changed."""
    before = config.stash.get(_BEFORE, {})
    changed = source_tree.changes(before, source_tree.hashes())
    if changed:
        terminalreporter.section("the run changed the source tree", red=True)
        terminalreporter.write_line("\n".join(changed))
        terminalreporter.write_line("Let the test write to tmp_path, or to a copy of the tree.")


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Synthesized]:
    """Every environment that cdk.json ships; for tests of the group "synth"."""
    return {
        name: synthesize(loader.load(name), tmp_path_factory.mktemp(name))
        for name in loader.environments()
    }


@pytest.fixture(scope="session")
def environments(synthesized: dict[str, Synthesized]) -> dict[str, Template]:
    """The buffer's stack of every environment."""
    return {
        name: environment.buffer for name, environment in synthesized.items() if environment.buffer
    }


@pytest.fixture(scope="session")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Choices:
    """The environment dev under each way of sending to Datadog; for tests of the group "synth"."""
    return Choices(tmp_path_factory.mktemp("instrumented"))


@pytest.fixture(scope="session")
def demanding(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """An environment with all that an account may require; for tests of the group "demanding"."""
    return synthesize(loader.load("stg", overrides=DEMANDING), tmp_path_factory.mktemp("demanding"))


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """This process's own emulator on a free port."""
    emulated = Emulator(tmp_path_factory.mktemp("emulator"))
    running = emulated.start()
    client(running.endpoint_url, "secretsmanager").create_secret(
        Name="heartbeat-key", SecretString=HEARTBEAT_KEY
    )
    yield running
    emulated.stop()


@pytest.fixture
def backend() -> Iterator[ScriptedBackend]:
    """A scripted backend on a free port."""
    with ScriptedBackend() as scripted:
        yield scripted


@pytest.fixture
def aws(emulator: Running) -> Aws:
    """A fresh queue, set up like the stack's, and fresh tables."""
    name = f"test-{uuid.uuid4().hex}"
    return made_aws(
        emulator, queue=f"{name}.fifo", table=name, parking=f"{name}-parking", bodies=name
    )


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch, aws: Aws, emulator: Running) -> Functions:
    """Loads functions against this test's queue and table."""
    return Functions(monkeypatch, aws, emulator)
