"""Names: unique, well formed, and safe in every artifact they reach."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from obsgen.checks.places import Survey
from obsgen.errors import Problem
from obsgen.model.catalog import Catalog
from obsgen.model.team import Team
from obsgen.promql.label import TARGET_LABELS, Label
from obsgen.promql.metric import Histogram, Metric
from obsgen.promql.tree import Selector

CAMEL = re.compile(r"[A-Z][A-Za-z0-9]{0,79}")
DASHED = re.compile(r"(?=.{1,80}$)[a-z][a-z0-9]*([-_][a-z0-9]+)*")
UID = re.compile(r"[a-zA-Z0-9_-]{1,40}")
RECORDED = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LINK = re.compile(r"\]\((?!https?://)([^)\s]*)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
UNSAFE = re.compile(r"[\"'`{}\\\x00-\x1f\x7f]|\[\[")


def duplicate_name(survey: Survey) -> Iterator[Problem]:
    """Two things of one name: the second would replace the first."""
    yield from _twice("metric or recording", (*survey.catalog.metrics, *survey.catalog.recordings), lambda s: s.name)
    yield from _taken(survey.catalog.metrics)
    yield from _twice("alert", survey.catalog.alerts, lambda alert: alert.name)
    yield from _twice("dashboard uid", survey.catalog.dashboards, lambda dashboard: dashboard.uid)
    yield from _twice("domain", survey.catalog.domains, lambda domain: domain.name)


def _taken(metrics: Iterable[Metric]) -> Iterator[Problem]:
    """Yield the metrics with the name of a part of a histogram, or of what Prometheus itself adds."""
    parts = {m.name + part: m for m in metrics if isinstance(m, Histogram) for part in ("_bucket", "_count", "_sum")}
    for metric in metrics:
        if metric.name in parts:
            hint = f"that is what the histogram at {parts[metric.name].at} exposes"
            yield Problem("duplicate-name", f"metric {metric.name!r} is defined twice", metric.at, hint)
        elif metric.name in ("up", "ALERTS", "ALERTS_FOR_STATE"):
            yield Problem("duplicate-name", f"metric {metric.name!r} is Prometheus' own", metric.at, "rename it")


def _twice(what: str, items: Iterable[Any], key: Callable[[Any], str]) -> Iterator[Problem]:
    first: dict[str, Any] = {}
    for item in items:
        name = key(item)
        # Some file systems do not tell Nodes.md from nodes.md.
        if name.lower() in first:
            hint = f"the first is at {first[name.lower()].at}; rename one of them, or declare it in one domain only"
            yield Problem("duplicate-name", f"{what} {name!r} is defined twice", item.at, hint)
        first.setdefault(name.lower(), item)


def bad_name(survey: Survey) -> Iterator[Problem]:
    """A name that Prometheus, Grafana or a file system would not take as it is."""
    sources = {metric.source.name: metric.source for metric in survey.catalog.metrics if metric.source}
    dashed = "use lower-case words with dashes, as in 'lavalink-nodes'"
    named: tuple[tuple[Any, str, re.Pattern[str], str], ...] = (
        *((alert, "alert name", CAMEL, "use CamelCase, as in 'NodeDown'") for alert in survey.catalog.alerts),
        *(
            (recording, "recording name", RECORDED, "use level:metric:operations")
            for recording in survey.catalog.recordings
        ),
        *((domain, "domain name", DASHED, dashed) for domain in survey.catalog.domains),
        (survey.catalog.project, "project name", DASHED, dashed),
        *((source, "source name", DASHED, dashed) for source in sources.values()),
    )
    for item, what, form, hint in named:
        if not form.fullmatch(item.name):
            yield Problem("bad-name", f"{item.name!r} is no {what}", item.at, hint)
    teams: list[tuple[Team | None, Any]] = [(survey.catalog.project.owner, survey.catalog.project)]
    teams += [(domain.team, domain) for domain in survey.catalog.domains]
    for team, item in teams:
        if team is not None and not DASHED.fullmatch(team.name):
            yield Problem("bad-name", f"{team.name!r} is no team name", item.at, dashed)
    for dashboard in survey.catalog.dashboards:
        if not UID.fullmatch(dashboard.uid):
            hint = "Grafana takes up to 40 letters, digits, dashes and underscores"
            yield Problem("bad-name", f"{dashboard.uid!r} is no dashboard uid", dashboard.at, hint)


def reserved_name(survey: Survey) -> Iterator[Problem]:
    """A label that Prometheus or a histogram sets itself, or one that a metric has twice."""
    for metric in survey.catalog.metrics:
        own = [label.name for label in metric.labels]
        reserved = TARGET_LABELS | (frozenset({"le"}) if isinstance(metric, Histogram) else frozenset())
        for name in sorted(reserved.intersection(own)):
            hint = "Prometheus sets it; leave it out of labels=(...)"
            yield Problem("reserved-name", f"{metric.name} declares the label {name!r}", metric.at, hint)
        for name in sorted({name for name in own if own.count(name) > 1}):
            yield Problem("reserved-name", f"{metric.name} has the label {name!r} twice", metric.at, "keep one")


def odd_text(survey: Survey) -> Iterator[Problem]:
    """A title that is empty or of several lines, or a text with a link that the docs cannot hold."""
    catalog = survey.catalog
    panels = (panel for dashboard in catalog.dashboards for panel in dashboard.panels)
    titled: chain[Any] = chain(
        catalog.metrics, catalog.recordings, catalog.domains, catalog.dashboards, panels, catalog.annotations
    )
    texts: list[tuple[Any, str, str]] = [(item, "title", item.title) for item in titled]
    texts += [(alert, "summary", alert.summary) for alert in catalog.alerts]
    texts += [(catalog.project, "title", catalog.project.title)]
    texts += [(board, "title", row.title) for board in catalog.dashboards for row in board.rows]
    for item, what, text in texts:
        if CONTROL.search(text):
            yield Problem("odd-text", f"the {what} {text!r} has a line break or a tab", item.at, "keep it on one line")
    rows = ((dashboard, row) for dashboard in catalog.dashboards for row in dashboard.rows)
    headed: list[Any] = [*catalog.domains, *catalog.dashboards, *catalog.annotations, catalog.project]
    for at, title in [(item.at, item.title) for item in headed] + [(d.at, row.title) for d, row in rows]:
        if not title.strip():
            yield Problem("odd-text", "a title is empty", at, "say what people call it")
    for item, text in _prose(catalog):
        if text.count("```") % 2:
            yield Problem("odd-text", "a text opens a block of code with ``` and never closes it", item.at, "close it")
        for target in LINK.findall(CODE.sub("", text)):
            hint = "the docs do not have it; link to an address with https://"
            yield Problem("odd-text", f"a text links to {target!r}", item.at, hint)


def _prose(catalog: Catalog) -> Iterator[tuple[Any, str]]:
    """Yield the texts that become markdown, with what they belong to."""
    for metric in catalog.metrics:
        exporter = metric.source.exporter if metric.source else ""
        texts = (metric.help, exporter, metric.exposure.note, metric.misnomer, *(la.help for la in metric.labels))
        yield metric, "\n".join(texts)
    for recording in catalog.recordings:
        yield recording, recording.help
    for domain in catalog.domains:
        yield domain, "\n".join((domain.description, *domain.notes))
    for dashboard in catalog.dashboards:
        yield dashboard, dashboard.description
        yield from ((panel, panel.description) for panel in dashboard.panels)
    for alert in catalog.alerts:
        book = alert.runbook
        steps = (step.text for step in (*book.diagnosis_steps, *book.mitigation_steps))
        yield alert, "\n".join((alert.summary, book.meaning, book.impact, book.reason, *steps))


def label_value(survey: Survey) -> Iterator[Problem]:
    """A label value with quotes, braces or line breaks: it would break out of a template, a legend or a table."""
    hint = "no exporter should expose it; for a regular expression, use Label.matches(...)"
    labels: dict[int, Label] = {id(label): label for metric in survey.catalog.metrics for label in metric.labels}
    for place, node in survey.nodes:
        for matcher in node.matchers if isinstance(node, Selector) else ():
            labels[id(matcher.label)] = matcher.label
            for value in filter(UNSAFE.search, matcher.literals):
                message = f"the value {value!r} of label {matcher.label.name!r} has quotes, braces or line breaks"
                yield Problem("label-value", message, place.line(node), hint)
    for label in labels.values():
        for value in filter(UNSAFE.search, label.values):
            message = f"the value {value!r} of label {label.name!r} has quotes, braces or line breaks"
            yield Problem("label-value", message, label.at, hint)
