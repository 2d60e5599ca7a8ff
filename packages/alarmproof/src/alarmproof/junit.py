"""Outcomes of cases as JUnit XML."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from alarmproof.runner import Outcome


def junit(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as JUnit XML, as continuous integration reads it."""
    failed = sum(not outcome.passed for outcome in outcomes)
    root = ElementTree.Element("testsuites", tests=str(len(outcomes)), failures=str(failed))
    files = dict.fromkeys(outcome.case.file for outcome in outcomes)
    for file in files:
        inside = [outcome for outcome in outcomes if outcome.case.file == file]
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=file,
            tests=str(len(inside)),
            failures=str(sum(not outcome.passed for outcome in inside)),
        )
        for outcome in inside:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=outcome.alarm.name,
                name=outcome.case.title,
                file=file,
                line=str(outcome.case.line),
            )
            if not outcome.passed:
                text = "\n".join(f"line {failure.line}: {failure}" for failure in outcome.failures)
                node = ElementTree.SubElement(case, "failure", message=str(outcome.failures[0]))
                node.text = text
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
