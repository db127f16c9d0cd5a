"""The metrics reference: a page for each domain, complete for every metric and recorded series."""

from __future__ import annotations

from obsgen.index import Index
from obsgen.model.catalog import Domain
from obsgen.model.rule import Recording
from obsgen.promql.label import RENAMED, Label
from obsgen.promql.metric import Gauge, Histogram, Metric
from obsgen.promql.source import Status
from obsgen.promql.text import number
from obsgen.promql.tree import Series
from obsgen.promql.units import Unit
from obsgen.readiness import reasons
from obsgen.renames import exposer
from obsgen.render.links import (
    ALERTS_FILE,
    BUDGETS_FILE,
    DASHBOARDS_FILE,
    INDEX_FILE,
    Links,
    anchor,
    domain_file,
    has_page,
    runbook_file,
    series_file,
)
from obsgen.render.markdown import code, href, items, link, page, promql, table
from obsgen.words import spoken

UNITS = {
    Unit.NONE: "-",
    Unit.TIMES: "times",
    Unit.TIMESTAMP: "Unix time in seconds",
    Unit.COUNT: "count",
    Unit.REQUESTS: "requests",
    Unit.RATIO: "ratio (1 is 100 %)",
    Unit.PERCENT: "percent",
    Unit.MILLISECONDS: "milliseconds",
    Unit.SECONDS: "seconds",
    Unit.BYTES: "bytes",
    Unit.PER_SECOND: "per second",
    Unit.REQUESTS_PER_SECOND: "requests per second",
    Unit.BYTES_PER_SECOND: "bytes per second",
    Unit.CELSIUS: "degrees Celsius",
    Unit.STATE: "state",
    Unit.BOOLEAN: "0 or 1",
}


def documented(index: Index) -> list[Domain]:
    """Return the domains that have a page: those with metrics, recordings or alerts."""
    return [domain for domain in index.catalog.domains if has_page(domain)]


def metric_page(index: Index, links: Links, domain: Domain) -> str:
    """Return the page of a domain."""
    here = domain_file(domain)
    published = [r for r in domain.recordings if ":" not in r.name]
    recorded = [r for r in domain.recordings if ":" in r.name]
    owner = index.catalog.project.owner
    parts = [
        f"# {domain.title}",
        domain.description,
        f"Owner: {owner.title}. Who acts on its alerts: {(domain.team or owner).title}.",
    ]
    listed: list[Metric | Recording] = [*domain.metrics, *published]
    if listed:
        parts += ["## Metrics", table(("Metric", "Type", "Unit", "Source", "Description"), map(_row, listed))]
        parts += [part for s in listed for part in _details(index, links, s, here)]
    if recorded:
        parts += [
            "## Recorded series",
            "Prometheus records these. A name is `level:metric:operations`, the level being the labels that are left.",
            *(part for s in recorded for part in _details(index, links, s, here)),
        ]
    if domain.notes:
        parts += ["## Good to know", items(domain.notes)]
    parts += ["## Where to look", items(_where(links, domain, here))]
    return page(*parts)


def _row(series: Metric | Recording) -> tuple[str, ...]:
    return (f"`{series.name}{_braces(series)}`", _kind(series), UNITS[series.unit], _source(series), series.help)


def _braces(series: Series) -> str:
    names = [la.name for la in series.labels] if isinstance(series, Metric) else sorted(series.label_names)
    return f"{{{', '.join(names)}}}" if names else ""


def _kind(series: Series) -> str:
    return series.kind if isinstance(series, Metric) else "gauge"


def _source(series: Metric | Recording) -> str:
    if isinstance(series, Recording):
        return "Recorded by Prometheus"
    if series.source is None:
        return "Prometheus"
    return f"{series.source.title}{f' ({series.emitted_by})' if series.emitted_by else ''}"


def _details(index: Index, links: Links, series: Metric | Recording, here: str) -> list[str]:
    facts = [f"Type: {_kind(series)}", f"Unit: {UNITS[series.unit]}", *_facts(series)]
    return [
        f"### {series.name}",
        f"**{series.title}.** {series.help}",
        items(facts + _used(index, links, series, here)),
        promql(series.expr) if isinstance(series, Recording) else "",
    ]


def _facts(series: Metric | Recording) -> list[str]:
    if isinstance(series, Recording):
        labels = ", ".join(code(name) for name in sorted(series.label_names)) or "none"
        return [f"Labels: {labels}", f"Recorded every {spoken(series.interval)}"]
    facts = [f"Label {_label(label)}" for label in series.labels] or ["Labels: none"]
    if series.limit is not None:
        facts.append(f"Limit: {series.limit} series of one target")
    if isinstance(series, Gauge) and series.states:
        facts.append("Values: " + ", ".join(f"{value} = {name}" for value, name in series.states.items()))
    if isinstance(series, Histogram):
        facts.append("Buckets: " + ", ".join(map(number, map(float, series.buckets))))
    if series.misnomer:
        facts.append(f"Its name misleads. {series.misnomer}")
    if series.source is not None:
        source = series.source
        facts.append(
            f"Source: {_source(series)}, scrape job `{source.job}`, `{source.path}` every {spoken(source.interval)}. "
            f"{source.exporter}".rstrip()
        )
    if series.status is not Status.EXPOSED:
        facts.append(f"**Not exported as documented** ({series.status.value}). {_today(series)}".rstrip())
    return facts


def _today(metric: Metric) -> str:
    """Return what there is of a metric today that is not exported as documented."""
    if metric.status is Status.PLANNED:
        return reasons([metric])
    source = exposer(metric)
    return (
        f"Today it is `{metric.exposure.name}` of {source.title}, scrape job `{source.job}`. {metric.exposure.note} "
        f'Prometheus records it from there, with the label `{RENAMED.name}="true"`, until it is scraped under its own '
        "name."
    )


def _label(label: Label) -> str:
    values = f" One of {', '.join(map(code, label.values))}." if label.values else ""
    return f"`{label.name}`: {label.help}{values}"


def _used(index: Index, links: Links, series: Series, here: str) -> list[str]:
    uses = index.uses(series)
    panels = [
        f"{href(p.panel.heading, links.dashboard(p.dashboard, p))} on "
        f"{link(p.dashboard.title, f'{DASHBOARDS_FILE}#{anchor(p.dashboard.uid)}', here)}"
        for p in uses.panels
    ]
    alerts = [link(alert.name, runbook_file(alert.name), here) for alert in uses.alerts]
    rules = [link(code(r.name), series_file(index, r.name), here) for r in uses.recordings]
    used = (("Panels", panels), ("Alerts", alerts), ("Recorded in", rules))
    found = [f"{what}:\n{items(names)}" for what, names in used if names]
    return found or ["Used nowhere yet"]


def _where(links: Links, domain: Domain, here: str) -> list[str]:
    found = [f"Dashboard {href(d.title, links.dashboard(d))}" for d in domain.dashboards]
    if domain.alerts:
        found.append(link("All alerts", ALERTS_FILE, here))
    if domain.budgets:
        found.append(link("Error budgets explained", BUDGETS_FILE, here))
    return [*found, link("Index", INDEX_FILE, here)]
