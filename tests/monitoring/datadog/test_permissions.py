"""Wrong keys and missing permissions are named before anything is written."""

from __future__ import annotations

import dataclasses

import pytest

from monitoring.datadog.definition import Kind
from monitoring.datadog.sync.api import Api
from monitoring.datadog.sync.plan import plan
from monitoring.documents.datadog import example
from settings.errors import DatadogError
from tests.datadog_publishing import carried_out, client, one_of_each, planned
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.fake_datadog import FakeDatadog

_SETTINGS = example()


@pytest.mark.parametrize(
    ("which", "refused"), [("api", "API key"), ("application", "application key")]
)
def test_a_wrong_key_is_reported_before_anything_is_written(
    datadog: FakeDatadog, which: str, refused: str
) -> None:
    """A wrong key or site: one sentence that names which key, from where, and no write."""
    keys = dataclasses.replace(laptop.fake_datadog_keys(datadog.url), **{which: "wrong-key"})
    with pytest.raises(DatadogError, match=f"does not take the {refused} from") as caught:
        plan(Api(keys), _SETTINGS, one_of_each(_SETTINGS))
    assert "wrong-key" not in f"{caught.value} {keys!r}"
    assert all(request.method == "GET" for request in datadog.requests)


@pytest.mark.parametrize(
    ("which", "named"), [("api", "API key"), ("application", "application key")]
)
def test_preflight_reports_a_wrong_key(datadog: FakeDatadog, which: str, named: str) -> None:
    """Each of the two keys is asked for by itself, and right ones pass, whatever their scopes."""
    right = laptop.fake_datadog_keys(datadog.url)
    datadog.permissions.clear()
    Api(right).check_keys()
    with pytest.raises(DatadogError, match=f"does not take the {named} from"):
        Api(dataclasses.replace(right, **{which: "wrong-key"})).check_keys()


@pytest.mark.parametrize("permission", ["monitors_write", "slos_write", "dashboards_write"])
def test_a_missing_permission_is_reported_before_anything_is_written(
    datadog: FakeDatadog, permission: str
) -> None:
    """Without a permission that it needs, an apply names it and has written nothing."""
    datadog.permissions.remove(permission)
    next_plan = planned(datadog, _SETTINGS, one_of_each(_SETTINGS))
    with pytest.raises(DatadogError, match=permission):
        carried_out(datadog, _SETTINGS, next_plan)
    assert not any(datadog.objects(kind) for kind in ("monitor", "slo", "dashboard"))


@pytest.mark.parametrize("permission", ["monitors_read", "slos_read", "dashboards_read"])
def test_a_missing_read_permission_is_not_a_wrong_key(
    datadog: FakeDatadog, permission: str
) -> None:
    """For a scoped key the error names the scope it lacks."""
    datadog.permissions.remove(permission)
    with pytest.raises(DatadogError, match=permission):
        planned(datadog, _SETTINGS, one_of_each(_SETTINGS))


def test_asking_for_permission_changes_nothing(datadog: FakeDatadog) -> None:
    """The question is a creation that can't succeed, for every kind."""
    api = client(datadog)
    for kind in Kind:
        api.require_permission(kind)
        assert not datadog.objects(kind)
        assert datadog.requests[-1].status == 400
