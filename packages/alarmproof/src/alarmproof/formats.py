"""Findings in the forms that people, code hosts and continuous integration read.

A finding's texts come from strangers' templates, and each form escapes them in its own way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from urllib.parse import quote
from xml.etree import ElementTree

from alarmproof.joined_findings import fingerprint
from alarmproof.lint import Finding, failed
from alarmproof.printable import printable
from alarmproof.rules import RULES

# What XML 1.0 can't hold, however it is escaped. Source: W3C, "Extensible Markup Language (XML)
# 1.0", Char.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# In place of a rule, where a file or an option can't be used.
_INPUT = "input"
_KEYS = ("rule", "severity", "alarm", "file", "line", "message", "remedy")


def as_json(findings: Sequence[Finding]) -> str:
    """A JSON list."""
    return json.dumps(
        [{key: getattr(finding, key) for key in _KEYS} for finding in findings], indent=2
    )


def as_sarif(findings: Sequence[Finding], errors: Sequence[str] = (), *, version: str) -> str:
    """SARIF 2.1.0, which code hosts show beside the code.

    Args:
        errors: what kept files from being judged.

    Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; for errors,
    3.20, "invocation object".
    """
    rules = [
        {
            "id": rule.id,
            "shortDescription": {"text": f"{rule.finds[0].upper()}{rule.finds[1:]}."},
            "help": {"text": f"{rule.why} {rule.remedy}"},
            "defaultConfiguration": {"level": rule.severity},
        }
        for rule in RULES
    ]
    driver = {"name": "alarmproof", "version": version, "rules": rules}
    invocation = {
        "executionSuccessful": not errors,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": error}} for error in errors
        ],
    }
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "invocations": [invocation],
                "results": list(map(_sarif_result, findings)),
            }
        ],
    }
    return json.dumps(document, indent=2)


def _sarif_result(finding: Finding) -> dict[str, object]:
    place = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(finding.file.replace("\\", "/"))},
            "region": {"startLine": finding.line},
        },
        "logicalLocations": [{"name": finding.alarm, "kind": "resource"}],
    }
    return {
        "ruleId": finding.rule,
        "level": finding.severity,
        "message": {"text": f"{finding.alarm}: {finding.message} {finding.remedy}"},
        "locations": [place],
        "partialFingerprints": {"alarmproof/v1": fingerprint(finding)},
    }


def as_junit(
    findings: Sequence[Finding], errors: Sequence[str] = (), *, strict: bool = False
) -> str:
    """JUnit XML: a failure for each finding that is one; all others pass, with their text."""
    failures = [finding for finding in findings if failed([finding], strict=strict)]
    counts = {
        "tests": str(len(findings) + len(errors)), "failures": str(len(failures)),
        "errors": str(len(errors)),
    }  # fmt: skip
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": "alarmproof", **counts})
    for finding in findings:
        attributes = {
            "classname": finding.alarm, "name": finding.rule, "file": finding.file,
            "line": str(finding.line),
        }  # fmt: skip
        case = _element(suite, "testcase", attributes)
        text = f"{finding.file}:{finding.line}: {finding.message} {finding.remedy}"
        if finding in failures:
            failure = _element(
                case, "failure", {"type": finding.severity, "message": finding.message}
            )
            failure.text = _xml(text)
        else:
            shown = f"{finding.severity}: {text}"
            _element(case, "system-out", {}).text = _xml(shown)
    for error in errors:
        case = _element(suite, "testcase", {"classname": "alarmproof", "name": _INPUT})
        _element(case, "error", {"message": error})
    return _document(root)


def as_checkstyle(findings: Sequence[Finding], errors: Sequence[str] = ()) -> str:
    """Checkstyle's XML; a note is ``info``, and an error of a file names it in its message."""
    root = ElementTree.Element("checkstyle", {"version": "4.3"})
    if errors:
        node = _element(root, "file", {"name": "alarmproof"})
        for error in errors:
            _element(node, "error", {"line": "1", "severity": "error", "message": error,
                                     "source": f"alarmproof.{_INPUT}"})  # fmt: skip
    for file in dict.fromkeys(finding.file for finding in findings):
        node = _element(root, "file", {"name": file})
        for finding in findings:
            if finding.file == file:
                severity = "info" if finding.severity == "note" else finding.severity
                _element(node, "error", {
                    "line": str(finding.line), "severity": severity,
                    "message": f"{finding.alarm}: {finding.message} {finding.remedy}",
                    "source": f"alarmproof.{finding.rule}",
                })  # fmt: skip
    return _document(root)


def _element(
    parent: ElementTree.Element, name: str, attributes: dict[str, str]
) -> ElementTree.Element:
    kept = {key: _xml(value) for key, value in attributes.items()}
    return ElementTree.SubElement(parent, name, kept)


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _document(root: ElementTree.Element) -> str:
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "unicode")


def as_github(findings: Sequence[Finding], errors: Sequence[str] = ()) -> str:
    """Workflow commands, which GitHub shows as annotations beside the code.

    Source: GitHub Actions documentation, "Workflow commands for GitHub Actions".
    """
    annotations = [
        f"::{'notice' if finding.severity == 'note' else finding.severity} "
        f"file={_github_property(finding.file)},line={finding.line},"
        f"title={_github_property(finding.rule)}::"
        f"{_github_data(f'{finding.alarm}: {finding.message} {finding.remedy}')}"
        for finding in findings
    ]
    return "\n".join([*annotations, *(f"::error::{_github_data(error)}" for error in errors)])


def _github_data(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return printable(escaped)


def _github_property(text: str) -> str:
    return _github_data(text).replace(":", "%3A").replace(",", "%2C")
