"""A catalog with its budgets and watches written out as plain recordings and alerts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from obsgen import budgets, renames, watches
from obsgen.model.budget import ErrorBudget
from obsgen.model.catalog import Catalog, Domain
from obsgen.model.proof import Proof
from obsgen.model.rule import Recording


def expand(catalog: Catalog) -> Catalog:
    """Return the catalog with every budget's and watch's rules among the recordings and alerts of its domain.

    What is written out stands at the line of the budget or watch that it came from.
    """
    domains = tuple(map(_domain, catalog.domains))
    promised = tuple(budget for domain in catalog.domains for budget in domain.budgets if budget.objectives)
    return replace(catalog, domains=(*domains, *_budgets(catalog, promised), *_alerting(catalog)))


def _alerting(catalog: Catalog) -> Iterator[Domain]:
    """Yield a domain with the alerts on alerting itself, where there are any.

    They are the one that always fires, where somebody listens to it, and the one that a rename is obsolete.
    """
    routing, obsolete = catalog.project.routing, renames.obsolete(catalog)
    alerts = (watches.watchdog(routing),) if routing is not None and routing.watchdog is not None else ()
    if obsolete is not None:
        alerts = (*alerts, obsolete)
    if alerts:
        yield Domain(
            name="alerting",
            title="Alerting",
            description="Whether alerts get through at all, and whether their rules are up to date.",
            order=max(domain.order for domain in catalog.domains) + 1,
            alerts=alerts,
            at=catalog.project.at if routing is None else routing.at,
        )


def _budgets(catalog: Catalog, promised: tuple[ErrorBudget, ...]) -> Iterator[Domain]:
    """Yield a domain with the dashboard of all budgets, where there are any."""
    if promised:
        yield Domain(
            name="error-budgets",
            title="Error budgets",
            description="What is left of what may go wrong.",
            order=max(domain.order for domain in catalog.domains) + 1,
            dashboards=(budgets.dashboard(catalog.project, promised),),
            at=catalog.project.at,
        )


def _domain(domain: Domain) -> Domain:
    recordings, alerts = list(domain.recordings), list(domain.alerts)
    for budget in domain.budgets:
        recorded = (replace(recording, budget=budget.name, at=budget.at) for recording in budgets.recordings(budget))
        recordings.extend(replace(r, proofs=_proofs(budget, r)) for r in recorded)
        alerts.extend(replace(alert, at=budget.at) for alert in budgets.alerts(budget))
    for watch in domain.watches:
        alerts.extend(replace(alert, at=watch.at) for alert in watches.expand(watch))
    return replace(domain, recordings=tuple(recordings), alerts=tuple(alerts))


def _proofs(budget: ErrorBudget, recording: Recording) -> tuple[Proof, ...]:
    """Return the proofs of a budget that are of one of its recordings."""
    about = [proof for proof in budget.proofs if proof.of == recording.name]
    if budget.objectives and recording == budget.remaining and (made := budgets.window_proof(budget)):
        about.append(made)
    return tuple(about)
