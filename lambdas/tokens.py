"""Release tokens: messages in a group's own queue that have its holder release what is parked.

Only ``webhook-buffer webhooks release`` sends them: a webhook's message is always an envelope,
whatever its sender writes.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from lambdas.base.safe_json import json_object

_MARK = "webhook-buffer"


class Token(NamedTuple):
    """What to release.

    Attributes:
        hold: the id of the group's hold; empty to release a single webhook.
        row: the row of a webhook that was set aside; empty to release a group.
    """

    hold: str = ""
    row: str = ""

    def text(self) -> str:
        """The token as a message's body."""
        return json.dumps({_MARK: "release", "hold": self.hold, "row": self.row})


def parse(body: str) -> Token | None:
    """The token that a message's body is; None if it is something else."""
    if _MARK not in body:
        return None
    fields = json_object(body)
    if fields is None or fields.get(_MARK) != "release":
        return None
    hold, row = fields.get("hold"), fields.get("row")
    if not isinstance(hold, str) or not isinstance(row, str) or not (hold or row):
        return None
    return Token(hold, row)
