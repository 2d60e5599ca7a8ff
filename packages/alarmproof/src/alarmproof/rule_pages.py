"""The part of a rule's page that the code says: ``docs/rules/ID.md`` begins with it.

``python -m alarmproof.rule_pages docs/rules`` brings the pages up to date; examples and sources
are written by hand, and tested.
"""

from __future__ import annotations

import sys
from pathlib import Path

from alarmproof.rules import RULES
from alarmproof.rules.registry import Rule

BEGIN, END = "<!-- generated: rule -->", "<!-- end -->"


def head(rule: Rule) -> str:
    """What, why, how to mend it, and how to switch it off."""
    return f"""{BEGIN}
# `{rule.id}`

Finds {rule.finds}. Severity: {rule.severity}.

**Why**: {rule.why}

**Remedy**: {rule.remedy}

**Switch it off** in `alarmproof.toml`:

```toml
[rules]
{rule.id} = "off"
```

or for one alarm, with a reason: see [Allow a finding](../lint.md#allow-a-finding).
{END}"""


def refreshed(page: str, rule: Rule) -> str:
    """A page with its beginning as the code has it."""
    return head(rule) + page.partition(END)[2]


def main(folder: str) -> None:
    """Writes all pages."""
    for rule in RULES:
        path = Path(folder) / f"{rule.id}.md"
        page = path.read_text("utf-8") if path.exists() else ""
        path.write_text(refreshed(page, rule), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
