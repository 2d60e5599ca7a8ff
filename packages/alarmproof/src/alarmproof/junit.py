"""Outcomes of cases as JUnit XML."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from alarmproof.runner import Outcome


def junit(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as JUnit XML, as continuous integration reads it."""
    failed = sum(not one.passed for one in outcomes)
    root = ElementTree.Element("testsuites", tests=str(len(outcomes)), failures=str(failed))
    files = dict.fromkeys(one.case.file for one in outcomes)
    for file in files:
        inside = [one for one in outcomes if one.case.file == file]
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=file,
            tests=str(len(inside)),
            failures=str(sum(not one.passed for one in inside)),
        )
        for one in inside:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=one.alarm.name,
                name=one.case.title,
                file=file,
                line=str(one.case.line),
            )
            if not one.passed:
                text = "\n".join(f"line {two.line}: {two}" for two in one.failures)
                node = ElementTree.SubElement(case, "failure", message=str(one.failures[0]))
                node.text = text
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
