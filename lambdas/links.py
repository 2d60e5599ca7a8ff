"""Where a person continues from a notification: the runbook, and the console or a laptop's command.

Source: the console's own addresses, as public repositories record them.
"""

from __future__ import annotations

import math
import re
from urllib.parse import quote

from lambdas.alarm_events import Transition
from lambdas.alarm_guide import AlarmGuide, AlarmGuides
from lambdas.timestamps import iso

# The console's domain where it is another one, by the region's beginning.
# Source: grafana/grafana, public/app/plugins/datasource/cloudwatch/aws_url.ts.
_CONSOLES = (("cn-", "console.amazonaws.cn"), ("us-gov-", "console.amazonaws-us-gov.com"))
_CONSOLE = "console.aws.amazon.com"


def links_of(
    transition: Transition, guides: AlarmGuides, guide: AlarmGuide | None, window: tuple[int, int]
) -> dict[str, str]:
    """Addresses by what they lead to; on a laptop only what is not in the console.

    Args:
        window: from when to when the log is of interest, milliseconds since the epoch.
    """
    links = {}
    if guide:
        links["runbook"] = f"{guides.runbook_url}#{quote(guide.runbook)}"
    if guides.laptop:
        return links
    region = transition.region or guides.region
    domain = next((console for start, console in _CONSOLES if region.startswith(start)), _CONSOLE)
    console = f"https://{region}.{domain}/cloudwatch/home?region={region}#"
    if guide and guide.log_group and guide.log_query:
        links["logs"] = console + _logs(guide.log_group, guide.log_query, window)
    links["dashboard"] = f"{console}dashboards:name={quote(guides.dashboard, safe='')}"
    if transition.readable:
        links["alarm"] = f"{console}alarmsV2:alarm/{quote(transition.alarm, safe='')}"
    return links


def command_for_log(
    guides: AlarmGuides, guide: AlarmGuide | None, window: tuple[int, int], now: int
) -> str | None:
    """On a laptop the command that shows what failed, back to the window's beginning; elsewhere,
    and where the log is not of one of our functions, None."""
    name = f"/aws/lambda/{guides.service}-{guides.environment}-"
    if not guides.laptop or guide is None or not (guide.log_group or "").startswith(name):
        return None
    function = (guide.log_group or "").removeprefix(name)
    minutes = math.ceil((now - window[0]) / 60_000)
    return (
        f"webhook-buffer logs --env {guides.environment} -f {function} --level WARNING"
        f" --minutes {minutes}"
    )


def _logs(group: str, query: str, window: tuple[int, int]) -> str:
    start, end = (_escaped(iso(at)) for at in window)
    return (
        "logsV2:logs-insights$3FqueryDetail$3D"
        f"~(end~'{end}~start~'{start}~timeType~'ABSOLUTE~tz~'UTC"
        f"~editorString~'{_escaped(query)}~source~(~'{_escaped(group)}))"
    )


def _escaped(text: str) -> str:
    """The console's own escaping of a string in its address."""
    return re.sub(
        r"[^A-Za-z0-9_.-]",
        lambda match: "".join(f"*{byte:02x}" for byte in match[0].encode()),
        text,
    )
