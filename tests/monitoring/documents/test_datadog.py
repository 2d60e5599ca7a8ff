"""The objects in the docs are those that would be published."""

from __future__ import annotations

import json

from monitoring.documents import COMMAND
from monitoring.documents.datadog import FOLDER, example, files, index
from webhook_buffer.composition import definitions


def test_the_docs_have_every_object_as_it_is() -> None:
    """docs/datadog holds the JSON of every object, and nothing else."""
    wanted = files(definitions(example()))
    kept = {str(file.relative_to(FOLDER)): file for file in FOLDER.rglob("*.json")}
    assert kept.keys() == wanted.keys(), f"run: {COMMAND}"
    for name, text in wanted.items():
        assert kept[name].read_text("utf-8") == text, f"{name} is old; run: {COMMAND}"


def test_the_index_leads_to_every_object() -> None:
    """docs/datadog-objects.md is current, and links each file."""
    objects = definitions(example())
    page = FOLDER.with_name("datadog-objects.md").read_text("utf-8")
    assert page == index(objects), f"run: {COMMAND}"
    assert all(f"(datadog/{name})" in page for name in files(objects))


def test_nothing_in_them_is_ours_alone() -> None:
    """Who pastes one finds a name where an id belongs, and no reference of this tool."""
    for name, text in files(definitions(example())).items():
        assert "$ref" not in text, name
        json.loads(text)
    burn = files(definitions(example()))["monitor/slo-accepted-burn-slow.json"]
    assert 'burn_rate(\\"(id of slo accepted)\\")' in burn
