"""An `ErrorBudget` as recordings and alerts: pure arithmetic, windows are data."""

from obsgen.budgets.alerts import alerts
from obsgen.budgets.dashboard import dashboard
from obsgen.budgets.proofs import window_proof
from obsgen.budgets.recordings import recordings
from obsgen.budgets.tiles import FAST, OUTAGE, SLOW, from_raw, measured, tiles

__all__ = [
    "FAST",
    "OUTAGE",
    "SLOW",
    "alerts",
    "dashboard",
    "from_raw",
    "measured",
    "recordings",
    "tiles",
    "window_proof",
]
