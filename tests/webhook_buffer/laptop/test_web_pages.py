"""A page in a real browser, at another origin: it can send a webhook, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.chromium import launched
from tests.emulated_aws import client
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.fake_datadog.server import FakeDatadog
from webhook_buffer.laptop.programs.listener import AnyMethod, listening
from webhook_buffer.laptop.programs.process import Running


class _Page(AnyMethod):
    """An empty page, at any name; at ``/null`` of an origin of its own, which nobody can name."""

    def _checked(self) -> None:
        self.send_response(200)
        if self.path == "/null":
            self.send_header("Content-Security-Policy", "sandbox allow-scripts allow-forms")
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture(scope="module")
def pages() -> Iterator[ThreadingHTTPServer]:
    server = listening(_Page, 0)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for which every name below ``test`` is this machine: a stranger's DNS."""
    with launched("--host-resolver-rules=MAP *.test 127.0.0.1") as browser:
        yield browser


@pytest.fixture(params=["evil.test", "127.0.0.1", "null"])
def foreign(request: pytest.FixtureRequest, browser: Browser, pages: Any) -> Iterator[Page]:
    """A page of a stranger's, of another program on this machine, and one of no origin at all."""
    page = browser.new_page()
    host, path = ("evil.test", "null") if request.param == "null" else (request.param, "")
    page.goto(f"http://{host}:{pages.server_port}/{path}")
    yield page
    page.close()


# Every way in which a page sends something without asking first, and one in which it asks. Each
# ends when its answer, or its refusal, is there.
_ATTEMPTS = """
async ([url, body]) => {
  const ended = (element, start) => new Promise((done) => {
    element.onload = element.onerror = () => done('ended');
    start(element);
  });
  const framed = (start) => ended(document.createElement('iframe'), (frame) => {
    frame.name = 'frame' + Math.random();
    document.body.append(frame);
    start(frame);
  });
  const plain = {method: 'POST', body, headers: {'Content-Type': 'text/plain'}};
  const read = (reply) => reply.text().then((text) => 'READ ' + reply.status + ' ' + text);
  const attempts = {
    post: fetch(url, {...plain, mode: 'no-cors'}).then((reply) => reply.type),
    silent: fetch(url, {...plain, mode: 'no-cors', referrerPolicy: 'no-referrer'})
      .then((reply) => reply.type),
    read: fetch(url).then(read),
    header: fetch(url, {...plain, headers: {'X-Buffer-Message-Id': '1'}}).then(read),
    put: fetch(url, {method: 'PUT', body}).then(read),
    beacon: new Promise((done) => done(String(navigator.sendBeacon(url, body)))),
    image: ended(new Image(), (image) => {
      image.referrerPolicy = 'no-referrer';
      image.src = url;
    }),
    frame: framed((frame) => { frame.src = url; }),
    form: framed((frame) => {
      const form = document.createElement('form');
      Object.assign(form, {method: 'POST', action: url, target: frame.name, enctype: 'text/plain'});
      const input = document.createElement('input');
      Object.assign(input, {name: body, value: ''});
      form.append(input);
      document.body.append(form);
      form.submit();
    }),
  };
  const results = {};
  for (const [name, attempt] of Object.entries(attempts))
    results[name] = await attempt.catch((error) => 'blocked: ' + error.message);
  return results;
}
"""


def _attempt(page: Page, url: str, body: str) -> dict[str, str]:
    """What a page saw of its attempts at a URL."""
    results: dict[str, str] = page.evaluate(_ATTEMPTS, [url, body])
    assert not [name for name, seen in results.items() if seen.startswith("READ")], results
    return results


def test_a_foreign_page_does_not_reach_the_emulator(foreign: Page, emulator: Running) -> None:
    """It can neither reset the emulator, nor create a function, nor delete a queue, nor read."""
    functions, sqs = (client(emulator.endpoint_url, name) for name in ("lambda", "sqs"))
    queue = sqs.create_queue(QueueName="from-a-page")["QueueUrl"]
    before = [function["FunctionName"] for function in functions.list_functions()["Functions"]]
    create = {
        "FunctionName": "from-a-page",
        "Runtime": "python3.12",
        "Role": "arn:aws:iam::000000000000:role/any",
        "Handler": "x.handler",
        "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},
    }
    for target, body in (
        ("/2015-03-31/functions", json.dumps(create)),
        ("/_ministack/reset", "{}"),
        (f"/?Action=DeleteQueue&QueueUrl={queue}", ""),
    ):
        _attempt(foreign, f"{emulator.endpoint_url}{target}", body)
    assert [
        function["FunctionName"] for function in functions.list_functions()["Functions"]
    ] == before
    assert queue in sqs.list_queues()["QueueUrls"]


def test_a_foreign_page_reaches_no_listener(foreign: Page) -> None:
    """Nothing of it reaches the fake Datadog or the practice backend."""
    with FakeDatadog() as datadog, ScriptedBackend() as backend:
        _attempt(foreign, f"{datadog.url}/api/v1/monitor", "{}")
        _attempt(foreign, f"{backend.url}/hook", "{}")
        assert not datadog.requests
        assert not backend.faux.received


def test_a_rebound_name_reaches_nothing(browser: Browser, emulator: Running) -> None:
    """A page whose own name is led to this machine is of the same origin, and is refused by it."""
    with FakeDatadog() as datadog:
        for url in (emulator.endpoint_url, datadog.url):
            page = browser.new_page()
            reply = page.goto(f"http://rebound.test:{urlsplit(url).port}/_ministack/health")
            assert reply
            assert reply.status == 403
            assert "'rebound.test:" in reply.text()
            page.close()


def test_own_pages_work(browser: Browser) -> None:
    """The fake Datadog's page opens, and so do its links."""
    with FakeDatadog() as datadog:
        datadog.put("monitor", "1", {"id": 1, "name": "<b>Queue age</b>"})
        page = browser.new_page()
        page.goto(datadog.url)
        page.get_by_text("<b>Queue age</b>").click()
        page.wait_for_url("**/objects/monitor/1")
        assert "Queue age" in page.content()
        page.close()
