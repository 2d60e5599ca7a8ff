"""Asks whether the runbooks that alarms link to are there (``--check-links``).

Links come from templates, so only those that the project's ``patterns.runbook`` matches are asked
for, where there is one; nothing of the answers is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from alarmproof.base.definitions import Templates
from alarmproof.base.errors import InputError
from alarmproof.lint import Finding
from alarmproof.rules.names import links
from alarmproof.rules.outside import runbook_unreachable as rule

_PATIENCE = 5.0
_AT_ONCE = 8
_MOST = 500
# Those that don't answer HEAD are asked with GET. A page behind a login is there.
_NO_HEAD, _THERE = (405, 501), (401, 403)


def findings(templates: Templates, pattern: re.Pattern[str] | None = None) -> list[Finding]:
    """A warning for each link that does not answer, at each alarm that has it.

    Args:
        pattern: that a link has to match to be asked for.

    Raises:
        InputError: When there are too many links.
    """
    by_alarm = [
        (alarm, link)
        for alarm in templates.alarms
        for link in dict.fromkeys(links(alarm))
        if pattern is None or pattern.search(link)
    ]
    faults = _faults({link.partition("#")[0] for _, link in by_alarm})
    return [
        Finding(
            rule.id, rule.severity, alarm.name, alarm.source.file, alarm.source.line,
            f"{link} does not answer: {fault}.", rule.remedy,
        )
        for alarm, link in by_alarm
        if (fault := faults[link.partition("#")[0]])
    ]  # fmt: skip


def _faults(addresses: Iterable[str]) -> dict[str, str]:
    """What is wrong with each address; empty where it answers."""
    asked = sorted(addresses)
    if len(asked) > _MOST:
        raise InputError(f"--check-links: {len(asked)} links are too many; {_MOST} is the limit.")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(asked, pool.map(_fault, asked), strict=True))


def _fault(address: str, method: str = "HEAD") -> str:
    try:
        # links() yields http and https only.
        with urlopen(Request(address, method=method), timeout=_PATIENCE):  # noqa: S310
            return ""
    except HTTPError as error:
        error.close()
        if error.code in _NO_HEAD and method == "HEAD":
            return _fault(address, "GET")
        return "" if error.code in _THERE else f"status {error.code}"
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        return str(getattr(reason, "strerror", None) or reason or type(error).__name__)
