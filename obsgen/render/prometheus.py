"""Prometheus' configuration, as plain data: what it scrapes, which rules it evaluates, whom it sends alerts to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from obsgen.index import Index
from obsgen.model.routing import Routing
from obsgen.model.rule import ALERT_INTERVAL
from obsgen.promql.label import RENAMED
from obsgen.promql.source import Source
from obsgen.renames import renamed
from obsgen.watches.prometheus import itself

Json = dict[str, Any]
PLAIN_TEXT = "PrometheusText0.0.4"
"""What Prometheus 2 takes a scrape for that names no content type."""


def prometheus(index: Index, routing: Routing, files: Iterable[str]) -> Json:
    """Return the configuration of Prometheus. A source that is only planned is not scraped.

    Args:
        index: the catalog's cross-references.
        routing: where alerts go.
        files: paths of the rule files, relative to it.
    """
    three = int(index.catalog.project.prometheus.partition(".")[0]) >= 3
    since_3 = {"fallback_scrape_protocol": PLAIN_TEXT} if three else {}
    live = [source for source in index.catalog.sources if source.live]
    return {
        "global": {"scrape_interval": ALERT_INTERVAL, "evaluation_interval": ALERT_INTERVAL},
        "rule_files": sorted(files),
        "alerting": _alerting(index, routing),
        "scrape_configs": [_job(source) | since_3 for source in (*live, itself(routing))],
    }


def _alerting(index: Index, routing: Routing) -> Json:
    found: Json = {"alertmanagers": [{"static_configs": [{"targets": list(routing.alertmanagers)}]}]}
    if renamed(index.catalog):
        # Nobody who is told of an alert wants to know of it, and the alert is the same when the rename is over.
        found["alert_relabel_configs"] = [{"regex": RENAMED.name, "action": "labeldrop"}]
    return found


def _job(source: Source) -> Json:
    job: Json = {"job_name": source.job, "scrape_interval": source.interval}
    if source.path != "/metrics":
        job["metrics_path"] = source.path
    if source.targets:
        job["static_configs"] = [{"targets": list(source.targets)}]
    else:
        job["file_sd_configs"] = [{"files": [f"targets-{source.job}.yml"]}]
    return job
