"""What gets a sample less often than Prometheus looks back for one.

A query sees the newest sample of the last five minutes. A series that is recorded every 15 minutes has none for ten of
them, and one that is recorded every five is gone for the seconds by which an evaluation is late: a panel of it says "No
data" two times of three.

Source: https://prometheus.io/docs/prometheus/latest/querying/basics/#staleness
"""

from __future__ import annotations

from collections.abc import Mapping

from obsgen.model.catalog import Catalog
from obsgen.promql.metric import seconds
from obsgen.words import duration

LOOKBACK = 300
"""Seconds that Prometheus looks back by itself (`--query.lookback-delta`)."""
REACH = 3
"""How many intervals to look back instead: a slow evaluation, and one that fails, leave no gap."""


def held(catalog: Catalog) -> Mapping[str, str]:
    """Return the series whose newest sample can be older than Prometheus looks back, each with how far to look.

    Args:
        catalog: the catalog, expanded.
    """
    intervals = {m.name: m.source.interval for m in catalog.metrics if m.source is not None}
    intervals |= {recording.name: recording.interval for recording in catalog.recordings}
    return {
        name: duration(REACH * seconds(interval))
        for name, interval in intervals.items()
        if seconds(interval) >= LOOKBACK
    }
