"""What servers complain of in their logs."""

from __future__ import annotations

import re

_COMPLAINT = re.compile(r"\blevel=(error|warn)\b", re.IGNORECASE)


def complaints(log: str) -> list[str]:
    """Return the errors and warnings of a log of Prometheus or Alertmanager: newer ones write them in capitals."""
    return [line for line in log.splitlines() if _COMPLAINT.search(line)]
