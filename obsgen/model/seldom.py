"""What gets a sample less often than Prometheus looks back for one.

A query sees the newest sample of the last five minutes. A series that is recorded every 15 minutes has none for ten of
them, and one that is recorded every five is gone for the seconds by which an evaluation is late: a panel of it says "No
data" two times of three.

Source: https://prometheus.io/docs/prometheus/latest/querying/basics/#staleness
"""

from __future__ import annotations

from collections.abc import Mapping

from obsgen.model.catalog import Catalog
from obsgen.model.rule import Recording
from obsgen.promql.metric import Metric, seconds
from obsgen.promql.tree import Series
from obsgen.words import duration

LOOKBACK = 300
"""Seconds that Prometheus looks back by itself (`--query.lookback-delta`)."""
REACH = 3
"""How many intervals to look back instead: a slow evaluation, and one that fails, leave no gap."""


def interval(series: Series) -> float:
    """Return the seconds between two samples of a metric or a recorded series, 0 where it is not known."""
    if isinstance(series, Recording):
        return seconds(series.interval)
    return seconds(series.source.interval) if isinstance(series, Metric) and series.source else 0


def held(catalog: Catalog) -> Mapping[str, str]:
    """Return the series whose newest sample can be older than Prometheus looks back, each with how far to look.

    Args:
        catalog: the catalog, expanded.
    """
    return {
        series.name: duration(REACH * every)
        for series in (*catalog.metrics, *catalog.recordings)
        if (every := interval(series)) >= LOOKBACK
    }
