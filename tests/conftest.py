"""What tests share: an emulator per test process, handlers loaded as Lambda loads them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
import json
import os
import random
import re
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from lambdas import parked_index, record_index
from settings import loader
from settings.paths import ROOT
from tests import source_tree
from tests.instrumented import Choices
from tests.templates import DEMANDING, Synthesized, Template, synthesize
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.emulator import Emulator
from webhook_buffer.laptop.process import Running

# No test may find an account of the person who runs it, nor a chosen environment.
for name in [name for name in os.environ if name.startswith(("AWS_", "WEBHOOK_BUFFER_ENV"))]:
    del os.environ[name]
os.environ.pop("NO_COLOR", None)
# Compiling all modules again in every process would take a third of the run.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

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
    "laptop",
    "synth",
    "tests/webhook_buffer/laptop/test_demo.py",
    "tests/test_guides.py",
    "tests/webhook_buffer/laptop/test_traces.py",
    "tests/webhook_buffer/laptop/test_sources.py",
    "tests/alarms/test_change_a_threshold.py",
    "tests/dashboards/test_add_a_widget.py",
    "bench",
    "datadog",
    "demanding",
    "tests/webhook_buffer/cli/test_os_errors.py",
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


# The outputs that other programs read. Source: docs/contracts.md.
OUTPUTS = {
    "AWSREGION",
    "ApiEndpoint",
    "ApiId",
    "DynamoDBTable",
    "QueueUrl",
    "BufferedEndpoint",
    "UsesFauxBackend",
    "Release",
}


# The failure policy that settings have by default, as subscribe reads it.
POLICY = json.dumps(
    {
        "on_park": "message",
        "temporary": [407, 408, 409, 423, 425, 429],
        "refusals": 5,
        "refused_for": 900,
        "alone_for": 86_400,
        "longest": 864_000,
        "per_hour": 100,
        "keep": 2_592_000,
        "breaker": True,
        "retry_share": 0.5,
    }
)


@cache  # boto3 takes long to make one; it may be shared, also among threads
def client(endpoint_url: str, service: Any) -> Any:
    """A boto3 client of an emulator's service."""
    return boto3.client(
        service,
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def eventually(condition: Callable[[], Any], *, seconds: float = 30.0) -> Any:
    """The condition's first true value; fails after a deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


class Stopwatch:
    """Seconds in which this process had its turn.

    An upper bound on the clock's seconds fails on a busy machine. There this thread has its turns
    later as well, and each counts as one step.
    """

    _STEP = 0.01

    def __init__(self) -> None:
        self._steps, self._over = 0, threading.Event()

    def __enter__(self) -> Stopwatch:
        threading.Thread(target=self._count, daemon=True).start()
        return self

    def _count(self) -> None:
        while not self._over.wait(self._STEP):
            self._steps += 1

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def seconds(self) -> float:
        """Since it was started."""
        return self._steps * self._STEP


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


# The deployment's, under the name heartbeat-key.
HEARTBEAT_KEY = "k" * 64


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


@dataclass(frozen=True)
class Aws:
    """A queue, tables and a bucket of a test's own on the emulator, and clients for them."""

    queue_url: str
    table: str
    parking: str
    bodies: str
    sqs: Any
    dynamodb: Any
    s3: Any

    def record(self, message_id: str) -> dict[str, Any] | None:
        """A webhook's record, or None."""
        reply = self.dynamodb.get_item(TableName=self.table, Key={"id": {"S": message_id}})
        item: dict[str, Any] | None = reply.get("Item")
        return item

    def attempts(self, message_id: str) -> dict[str, Any] | None:
        """The row of a webhook's attempts, or None."""
        return self.record(f"{message_id}#attempts")

    def attempted(self, record: dict[str, Any], attempts: int) -> None:
        """Makes a received message the next receive after some attempts."""
        record["attributes"]["ApproximateReceiveCount"] = str(attempts + 1)
        item = {"id": {"S": record["messageId"]}, "attempt_count": {"N": str(attempts)}}
        self.dynamodb.put_item(TableName=self.table, Item=item)

    def received(self, *, seconds: int = 0) -> list[dict[str, Any]]:
        """What ReceiveMessage hands out now, as records of a Lambda event."""
        reply = self.sqs.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=1,
            WaitTimeSeconds=seconds,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return [_as_event(message) for message in reply.get("Messages", [])]

    def waiting(self) -> int:
        """How many messages the queue holds, visible or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        reply = self.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=names)
        return sum(int(value) for value in reply["Attributes"].values())

    def delete(self, record: Mapping[str, Any]) -> None:
        self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=record["receiptHandle"])


def _as_event(message: dict[str, Any]) -> dict[str, Any]:
    """A received message in the shape Lambda's event source gives it."""
    attributes = {
        name: {"dataType": "Binary", "binaryValue": base64.b64encode(value["BinaryValue"]).decode()}
        for name, value in message.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": attributes,
        "eventSource": "aws:sqs",
    }


@pytest.fixture
def aws(emulator: Running) -> Aws:
    """A fresh queue, set up like the stack's, and fresh tables."""
    name = f"test-{uuid.uuid4().hex}"
    return made_aws(
        emulator, queue=f"{name}.fifo", table=name, parking=f"{name}-parking", bodies=name
    )


def made_aws(emulator: Running, *, queue: str, table: str, parking: str, bodies: str) -> Aws:
    """A queue, tables and a bucket of these names."""
    sqs, dynamodb, s3 = (client(emulator.endpoint_url, name) for name in ("sqs", "dynamodb", "s3"))
    s3.create_bucket(Bucket=bodies)
    attributes: Any = {
        "FifoQueue": "true",
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
        # Longer than any test waits for a message that is put back.
        "VisibilityTimeout": "60",
    }
    url = sqs.create_queue(QueueName=queue, Attributes=attributes)["QueueUrl"]
    dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": record_index.SORT, "AttributeType": "N"},
            *(
                {"AttributeName": index.partition, "AttributeType": "S"}
                for index in record_index.INDEXES
            ),
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index.name,
                "KeySchema": [
                    {"AttributeName": index.partition, "KeyType": "HASH"},
                    {"AttributeName": record_index.SORT, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for index in record_index.INDEXES
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.create_table(
        TableName=parking,
        KeySchema=[
            {"AttributeName": "partition", "KeyType": "HASH"},
            {"AttributeName": "row", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "partition", "AttributeType": "S"},
            {"AttributeName": "row", "AttributeType": "S"},
            {"AttributeName": "kind", "AttributeType": "S"},
            {"AttributeName": "parked_at", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": parked_index.NAME,
                "KeySchema": [
                    {"AttributeName": "kind", "KeyType": "HASH"},
                    {"AttributeName": "parked_at", "KeyType": "RANGE"},
                ],
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": list(parked_index.LISTED),
                },
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return Aws(url, table, parking, bodies, sqs, dynamodb, s3)


def context(*, seconds: float = 10.0, clock: Callable[[], float] = time.monotonic) -> Any:
    """A Lambda context whose time runs out."""
    deadline = clock() + seconds
    return SimpleNamespace(
        function_name="test-function",
        aws_request_id=str(uuid.uuid4()),
        get_remaining_time_in_millis=lambda: max(0, int((deadline - clock()) * 1000)),
    )


def heartbeat_event(
    body: bytes = b"{}", *, at: float | None = None, key: str = HEARTBEAT_KEY, **event: Any
) -> dict[str, Any]:
    """The event of a heartbeat as the monitoring sends it, proven by a key.

    Args:
        at: when, in seconds since the epoch; now by default.
    """
    sent_at = int(time.time() if at is None else at)
    mac = hmac.new(key.encode(), f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"x-buffer-heartbeat": f"{sent_at}.{mac}", **event.pop("headers", {})}
    return http_event(body, headers=headers, **{"path": "/webhook-buffer/heartbeat", **event})


def http_event(
    body: bytes | str | dict[str, Any] = b"",
    *,
    method: str = "POST",
    path: str = "/",
    query: str = "",
    headers: Mapping[str, str] | None = None,
    cookies: list[str] | None = None,
    address: str = "192.0.2.1",
) -> dict[str, Any]:
    """An HTTP API event, payload format 2.0."""
    if isinstance(body, dict):
        body = json.dumps(body)
    binary = isinstance(body, bytes)
    event: dict[str, Any] = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": dict(headers or {}),
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": address},
            "timeEpoch": round(time.time() * 1000),
        },
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": binary,
    }
    if cookies:
        event["cookies"] = cookies
    return event


def function_environ(url: str) -> dict[str, str]:
    """What publish and subscribe have to be told, with everything at one address."""
    return {
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": url,
        "QUEUE_URL": f"{url}/queue.fifo",
        "VISIBILITY_SECONDS": "60",
        "TABLE": "records",
        "BODIES_BUCKET": "bodies",
        "BACKEND_URL": url,
        "GROUP_ID": '["json:id"]',
        "GROUP_ID_MISSING": "own",
        "DEDUPLICATION_ID": "[]",
        "RETRY_BASE_SECONDS": "1",
        "RETRY_MAX_SECONDS": "1",
        "RETRY_AFTER_MAX_SECONDS": "1",
        "RECORD_TTL_SECONDS": "1",
        "TEST_FLAGS": "false",
        "REDACTED": '{"headers": ["authorization"], "parameters": ["token"]}',
        "HEARTBEAT_TO_BACKEND": "false",
        "BLOCKED_ATTEMPTS": "5",
        "BLOCKED_SECONDS": "600",
        "PARKING_TABLE": "parking",
        "FAILURE_POLICY": POLICY,
        "RELEASE": "test",
    }


# What the audit has to be told.
AUDIT_ENVIRON = {
    "PUBLISH_LOG": "publish",
    "SUBSCRIBE_LOG": "subscribe",
    "QUEUE_NAME": "hooks.fifo",
    "TABLE": "records",
    "LEDGER_TABLE": "incidents",
    "PARKING_TABLE": "parking",
    "PARKING_KEEP_SECONDS": "1000000",
    "SETTLE_SECONDS": "1200",
    "PAUSE_SECONDS": "900",
}


class Functions:
    """Loads functions' modules the way Lambda does: anew, in an environment of their own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, aws: Aws, emulator: Running) -> None:
        self._monkeypatch = monkeypatch
        self._shared = {
            "AWS_ENDPOINT_URL": emulator.endpoint_url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "SERVICE": "webhook-buffer",
            "ENVIRONMENT": "test",
            "RELEASE": "0.0.0+test",
            "QUEUE_URL": aws.queue_url,
            "TABLE": aws.table,
            "BODIES_BUCKET": aws.bodies,
            "PARKING_TABLE": aws.parking,
        }

    def publish(self, **variables: str) -> ModuleType:
        """``lambdas.publish`` in an environment with the defaults of settings."""
        defaults = {
            "GROUP_ID": '["json:group_id"]',
            "GROUP_ID_MISSING": "own",
            "HEARTBEAT_KEY": "heartbeat-key",
            "DEDUPLICATION_ID": "[]",
        }
        return self._load("lambdas.publish", {**defaults, **variables})

    def subscribe(self, backend_url: str, **variables: str) -> ModuleType:
        """``lambdas.subscribe``, delivering to a backend, with retries after 0 seconds."""
        defaults = {
            "BACKEND_URL": backend_url,
            "VISIBILITY_SECONDS": "60",
            "RETRY_BASE_SECONDS": "0",
            "RETRY_MAX_SECONDS": "0",
            "RETRY_AFTER_MAX_SECONDS": "0",
            "RECORD_TTL_SECONDS": "3600",
            "TEST_FLAGS": "false",
            "REDACTED": '{"headers": ["authorization"], "parameters": ["token"]}',
            "HEARTBEAT_TO_BACKEND": "false",
            "BLOCKED_ATTEMPTS": "5",
            "BLOCKED_SECONDS": "600",
            "FAILURE_POLICY": POLICY,
        }
        return self._load("lambdas.subscribe", {**defaults, **variables})

    def _load(self, module: str, variables: Mapping[str, str]) -> ModuleType:
        for name, value in {**self._shared, **variables}.items():
            self._monkeypatch.setenv(name, value)
        sys.modules.pop(module, None)
        return importlib.import_module(module)


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch, aws: Aws, emulator: Running) -> Functions:
    """Loads functions against this test's queue and table."""
    return Functions(monkeypatch, aws, emulator)
