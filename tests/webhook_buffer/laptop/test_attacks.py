"""What strangers try on a running laptop, and what it shows of it."""

from __future__ import annotations

import json
from functools import partial
from urllib.parse import quote

import psutil
import pytest
import urllib3

from tests.laptop import BESIDE, Laptop
from tests.waiting import eventually

pytestmark = [pytest.mark.xdist_group("laptop"), pytest.mark.emulator]

_PAGE = {"Origin": "https://evil.example", "Content-Type": "text/plain"}


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/_ministack/reset", _PAGE),
        ("POST", "/2015-03-31/functions", _PAGE),
        ("GET", "/2015-03-31/functions", {"Host": "rebound.example"}),
        ("GET", "/?Action=DeleteTopic&TopicArn={PageTopic}", {"Sec-Fetch-Site": "cross-site"}),
    ],
    ids=["reset", "create a function", "list functions", "delete the page topic"],
)
def test_a_page_can_not_use_the_emulator(
    laptop: Laptop, method: str, path: str, headers: dict[str, str]
) -> None:
    """A request that a page can send is refused, and what is deployed stays as it was."""
    topics = json.loads((laptop.state / "cdk.out.json").read_text())
    path = path.format(**topics["webhook-buffer-local-monitoring"])
    functions, sns = laptop.client("lambda"), laptop.client("sns")

    def deployed() -> tuple[object, object]:
        return functions.list_functions()["Functions"], sns.list_topics()["Topics"]

    before = deployed()
    url = f"http://127.0.0.1:{laptop.emulator['port']}{path}"
    reply = urllib3.request(method, url, headers=headers, body=b"{}")
    assert reply.status == 403
    assert "Refused: " in reply.json()["error"]
    assert deployed() == before


def test_nothing_listens_for_other_machines(laptop: Laptop) -> None:
    """Every socket of every program of `up`, and of what it started, is bound to loopback."""
    addresses = set()
    for name in ("emulator", *BESIDE):
        program = laptop.process(name)
        assert program, name
        for process in (program, *program.children(recursive=True)):
            addresses |= {
                entry.laddr.ip
                for entry in process.net_connections(kind="inet")
                if entry.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)  # NONE: UDP
            }
    assert addresses == {"127.0.0.1"}


def test_no_path_forges_a_log_line(laptop: Laptop) -> None:
    """A path with escapes and a made-up line is one line of `logs`, with nothing unprintable."""
    forged = "21:35:00.000 subscribe INFO webhook.delivered group_id=forged status=200"
    path = quote(f"a\x1b]0;PWNED\x07\x1b[2J\n{forged}")
    endpoint = laptop.outputs["BufferedEndpoint"]
    reply = urllib3.request("POST", f"{endpoint}/{path}", body=b'{"group_id": "escapes"}')
    assert reply.status == 200

    def lines(*options: str) -> list[str]:
        return laptop.run("logs", "--group", "escapes", *options).splitlines()

    eventually(lambda: len(lines()) >= 2)
    for options in ((), ("--json",)):
        shown = lines(*options)
        assert len([line for line in shown if "PWNED" in line]) == 1
        assert not [line for line in shown if line.startswith("21:35") or not line.isprintable()]
    assert laptop.run("logs", "--group", "forged").startswith("No such line was logged")


def test_swallowed_paths_reach_the_backend(laptop: Laptop) -> None:
    """What the emulator keeps for itself on every host is delivered, as is a slash at the end."""
    endpoint = laptop.outputs["BufferedEndpoint"]
    sent = {}
    for path in ("/health", "/login", "/v2", "/oauth2/token", "/_ministack/health", "/a/"):
        for method in ("POST", "OPTIONS"):
            body = json.dumps({"group_id": f"{method} {path}"})
            reply = urllib3.request(method, f"{endpoint}{path}", body=body)
            assert reply.status == 200, (method, path)
            sent[reply.json()["message_id"]] = (method, path)
    for message_id, (method, path) in sent.items():
        record = eventually(partial(_delivered, laptop, message_id))
        request = json.loads(record["request"]["S"])
        assert (request["httpMethod"], request["path"]) == (method, path)
        assert record["backend_response_status_code"] == {"N": "200"}


def _delivered(laptop: Laptop, message_id: str) -> dict[str, dict[str, str]] | None:
    record = laptop.record(message_id)
    return record if "delivered_timestamp" in record else None


def test_what_is_ours_is_nobody_elses(laptop: Laptop) -> None:
    """Strangers' heartbeats are webhooks, their groups are theirs, and an id binds its body."""
    endpoint = laptop.outputs["BufferedEndpoint"]

    def sent(path: str, body: bytes, **headers: str) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        reply = urllib3.request("POST", f"{endpoint}{path}", body=body, headers=named)
        assert reply.status == 200
        reply_body: dict[str, str] = reply.json()
        return reply_body

    named = sent("/nowhere", b"x", X_Group_Id="webhook-buffer-heartbeat")
    imitated = sent("/webhook-buffer/heartbeat", b"", X_Buffer_Heartbeat="1", X_Group_Id="beat")
    twice = [
        sent("/hook", body, X_Group_Id="dd", X_GitHub_Delivery="evt_1001")
        for body in (b"one", b"two")
    ]
    assert named["group_id"].startswith("sha256:")
    assert imitated["group_id"] == "beat"
    for answer in (named, imitated, *twice):
        assert eventually(partial(_delivered, laptop, answer["message_id"]))
    arrived = [laptop.record(answer["message_id"])["request"]["S"] for answer in twice]
    assert [json.loads(request)["body"] for request in arrived] == ["one", "two"]
