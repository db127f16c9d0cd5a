"""Runbooks: a page for each alert, for somebody who was asleep a minute ago."""

from __future__ import annotations

from functools import partial

from obsgen.index import Index
from obsgen.model.catalog import Domain
from obsgen.model.rule import HOLD, THRESHOLD, Alert, Comparison, Level, Step, level_expr
from obsgen.promql.metric import Metric
from obsgen.promql.tree import series_in
from obsgen.render.links import ALERTS_FILE, DASHBOARDS_FILE, ROUTING_FILE, Links, anchor, runbook_file, series_file
from obsgen.render.markdown import code, href, items, link, page, promql, table
from obsgen.routing import Router, Way
from obsgen.words import listed, spoken

_WORDS = {
    Comparison.ABOVE: "above",
    Comparison.AT_LEAST: "at least",
    Comparison.BELOW: "below",
    Comparison.AT_MOST: "at most",
    Comparison.EQUALS: "equal to",
    Comparison.DIFFERS: "other than",
}


def condition(alert: Alert, level: Level) -> str:
    """Return when a level fires, as people say it: `above 250 ms`."""
    if level.threshold is None:
        return alert.when or "the rule's condition holds"
    return f"the value is {_WORDS[level.threshold.comparison]} {alert.unit.write(level.threshold.value)}"


def runbook(index: Index, links: Links, domain: Domain, alert: Alert) -> str:
    """Return the runbook page of an alert."""
    here, book = runbook_file(alert.name), alert.runbook
    numbers = partial(written_out, alert)
    owner = index.catalog.project.owner
    told = Router(index) if index.catalog.project.routing is not None else None
    rows = [
        (
            level.severity.value,
            condition(alert, level),
            spoken(level.hold) or "at once",
            *((_told(told.way(alert, level.severity)),) if told is not None else ()),
        )
        for level in alert.levels
    ]
    return page(
        f"# {alert.name}",
        alert.summary,
        index.readiness.about_alert(alert) or index.readiness.today(alert),
        f"Who acts: {(domain.team or owner).title}. Owner of the rule: {owner.title}.",
        table(("Severity", "Fires when", "For", *(("Who is told",) if told is not None else ())), rows),
        "## Meaning",
        numbers(book.meaning),
        "## Impact",
        numbers(book.impact),
        "## Diagnosis",
        items(_look(index, links, alert), numbered=False),
        items((_step(index, alert, step) for step in book.diagnosis_steps), numbered=True),
        "## Mitigation",
        items((_step(index, alert, step) for step in book.mitigation_steps), numbered=True),
        "## The rule",
        *(promql(level_expr(alert, level)) for level in alert.levels),
        book.reason and f"Why these numbers: {numbers(book.reason)}",
        _unheard(alert, told),
        items(_reads(index, alert, here)),
        "## Proven" if alert.proofs else "",
        items(f"{'Stays quiet' if proof.quiet else 'Fires'}: {proof.title}" for proof in alert.proofs),
        f"{link('All alerts', ALERTS_FILE, here)}, {link('who is told what', ROUTING_FILE, here)}"
        if told is not None
        else link("All alerts", ALERTS_FILE, here),
    )


def _unheard(alert: Alert, router: Router | None) -> str:
    """Return what becomes of the alert while those who are told have no hours, where they have some."""
    timed = (
        alert.fleeting and router is not None and any(router.way(alert, level.severity).hours for level in alert.levels)
    )
    return f"When it is over before the hours begin in which people are told: {alert.fleeting}" if timed else ""


def _told(way: Way) -> str:
    return listed([receiver.title for receiver in way.receivers]) or "nobody"


def _look(index: Index, links: Links, alert: Alert) -> list[str]:
    """Return where to look first: the panels that show what the alert watches."""
    places = index.panels_of(alert)
    here = runbook_file(alert.name)
    found = [
        f"Panel {href(p.panel.heading, links.dashboard(p.dashboard, p))} on "
        f"{link(p.dashboard.title, f'{DASHBOARDS_FILE}#{anchor(p.dashboard.uid)}', here)}"
        for p in places
    ]
    dashboard, place = index.dashboard_of(alert)
    if not found and dashboard is not None:
        found = [f"Dashboard {href(dashboard.title, links.dashboard(dashboard, place))}"]
    return found


def _reads(index: Index, alert: Alert, here: str) -> list[str]:
    return [
        f"Reads {link(code(series.name), series_file(index, series.name), here)}"
        for series in series_in(alert.expr)
        if not (isinstance(series, Metric) and series.source is None)
    ]


def _step(index: Index, alert: Alert, step: Step) -> str:
    text = written_out(alert, step.text)
    return f"{text}\n\n{promql(step.query, index.held)}" if step.query is not None else text


def written_out(alert: Alert, text: str) -> str:
    """Return a text of a runbook with the thresholds and holds of the alert's levels written out."""
    thresholds = dict.fromkeys(alert.unit.write(level.threshold.value) for level in alert.levels if level.threshold)
    holds = dict.fromkeys(spoken(level.hold) or "no time" for level in alert.levels)
    return text.replace(THRESHOLD, listed([*thresholds])).replace(HOLD, listed([*holds]))
