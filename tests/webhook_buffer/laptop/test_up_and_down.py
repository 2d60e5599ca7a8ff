"""The laptop deployed again, destroyed, killed and stopped, through the public command.

Last of its group, for what it stops the next test would have to start.
"""

from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import replace

import psutil
import pytest
import urllib3

from alarms import CATALOG
from settings.loader import load
from tests.laptop import Laptop
from tests.waiting import eventually
from webhook_buffer.operations import deployment
from webhook_buffer.operations.send import Sender, Webhook

pytestmark = [pytest.mark.xdist_group("laptop"), pytest.mark.emulator]


@pytest.fixture(scope="module")
def deployed_again(deployed: Laptop) -> str:
    """What a deployment of what runs already prints, while Datadog has nothing of it."""
    if not deployed.running:
        deployed.run("up")
    deployed.run("datadog", "destroy", "--yes")
    return deployed.run("deploy", "--env", "local", "--yes")


def test_deploy_shows_no_change_and_tests(deployed_again: str) -> None:
    """A deployment of what runs already shows no difference, and ends with the smoke tests."""
    assert "There were no differences" in deployed_again
    assert "groupId" not in deployed_again
    assert "4 smoke tests passed" in deployed_again


def test_deploy_publishes_to_datadog_before_it_tests(deployed_again: str, laptop: Laptop) -> None:
    """The plan stands before the deployment; then all of it is published and the time marked."""
    parts = ("24 to create", "Deploying", "24 of 24 done", "smoke tests passed")
    places = [deployed_again.index(part) for part in parts]
    assert places == sorted(places)
    url = re.search(r"Fake Datadog *│ (\S+)", laptop.run("status"))
    assert url
    page = urllib3.request("GET", url[1]).data.decode()
    assert "Monitors (18)" in page
    [event] = re.findall(r"/objects/event/\d+", page)[-1:]
    tags = urllib3.request("GET", f"{url[1]}{event}").json()["tags"]
    assert {"env:local", "event:deployment", f"version:{laptop.outputs['Release']}"} <= set(tags)


def test_deploy_asks_first(laptop: Laptop) -> None:
    """Where nobody can be asked, nothing is deployed without --yes."""
    output = laptop.run("deploy", "--env", "local", code=2)
    assert "is not a terminal; pass --yes" in output


def test_destroy_keeps_the_records_and_deploy_takes_them_over(laptop: Laptop) -> None:
    """After destroy the table is left and named; the next up adopts it with its records.

    Before it, monitoring that the settings no longer want goes, and webhooks flow without it.
    """
    without = {"monitoring": False}
    target = replace(laptop.target, settings=load("local", overrides=without), overrides=without)
    assert deployment.leftover(target) == "webhook-buffer-local-monitoring"
    deployment.apply(
        target, deployment.synthesize(target, nullcontext, CATALOG, lint=False), nullcontext
    )
    assert deployment.deployed(target) == ["webhook-buffer-local"]
    sender = Sender(laptop.outputs["BufferedEndpoint"])
    message_id = sender.post(Webhook(body=b"kept")).answer["message_id"]
    eventually(lambda: laptop.record(message_id))
    table = laptop.outputs["DynamoDBTable"]
    output = laptop.run("destroy", "--env", "local", "--yes")
    assert f"--table-name {table}" in output
    assert "is not deployed" in laptop.run("status", code=1)
    laptop.run("up")
    assert laptop.record(message_id)["message_id"] == {"S": message_id}
    laptop.run("smoke")


def test_death_of_the_emulator_is_reported(laptop: Laptop) -> None:
    """After the emulator died, status says so with the log; up starts a new one."""
    port = laptop.emulator["port"]
    psutil.Process(laptop.emulator["pid"]).kill()
    eventually(lambda: "died after" in laptop.run("status", code=1))
    laptop.run("up", "--port", str(port))
    laptop.run("smoke")


def test_down_says_what_it_stopped_and_left(laptop: Laptop) -> None:
    """down stops the emulator by pid, names what waited, and a second one finds nothing."""
    endpoint, pid = laptop.outputs["BufferedEndpoint"], laptop.emulator["pid"]
    body = b'{"group_id": "x", "faux_backend_force_status_code": 500}'
    assert Sender(endpoint).post(Webhook(body=body)).accepted
    output = laptop.run("down")
    assert f"pid {pid}" in output
    assert "Lost with it: the webhooks that were still queued (1)" in output
    assert not psutil.pid_exists(pid)
    assert not (laptop.state / "cdk.out.json").exists()
    assert "Nothing is running" in laptop.run("down")
