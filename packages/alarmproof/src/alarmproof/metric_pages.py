"""The part of ``docs/metrics.md`` that the data says: which rows have a source, and how many.

``python -m alarmproof.metric_pages docs/metrics.md`` brings the page up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from alarmproof.base.metric_rows import LIST, LIST_ADDRESS, READ_ON, SOURCED, UNVERIFIED
from alarmproof.base.metric_table import listed
from alarmproof.base.metric_traits import MOST, READ_MOST, READ_TRAITS, TRAITS

BEGIN, END = "<!-- generated: sources -->", "<!-- end -->"


def sources() -> str:
    """Counts of verified and unverified names, the page of each group, and what was not read."""
    verified = sum(len(row.names.split()) for row in SOURCED)
    unverified = sum(len(names.split()) for names in UNVERIFIED.values())
    rows = "\n".join(
        f"| `{row.namespace}` | {len(row.names.split())} | [{row.title}]({row.address}) "
        f"| {'yes' if row.whole else 'no'} |"
        for row in SOURCED
    )
    open_names = "\n".join(
        f"- `{namespace}`: {', '.join(f'`{name}`' for name in names.split())}"
        for namespace, names in UNVERIFIED.items()
    )
    unread = ", ".join(f"`{namespace}`" for namespace in sorted(set(TRAITS) - READ_TRAITS))
    in_list, services = sum(len(entry["names"]) for entry in listed().values()), len(listed())
    return f"""{BEGIN}
`metric_rows.py` has {verified + unverified} names that neither package has:
{verified} verified, {unverified} unverified.
The verified ones are on these pages, in stored copies read on {READ_ON};
a copy can be older than the page.

| namespace | names | page | complete |
| --- | --- | --- | --- |
{rows}

Unverified, because no page of AWS's that names them was found; an alarm on one gets the note
[`metric-not-judged`](rules/metric-not-judged.md), never a warning or an error:

{open_names}

`data/listed_metrics.json` has {in_list:,} more names, and dimensions, of {services} namespaces,
from [{LIST}]({LIST_ADDRESS}), read the same day.

When a metric is silent was read for {len(READ_TRAITS)} of {len(TRAITS)} namespaces;
not verified for {unread}.
Largest values were read for {len(READ_MOST)} of {len(MOST)} metrics.
{END}"""


def refreshed(page: str) -> str:
    """The page with the part as the data has it."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{sources()}{rest.partition(END)[2]}"


def main(path: str) -> None:
    """Writes the page."""
    page = Path(path)
    page.write_text(refreshed(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
