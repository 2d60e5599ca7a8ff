"""publish with sources: what none takes is refused, never queued; the rest has its source."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from lambdas.base import envelope
from tests.emulated_aws import Aws
from tests.function_events import context, heartbeat_event, http_event
from tests.function_modules import Functions
from tests.lambdas.sources.conftest import Publish
from webhook_buffer.laptop.backend import ScriptedBackend

_OPEN = {"name": "orders", "paths": ["/orders/*"]}


def _answer(module: Any, event: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
    reply = module.handler(event, context())
    return reply["statusCode"], json.loads(reply["body"]), reply["headers"]


def _logged(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The last line of the log."""
    line: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return line


@pytest.mark.parametrize(
    "path", [".env", "wp-login.php", ".git/config", "phpmyadmin/", "actuator/health"]
)
def test_scanners_are_not_queued(publish: Publish, aws: Aws, path: str) -> None:
    """What scanners ask for is not found where sources are configured, whatever the method."""
    module = publish(_OPEN)
    for method in ("GET", "POST", "HEAD"):
        status, answer, headers = _answer(module, http_event(method=method, path=f"/{path}"))
        assert status == 404
        assert "'sources'" in answer["error"]
        assert headers["X-Buffer-Release"] == "0.0.0+test"
    assert aws.waiting() == 0


def test_other_methods_are_not_queued(publish: Publish, aws: Aws) -> None:
    """A method that the source does not take is 405 with Allow."""
    status, _, headers = _answer(publish(_OPEN), http_event(method="DELETE", path="/orders/7"))
    assert (status, headers["Allow"]) == (405, "POST")
    assert aws.waiting() == 0


def test_the_source_travels(publish: Publish, aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    """A webhook's source stands in its envelope and in the log line."""
    assert _answer(publish(_OPEN), http_event({"a": 1}, path="/orders/7"))[0] == 200
    logged = _logged(capsys)
    assert (logged["event"], logged["source"]) == ("webhook.queued", "orders")
    assert logged["SourceAccepted"] == logged["Accepted"] == 1
    [message] = aws.received()
    assert envelope.unpack(message["body"], b"").source == "orders"


@pytest.mark.parametrize(
    ("event", "status", "reason", "source"),
    [
        (http_event(path="/x"), 404, "no-source", None),
        (http_event(method="PUT", path="/orders/7"), 405, "method", "orders"),
        (http_event(path="/orders/7", address="203.0.113.1"), 403, "address", "orders"),
        (
            http_event("\ufffd", path="/orders/7", headers={"content-length": "1"},
                       address="192.0.2.1"),
            415, "altered", "orders",
        ),
    ],
)  # fmt: skip
def test_refusals_are_logged_and_counted_with_their_reason(
    publish: Publish,
    capsys: pytest.CaptureFixture[str],
    event: dict[str, Any],
    status: int,
    reason: str,
    source: str | None,
) -> None:
    """A refusal is counted by source and reason; what no source takes is counted apart."""
    module = publish({**_OPEN, "allowedIps": ["192.0.2.0/24"]})
    assert _answer(module, event)[0] == status
    logged = _logged(capsys)
    assert (logged["event"], logged["reason"]) == ("webhook.refused", reason)
    assert logged.get("source") == source
    assert (logged.get("SourceRefused"), logged.get("Unmatched")) == (
        (1, None) if source else (None, 1)
    )


def test_allowed_addresses_are_queued(publish: Publish) -> None:
    """A sender within the source's networks is taken."""
    module = publish({**_OPEN, "allowedIps": ["192.0.2.0/24", "2001:db8::/32"]})
    for address in ("192.0.2.200", "2001:db8::5"):
        assert _answer(module, http_event(path="/orders/7", address=address))[0] == 200


def test_own_ids_and_answer(publish: Publish, aws: Aws) -> None:
    """A source's own extractors take the place of the environment's, and so does its answer."""
    module = publish(
        {
            **_OPEN,
            "groupId": ["path:2"],
            "deduplicationId": ["header:x-id"],
            "answer": {"status": 202, "body": "[accepted]"},
        },
        {"name": "quiet", "paths": ["/quiet"], "answer": {"status": 204}},
    )
    event = http_event({"group_id": "other"}, path="/orders/7", headers={"x-id": "d-1"})
    reply = module.handler(event, context())
    assert (reply["statusCode"], reply["body"]) == (202, "[accepted]")
    assert reply["headers"]["Content-Type"] == "text/plain; charset=utf-8"
    [message] = aws.received()
    assert message["attributes"]["MessageGroupId"] == "open:orders:7"
    assert message["attributes"]["MessageDeduplicationId"].startswith("sha256:")
    reply = module.handler(http_event({"group_id": "g"}, path="/quiet"), context())
    assert (reply["statusCode"], reply["body"]) == (204, "")
    assert "Content-Type" not in reply["headers"]


def _group(module: Any, value: str, path: str, **headers: str) -> str:
    """The group in which a value is queued."""
    event = http_event({"group_id": value}, path=path, headers=headers, address="192.0.2.1")
    status, answer, _ = _answer(module, event)
    assert status == 200, answer
    return str(answer["group_id"])


@pytest.fixture
def mixed(publish: Publish, secret: Callable[[str], str]) -> ModuleType:
    """Sources that anybody can send to, that are verified, and that are limited to a network."""
    verify = {"scheme": "token", "token": "header:X-Key", "secretArn": secret("k")}
    return publish(
        {"name": "orders", "paths": ["/orders"]},
        {"name": "shop", "paths": ["/shop"], "allowedIps": ["192.0.2.0/24", "::/0"]},
        {"name": "known", "paths": ["/known"], "allowedIps": ["192.0.2.0/24"]},
        {"name": "github", "paths": ["/github"], "verify": verify},
    )


@pytest.mark.parametrize(
    "value",
    ["7", "acme/repo", "é", "x" * 128, "x" * 117, "x" * 116, "open:orders:7", "open:", "github:7",
     "webhook-buffer-heartbeat", "sha256:" + "0" * 64],
)  # fmt: skip
def test_strangers_share_no_group_with_others(mixed: ModuleType, value: str) -> None:
    """Whatever group a stranger names, no verified webhook and no other source's is in it."""
    groups = {path: _group(mixed, value, path) for path in ("/orders", "/shop")}
    trusted = {_group(mixed, value, "/known"), _group(mixed, value, "/github", **{"x-key": "k"})}
    assert len(trusted) == 1
    assert len({*groups.values(), *trusted}) == 3
    for path, group in groups.items():
        assert group.startswith(f"open:{path[1:]}:")
        assert len(group) <= 128
        # Nor can a verified sender's content lead its webhooks there.
        assert _group(mixed, group, "/known").startswith("sha256:")


def test_an_altered_body_is_reported_before_anything_else(publish: Publish, aws: Aws) -> None:
    """A body that API Gateway has altered is 415 at a source's path, and not queued."""
    event = http_event("\ufffd", path="/orders/7", headers={"content-length": "1"})
    assert _answer(publish(_OPEN), event)[0] == 415
    assert aws.waiting() == 0


def test_prefix_is_removed(functions: Functions, aws: Aws) -> None:
    """Below pathPrefix a webhook has the rest of its path; outside of it nothing is queued."""
    module = functions.publish(PATH_PREFIX="/hooks")
    for path in ("/", "/ping", "/hooksx", "/hooksx/y"):
        assert _answer(module, http_event(path=path))[0] == 404
    assert aws.waiting() == 0
    for path, inner in (("/hooks", "/"), ("/hooks/", "/"), ("/hooks/a/b", "/a/b")):
        assert _answer(module, http_event(path=path))[0] == 200
        [message] = aws.received()
        aws.delete(message)
        assert envelope.unpack(message["body"], b"").path == inner


def test_heartbeats_need_no_source(publish: Publish, aws: Aws) -> None:
    """The monitoring's own webhook arrives whatever the sources are."""
    event = heartbeat_event(path="/hooks" + envelope.HEARTBEAT_PATH)
    assert _answer(publish(_OPEN, PATH_PREFIX="/hooks"), event)[0] == 200
    [message] = aws.received()
    assert envelope.unpack(message["body"], b"").heartbeat


def test_sources_have_backends_of_their_own(
    publish: Publish,
    functions: Functions,
    aws: Aws,
    backend: ScriptedBackend,
) -> None:
    """A webhook goes to its source's backend; one whose source has none to the environment's."""
    with ScriptedBackend() as other:
        module = publish(
            {**_OPEN, "backend_url": f"{other.url}/base"}, {"name": "rest", "paths": ["/*"]}
        )
        subscribe = functions.subscribe(backend.url)
        for path in ("/orders/7", "/else"):
            assert _answer(module, http_event(path=path))[0] == 200
            records = aws.received()
            assert subscribe.handler({"Records": records}, context()) == {"batchItemFailures": []}
            aws.delete(records[0])
        assert [request.target for request in other.faux.received] == ["/base/orders/7"]
    assert [request.target for request in backend.faux.received] == ["/else"]
    stored = aws.record(records[0]["messageId"])
    assert stored
    assert stored["source"] == {"S": "rest"}


def test_a_verified_source_may_change_bodies(
    publish: Publish, aws: Aws, secret: Callable[[str], str]
) -> None:
    """With deduplicateBy id the same id is a repeat whatever its body is, of this source only."""
    entry = {"methods": ["POST"], "groupId": ["path:2"], "deduplicationId": ["header:X-Id"]}
    verify = {"scheme": "token", "token": "header:X-Key", "secretArn": secret("k")}
    module = publish(
        {"name": "a", "paths": ["/a/*"], "deduplicateBy": "id", "verify": verify, **entry},
        {"name": "b", "paths": ["/b/*"], "deduplicateBy": "id and request", **entry},
    )
    for path in ("/a/g", "/b/g"):
        for body in (b"one", b"two"):
            event = http_event(body, path=path, headers={"x-id": "evt_1", "x-key": "k"})
            assert _answer(module, event)[0] == 200
    assert aws.waiting() == 3
