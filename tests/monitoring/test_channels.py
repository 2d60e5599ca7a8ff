"""What a deployment says of channels and links."""

from __future__ import annotations

import pytest

from monitoring.channels import unlinked
from settings.loader import load


@pytest.mark.parametrize(
    ("environment", "runbook", "said"),
    [
        ("stg", None, "Notifications name docs/runbook.md, which is not a link."),
        ("stg", "https://git.example/runbook.md", None),
        ("local", None, None),
    ],
)
def test_a_runbook_that_is_no_link_is_said(
    environment: str, runbook: str | None, said: str | None
) -> None:
    """On AWS a path is said at deploy, with key and environment; on the laptop it can be opened."""
    warning = unlinked(load(environment, overrides={"runbookUrl": runbook}))
    if said is None:
        assert warning is None
    else:
        assert warning
        assert warning.startswith(said)
        assert "\"runbookUrl\" of environment 'stg' in cdk.json" in warning
