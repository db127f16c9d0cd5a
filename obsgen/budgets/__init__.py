"""An `ErrorBudget` as recordings and alerts: pure arithmetic, windows are data."""

from obsgen.budgets.alerts import alerts
from obsgen.budgets.dashboard import dashboard
from obsgen.budgets.proofs import window_proof
from obsgen.budgets.recordings import recordings
from obsgen.budgets.tiles import FAST, SLOW, tiles

__all__ = ["FAST", "SLOW", "alerts", "dashboard", "recordings", "tiles", "window_proof"]
