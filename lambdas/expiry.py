"""When a parked webhook is close to its end; settings read it without loading more."""

from __future__ import annotations

# The share of its time after which a parked webhook is reported.
EXPIRING_SHARE = 0.8
