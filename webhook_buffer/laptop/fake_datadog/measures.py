"""What a metric SLO measures, in the two forms in which Datadog says it.

Source: recorded answers since March 2026: whichever was sent, both come back.
"""

from __future__ import annotations

import re

from webhook_buffer.laptop.fake_datadog.store import Body


def both(given: Body) -> Body:
    """The form that an SLO was not sent with: a query, or a specification that counts events."""
    if given["type"] != "metric":
        return {}
    if "sli_specification" in given:
        return {"query": _query(given["sli_specification"]["count"])}
    names: dict[str, str] = {}
    good, total = (
        _formula(given["query"][part].split(" + "), names) for part in ("numerator", "denominator")
    )
    count = {
        "good_events_formula": {"formula": good},
        "queries": [
            {"data_source": "metrics", "name": name, "query": query}
            for query, name in names.items()
        ],
        "total_events_formula": {"formula": total},
    }
    return {"sli_specification": {"count": count}}


def _formula(queries: list[str], names: dict[str, str]) -> str:
    """A sum of queries by their names; new ones are added to those."""
    terms = [names.setdefault(query, f"query{len(names) + 1}") for query in queries]
    return f"({' + '.join(terms)})" if len(terms) > 1 else terms[0]


def _query(count: Body) -> Body:
    queries = {query["name"]: query["query"] for query in count["queries"]}

    def filled(formula: str) -> str:
        text = count[formula]["formula"]
        return re.sub(r"[A-Za-z_]\w*", lambda name: queries.get(name[0], name[0]), text)

    good = filled("good_events_formula")
    if "bad_events_formula" in count:
        return {"numerator": good, "denominator": f"({good}) + ({filled('bad_events_formula')})"}
    return {"numerator": good, "denominator": filled("total_events_formula")}
