"""MonitoringStack: signals → alarms → topics → notify, and the dashboard beside them."""

from __future__ import annotations

import json
from typing import Any

from functions import jsii  # noqa: F401 - before aws_cdk

# isort: split
from aws_cdk import Annotations, CfnOutput, Fn, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from functions import requirements
from functions.encryption import Encryption
from functions.factory import FunctionFactory
from monitoring.alarm_guide import alarm_guides
from monitoring.alarm_set import AlarmSet, alarm_set
from monitoring.cdk.alarms import Alarms, laptop_alarms
from monitoring.cdk.end_to_end import create_audit, create_heartbeat, create_probe
from monitoring.cdk.log_filters import create_log_filters
from monitoring.cdk.notifications import Notifications
from monitoring.channels import unrouted
from monitoring.cloudwatch.dashboard import body
from monitoring.model.catalog import Catalog
from monitoring.model.dashboards import Dashboards
from monitoring.model.signals import Severity
from monitoring.resources import resources
from settings.schema import Settings


class MonitoringStack(Stack):
    """Everything that monitors; it knows the resources by name, never by object.

    Args:
        catalog: the signals that become its alarms.
        dashboards: of which it renders CloudWatch's.

    Attributes:
        functions: its functions, by name without prefix.
    """

    def __init__(
        self,
        scope: Any,
        construct_id: str,
        *,
        settings: Settings,
        catalog: Catalog,
        dashboards: Dashboards,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            scope, construct_id, termination_protection=not settings.for_practice, **kwargs
        )
        requirements.apply(self, settings)

        api_id = Fn.import_value(settings.api_id_export)
        alarms = alarm_set(
            settings,
            catalog,
            resources(settings) if settings.existing else resources(settings, api_id=api_id),
            dashboards=dashboards,
        )
        functions = FunctionFactory.of(
            settings,
            encryption=Encryption.of(self, settings),
            beside={"alarm_guides.json": json.dumps(alarm_guides(alarms), indent=1)},
        )
        notifications = Notifications(
            self,
            "Notifications",
            settings=settings,
            functions=functions,
            names_webhooks=alarms.resources.ours,
        )
        Alarms(
            self,
            "Alarms",
            alarms=alarms,
            topics=notifications.topics,
            on_laptop=laptop_alarms(self, functions) if settings.on_laptop else None,
        )
        if settings.sends_heartbeats:
            probe = create_probe(self, settings, notifications.topics["page"])
            create_heartbeat(self, settings, functions, endpoint=_endpoint(settings), probe=probe)
        if alarms.resources.ours:
            create_audit(self, settings, functions)
        create_log_filters(self, alarms)
        dashboard = self._dashboard(alarms, dashboards)
        for number, warning in enumerate(unrouted(settings)):
            Annotations.of(self).add_warning_v2(f"webhook-buffer:unrouted-{number}", warning)
        for severity in Severity:
            topic = notifications.topics[severity]
            CfnOutput(self, f"{severity.capitalize()}Topic", value=topic.topic_arn)
        CfnOutput(self, "DashboardName", value=dashboard.ref)
        self.functions = functions.made

    def _dashboard(self, alarms: AlarmSet, dashboards: Dashboards) -> cloudwatch.CfnDashboard:
        settings = alarms.settings
        rendered = body(alarms, dashboards, region=settings.awsRegion, account=settings.awsAccount)
        return cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=settings.dashboard_name,
            dashboard_body=self.to_json_string(rendered),
        )


def _endpoint(settings: Settings) -> str:
    """Where the heartbeat sends its webhooks: at the domain, or at the API's own URL."""
    if settings.domain_name:
        origin = f"https://{settings.domain_name}"
    else:
        origin = Fn.import_value(settings.endpoint_export)
    return origin + (settings.pathPrefix or "")
