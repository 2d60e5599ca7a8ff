"""What holds where nobody says otherwise; it loads nothing, so that help is there at once."""

from __future__ import annotations

# Seconds within which a breach has to set an alarm off.
MAX_REACTION = 300
