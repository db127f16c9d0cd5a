"""A catalog with its budgets and watches written out as plain recordings and alerts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from obsgen import budgets, renames, watches
from obsgen.model.budget import ErrorBudget
from obsgen.model.catalog import Catalog, Domain
from obsgen.model.proof import Proof
from obsgen.model.rule import Alert, Recording

BACK = "A source that is back needs nobody; what is still silent when the hours begin is told then."
SPENT = "What errors have cost shows in what is left of the budget."
"""Why nobody has to hear of alerts that are over."""


def expand(catalog: Catalog) -> Catalog:
    """Return the catalog with every budget's and watch's rules among the recordings and alerts of its domain.

    What is written out stands at the line of the budget or watch that it came from.
    """
    domains = tuple(map(_domain, catalog.domains))
    promised = tuple(budget for domain in catalog.domains for budget in domain.budgets if budget.objectives)
    return replace(catalog, domains=(*domains, *_budgets(catalog, promised), *_alerting(catalog)))


def _alerting(catalog: Catalog) -> Iterator[Domain]:
    """Yield a domain with the alerts on alerting itself, where there are any.

    They are those on Prometheus, the one that always fires, where somebody listens to it, and the one that a rename is
    obsolete.
    """
    routing, obsolete = catalog.project.routing, renames.obsolete(catalog)
    alerts: list[Alert] = []
    if routing is not None:
        alerts += watches.prometheus.alerts(routing)
        alerts += (watches.watchdog(routing),) if routing.watchdog is not None else ()
    if obsolete is not None:
        alerts.append(obsolete)
    if alerts:
        yield Domain(
            name="alerting",
            title="Alerting",
            description="Whether rules are evaluated and up to date, and whether alerts get through at all.",
            order=max(domain.order for domain in catalog.domains) + 1,
            alerts=tuple(alerts),
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
        alerts.extend(
            replace(alert, at=budget.at, fleeting=alert.fleeting or SPENT) for alert in budgets.alerts(budget)
        )
    for watch in domain.watches:
        alerts.extend(replace(alert, at=watch.at, fleeting=BACK) for alert in watches.expand(watch))
    for agreement in domain.agreements:
        one, other = (replace(each, at=agreement.at) for each in watches.agreement.recordings(agreement))
        recordings.extend((one, other))
        alerts.append(replace(watches.agreement.alert(agreement, one, other), at=agreement.at))
    alerts.extend(watches.cardinality.limits(domain))
    lasting = {each.silencers: each for each in domain.inhibitions if each.silencers != each.sources}
    alerts.extend(map(watches.lately.lately, lasting.values()))
    return replace(domain, recordings=tuple(recordings), alerts=tuple(alerts))


def _proofs(budget: ErrorBudget, recording: Recording) -> tuple[Proof, ...]:
    """Return the proofs of a budget that are of one of its recordings."""
    about = [proof for proof in budget.proofs if proof.of == recording.name]
    if budget.objectives and recording == budget.remaining and (made := budgets.window_proof(budget)):
        about.append(made)
    return tuple(about)
