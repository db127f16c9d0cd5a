"""Dashboards with panels that are empty, unnamed or indistinguishable."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from obsgen.checks.places import Survey, meant
from obsgen.errors import Location, Problem
from obsgen.layout import panel_id, stable_id
from obsgen.model.dashboard import AlertList, Heatmap, Panel, Table, Text
from obsgen.promql.tree import series_in
from obsgen.words import titled

IN_LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def panel_identity(survey: Survey) -> Iterator[Problem]:
    """A panel without a title, or with the title of another: its id is made of it."""
    for dashboard in survey.catalog.dashboards:
        first: dict[int, Panel] = {}
        rows = [row.title for row in dashboard.rows]
        taken = {stable_id(dashboard.uid, "row", title) for title in rows}
        for title in sorted({title for title in rows if rows.count(title) > 1}):
            message = f"{dashboard.uid} has two rows titled {title!r}"
            yield Problem("panel-identity", message, dashboard.at, "reword one of them")
        for panel in dashboard.panels:
            if not panel.heading:
                message = f"a panel of {dashboard.uid} shows no single metric, so it needs a title"
                yield Problem("panel-identity", message, panel.at, 'give it title="..."')
                continue
            number = panel_id(dashboard.uid, panel)
            if number in first or number in taken:
                message = f"{dashboard.uid} has two panels called {panel.key or panel.heading!r}"
                hint = (
                    f"the first is at {first[number].at}; give one another title, or a key" if number in first else ""
                )
                yield Problem("panel-identity", message, panel.at, hint)
            first.setdefault(number, panel)


def empty_panel(survey: Survey) -> Iterator[Problem]:
    """A panel that shows nothing, or a dashboard without panels."""
    for dashboard in survey.catalog.dashboards:
        if not dashboard.panels:
            yield Problem("empty-panel", f"dashboard {dashboard.uid} has no panels", dashboard.at, "give it a Row")
        for panel in dashboard.panels:
            if not panel.queries and not isinstance(panel, AlertList | Heatmap | Text):
                message = f"panel {panel.heading!r} of {dashboard.uid} shows nothing"
                yield Problem("empty-panel", message, panel.at, "give it shows=METRIC")


def unknown_filter(survey: Survey) -> Iterator[Problem]:
    """A dashboard offers to filter by a label that none of its series carries."""
    for dashboard in survey.catalog.dashboards:
        has = frozenset(
            name
            for panel in dashboard.panels
            for expr in panel.expressions
            for series in series_in(expr)
            for name in series.label_names
        )
        names = [label.name for label in dashboard.filters]
        for name in sorted({name for name in names if names.count(name) > 1 or name == "datasource"}):
            message = f"dashboard {dashboard.uid} has two variables called {name!r}"
            yield Problem("unknown-filter", message, dashboard.at, "keep one")
        for label in dashboard.filters:
            if label.name not in has:
                message = f"dashboard {dashboard.uid} filters by {label.name!r}, which nothing on it carries"
                yield Problem("unknown-filter", message, dashboard.at, meant(label.name, has))


def lost_legend(survey: Survey) -> Iterator[Problem]:
    """A legend of labels that the expression does not keep: every series would have the same name."""
    for dashboard in survey.catalog.dashboards:
        for panel in dashboard.panels:
            for query in panel.queries:
                legend = query.legend or ()
                used = IN_LEGEND.findall(legend) if isinstance(legend, str) else [label.name for label in legend]
                yield from _lost(f"the legend of {panel.heading!r}", used, survey.labels(query.expr), panel.at)
    for annotation in survey.catalog.annotations:
        used = IN_LEGEND.findall(annotation.text)
        yield from _lost(f"annotation {annotation.title!r}", used, survey.labels(annotation.expr), annotation.at)


def _lost(what: str, used: Sequence[str], has: frozenset[str] | None, at: Location) -> Iterator[Problem]:
    for name in used:
        if has is not None and name not in has:
            yield Problem("lost-legend", f"{what} uses the label {name!r}, which is not there", at, meant(name, has))


def table_columns(survey: Survey) -> Iterator[Problem]:
    """A column of a table with other labels than its rows: the rows would not join."""
    for dashboard in survey.catalog.dashboards:
        for panel in dashboard.panels:
            if not isinstance(panel, Table):
                continue
            heads = [head for head in panel.heads if panel.heads.count(head) > 1]
            if heads:
                message = f"two columns of table {panel.heading!r} are headed {heads[0]!r}"
                yield Problem("table-columns", message, panel.at, 'give each a legend: Query(expr=..., legend="...")')
            known = [*panel.heads, *(titled(label.name) for label in panel.by)]
            if panel.sort_by and panel.sort_by.removeprefix("-") not in known:
                message = f"table {panel.heading!r} is sorted by {panel.sort_by!r}, which heads none of its columns"
                yield Problem("table-columns", message, panel.at, meant(panel.sort_by.removeprefix("-"), known))
            rows = frozenset(label.name for label in panel.by)
            for query in panel.queries:
                has = survey.labels(query.expr)
                if has is not None and has != rows:
                    message = (
                        f"a column of table {panel.heading!r} has the labels {{{', '.join(sorted(has))}}}, "
                        f"its rows have {{{', '.join(sorted(rows))}}}"
                    )
                    hint = "aggregate the column by the labels of the rows"
                    yield Problem("table-columns", message, panel.at, hint)
