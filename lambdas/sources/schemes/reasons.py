"""Why a request is not its source's: values of the log's and the metrics' ``reason``."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """A reason; its text goes to the sender and says nothing about the secret."""

    MISSING = "missing"
    REPEATED = "repeated"
    MALFORMED = "malformed"
    WRONG = "wrong"
    OLD = "old"
    EARLY = "early"
    ESCAPED = "escaped"
    FOREIGN = "foreign"

    @property
    def words(self) -> str:
        """What is wrong, and what to do."""
        return _WORDS[self]


_WORDS = {
    Reason.MISSING: "The signature, or what belongs to it, is missing. Sign the request.",
    Reason.REPEATED: "The signature's header came more than once. Send it once.",
    Reason.MALFORMED: "The signature, or what belongs to it, does not have its form.",
    Reason.WRONG: "The signature does not match. Sign with this source's current secret.",
    Reason.OLD: "The signature's time is too long ago. Sign again when sending again.",
    Reason.EARLY: "The signature's time is in the future. Correct the sender's clock.",
    Reason.ESCAPED: (
        "The signature covers the URL, and this path has escapes, which API Gateway decodes before "
        "they can be compared. Use a path of letters, digits and -._~/ only."
    ),
    Reason.FOREIGN: "This topic is not one of the source's. Add it to the source's settings.",
}
