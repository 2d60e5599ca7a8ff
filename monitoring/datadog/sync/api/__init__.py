"""Datadog's API through its official client: the only place that knows it."""

from monitoring.datadog.sync.api.bodies import RemoteObject
from monitoring.datadog.sync.api.client import Api
from monitoring.datadog.sync.api.models import fields, problems
from monitoring.datadog.sync.api.transport import CONNECTIONS

__all__ = ["CONNECTIONS", "Api", "RemoteObject", "fields", "problems"]
