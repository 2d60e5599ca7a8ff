"""The block ``datadog``: what can't work is one error, with its key and remedy."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from datadog_api_client import Configuration

from settings import loader
from settings.datadog import Site
from settings.errors import SettingsError

_SECRET = "arn:aws:secretsmanager:us-east-1:111111111111:secret:datadog/api-key"
_KEY = f"{_SECRET}-AbCdEf"
_FORWARDER = "arn:aws:lambda:us-east-1:111111111111:function:datadog-forwarder"


def _problems(environment: str = "dev", **overrides: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        loader.load(environment, overrides=overrides)
    return caught.value.problems


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"datadog": {}}, "key 'datadog.apiKeySecretArn': missing,"),
        ({"forwarderArn": _FORWARDER}, "key 'forwarderArn': set without datadog,"),
        (
            {"forwarderArn": _FORWARDER, "datadog": {"apiKeySecretArn": _KEY}},
            "key 'forwarderArn': set while datadog.apiKeySecretArn is,",
        ),
        (
            {"forwarderArn": _FORWARDER.replace("us-east-1", "eu-west-1"), "datadog": {}},
            "key 'forwarderArn': not in us-east-1 and account 111111111111, where the logs",
        ),
        (
            {"datadog": {"apiKeySecretArn": _SECRET}},
            "key 'datadog.apiKeySecretArn': lacks the six characters",
        ),
        (
            {"datadog": {"apiKeySecretArn": _KEY.replace("us-east-1", "eu-west-1")}},
            "key 'datadog.apiKeySecretArn': not in us-east-1 and account 111111111111,",
        ),
        (
            {"datadog": {"apiKeySecretArn": _KEY.replace("1111", "2222")}},
            "key 'datadog.apiKeySecretArn': not in us-east-1 and account 111111111111,",
        ),
        (
            {"datadog": {"apiKeySecretArn": "c0ffee0123456789c0ffee0123456789"}},
            "key 'datadog.apiKeySecretArn': is not the ARN of a Secrets",
        ),
        (
            {"datadog": {"apiKeySecretArn": _KEY, "functions": ["publisher"]}},
            "key 'datadog.functions': 'publisher' is not a function of this environment; it has ",
        ),
        (
            {"datadog": {"apiKeySecretArn": _KEY, "site": "datadoghq.org"}},
            "key 'datadog.site': input should be 'datadoghq.com',",
        ),
        (
            {"datadog": {"apiKeySecretArn": _KEY, "pythonLayerVersion": 0}},
            "key 'datadog.pythonLayerVersion': input should be greater than or equal to 1",
        ),
        (
            {"datadog": {"apiKeySecretArn": _KEY, "tracing": "yes"}},
            "key 'datadog.tracing': input should be a valid boolean",
        ),
        (
            {"datadog": {"apiKeySecretArn": _KEY, "apiKey": "c0ffee"}},
            "key 'datadog.apiKey': unknown; remove it or correct its spelling",
        ),
        (
            {"datadog": {"apiKeySecretArn": _KEY, "traceAgentUrl": "http://127.0.0.1:8126"}},
            "key 'datadog.traceAgentUrl': set in an environment on AWS,",
        ),
    ],
)  # fmt: skip
def test_what_can_not_work_is_one_error(overrides: dict[str, Any], expected: str) -> None:
    """Each names the key, says what is wrong and how to mend it, and shows no secret."""
    [problem] = _problems(**overrides)
    assert problem.startswith(expected)
    assert _SECRET not in problem
    assert "c0ffee" not in problem


@pytest.mark.parametrize("url", ["https://trace.example.com", "http://10.0.0.1:8126", "8126"])
def test_spans_of_the_laptop_stay_on_it(url: str) -> None:
    """The agent that functions on the laptop send to is on the laptop."""
    [problem] = _problems("local", datadog={"traceAgentUrl": url})
    assert problem.startswith("key 'datadog.traceAgentUrl':")


def test_on_the_laptop_an_agent_decides() -> None:
    """There are no layers there: functions are instrumented where their spans have an agent."""
    without = loader.load("local", overrides={"datadog": {}})
    assert without.instrumented_functions == []
    agent = {"traceAgentUrl": "http://127.0.0.1:8126", "functions": ["publish"]}
    assert loader.load("local", overrides={"datadog": agent}).instrumented_functions == ["publish"]


def test_every_site_of_datadog_is_taken() -> None:
    """Those that Datadog's own API client knows, and no others."""
    client: Any = Configuration
    [host, *_] = client().get_host_settings()
    assert set(get_args(Site)) == set(host["variables"]["site"]["enum_values"])
