"""Each rule has a page, whose examples do what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from alarmproof.base import bounded_yaml
from alarmproof.lint import lint
from alarmproof.rule_pages import refreshed
from alarmproof.rules import RULES
from alarmproof.rules.registry import Rule
from alarmproof.template import parse

PAGES = Path(__file__).parents[1] / "docs" / "rules"
# They need a stack's region, a project's configuration, or somebody to ask; they have other tests.
WITHOUT_TEMPLATE = {
    "metric-elsewhere", "name-pattern", "not-seen-live", "runbook-pattern", "runbook-unreachable",
}  # fmt: skip


def _examples(rule: Rule) -> dict[str, str]:
    page = (PAGES / f"{rule.id}.md").read_text("utf-8")
    return dict(re.findall(r"## (Fails|Mended)\n\n```yaml\n(.*?)```", page, re.DOTALL))


def _found(text: str) -> set[str]:
    return {finding.rule for finding in lint(parse(bounded_yaml.load(text), "t.yaml"))}


def test_there_is_a_page_for_each_rule_and_no_other() -> None:
    """A new rule comes with its page."""
    assert {page.stem for page in PAGES.glob("*.md")} == {rule.id for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_page_says_what_the_code_says(rule: Rule) -> None:
    """Severity, reason and remedy are the rule's own, and the source is named."""
    page = (PAGES / f"{rule.id}.md").read_text("utf-8")
    assert refreshed(page, rule) == page
    assert page.partition("## Source\n")[2].strip()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_page_s_example_fails_and_is_mended(rule: Rule) -> None:
    """The rule finds the first example's fault, and only notes on others are left in the second."""
    examples = _examples(rule)
    if rule.id in WITHOUT_TEMPLATE:
        assert not examples
        return
    assert rule.id in _found(examples["Fails"])
    assert _found(examples["Mended"]) <= {"metric-not-judged", "unsupported-expression"} - {rule.id}
