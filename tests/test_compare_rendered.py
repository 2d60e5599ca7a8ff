"""The comparison of what two trees render."""

from __future__ import annotations

from tests.compare_rendered import differences


def test_what_differs_is_listed_with_its_path() -> None:
    """A value that is new, gone or another; an asset's digest is none of these."""
    before = {
        "Resources": {
            "Alarm": {"Threshold": 900, "Actions": ["page"]},
            "Function": {"S3Key": f"{'a' * 64}.zip", "RELEASE": "0.2.0+0123456789ab"},
        }
    }
    after = {
        "Resources": {
            "Alarm": {"Threshold": 600, "Actions": ["page", "email"], "Period": 60},
            "Function": {"S3Key": f"{'b' * 64}.zip", "RELEASE": "0.2.0+ba9876543210"},
        }
    }
    assert list(differences(before, after)) == [
        '/Resources/Alarm/Actions: ["page"] → ["page", "email"]',
        "/Resources/Alarm/Period: null → 60",
        "/Resources/Alarm/Threshold: 900 → 600",
    ]
