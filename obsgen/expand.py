"""A catalog with its budgets and watches written out as plain recordings and alerts."""

from __future__ import annotations

from dataclasses import replace

from obsgen import budgets, watches
from obsgen.model.catalog import Catalog, Domain


def expand(catalog: Catalog) -> Catalog:
    """Return the catalog with every budget's and watch's rules among the recordings and alerts of its domain.

    What is written out stands at the line of the budget or watch that it came from.
    """
    return replace(catalog, domains=tuple(map(_domain, catalog.domains)))


def _domain(domain: Domain) -> Domain:
    recordings, alerts = list(domain.recordings), list(domain.alerts)
    for budget in domain.budgets:
        recorded, alert = budgets.expand(budget)
        # Two budgets on the same counters have the same tiles.
        known = {recording.name: recording.expr for recording in recordings}
        recordings.extend(replace(r, at=budget.at) for r in recorded if known.get(r.name) != r.expr)
        alerts.append(replace(alert, at=budget.at))
    for watch in domain.watches:
        alerts.extend(replace(alert, at=watch.at) for alert in watches.expand(watch))
    return replace(domain, recordings=tuple(recordings), alerts=tuple(alerts))
