"""The dashboards of an environment, as they are published."""

from __future__ import annotations

from monitoring.alarm_set import AlarmSet
from monitoring.cloudwatch import dashboard
from monitoring.datadog.definition import Kind
from monitoring.datadog.messages import pages
from settings.datadog import DATADOG_SITE
from webhook_buffer import composition

CLOUDWATCH = "cloudwatch"


class Published:
    """The dashboards of an environment, as they are published, and the SLOs that they name.

    Attributes:
        site: the address of Datadog's pages.
    """

    def __init__(self, alarms: AlarmSet) -> None:
        settings = alarms.settings
        objects = composition.definitions(settings) if settings.datadog else []
        self.boards = {
            published.key: published.body
            for published in objects
            if published.kind is Kind.DASHBOARD
        }
        self.slos = {
            published.key: published.body for published in objects if published.kind is Kind.SLO
        }
        self.site = pages(settings.datadog.site if settings.datadog else DATADOG_SITE)
        self.cloudwatch = dashboard.body(
            alarms, composition.DASHBOARDS, region=settings.awsRegion, account=settings.awsAccount
        )

    def listed(self) -> list[dict[str, str]]:
        """Every dashboard's key and title."""
        boards = [
            {"key": key, "title": plain(body["title"]), "of": "Datadog"}
            for key, body in self.boards.items()
        ]
        return [*boards, {"key": CLOUDWATCH, "title": "CloudWatch dashboard", "of": "CloudWatch"}]


def plain(title: str) -> str:
    """A title without what follows in parentheses."""
    return title.partition(" (")[0]
