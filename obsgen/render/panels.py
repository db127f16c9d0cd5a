"""Panels: what the catalog says about each, put into the shapes of `render.grafana`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan
from typing import Any

from obsgen.index import Index
from obsgen.layout import Position
from obsgen.layout.table import columns
from obsgen.model import seldom
from obsgen.model.catalog import Domain
from obsgen.model.dashboard import (
    AlertList,
    BarGauge,
    Dashboard,
    Heatmap,
    Panel,
    Query,
    Stat,
    StateTimeline,
    Table,
    Text,
    TimeSeries,
    linked,
)
from obsgen.model.rule import Level
from obsgen.promql.functions import label_replace, vector
from obsgen.promql.infer import core, labels_of
from obsgen.promql.label import TARGET_LABELS, Label
from obsgen.promql.metric import Metric
from obsgen.promql.text import Scope, render
from obsgen.promql.tree import Aggregate, Expr, series_in
from obsgen.promql.units import Unit
from obsgen.render import grafana
from obsgen.render.fields import NO_DATA, UNITS, WRAPPED, mappings, no_data, number_now, steps
from obsgen.render.firing import firing
from obsgen.render.grafana import Json
from obsgen.render.legends import falls, legend_of
from obsgen.render.links import Links
from obsgen.render.values import NEVER_NEGATIVE, is_whole, shared_states, states_of
from obsgen.words import duration, titled


class Panels:
    """Renders the panels of one dashboard.

    Args:
        index: the catalog's cross-references.
        domain: whose dashboard it is.
        dashboard: the dashboard.
        scope: the window and the variables that its expressions stand under.
    """

    def __init__(self, index: Index, domain: Domain, dashboard: Dashboard, scope: Scope) -> None:
        self.index = index
        self.domain = domain
        self.dashboard = dashboard
        self.scope = scope
        self.links = Links(index)
        self.kinds: dict[type[Panel], Callable[[Any], Json]] = {
            Stat: self._stat,
            StateTimeline: self._state_timeline,
            BarGauge: self._bar_gauge,
            Table: self._table,
            Heatmap: self._heatmap,
            AlertList: self._alert_list,
            Text: self._text,
        }

    def render(self, panel: Panel, id: int, position: Position) -> Any:
        """Return a panel with its id and place."""
        return grafana.panel(
            id=id,
            title=panel.heading,
            description=self.index.readiness.about_panel(panel),
            grid=grafana.grid(position.x, position.y, position.w, position.h),
            links=self._links(panel),
            **self._drawn(panel, position),
        )

    def _drawn(self, panel: Panel, position: Position) -> Json:
        if isinstance(panel, TimeSeries):
            return self._time_series(panel, position)
        return next(self.kinds[kind] for kind in type(panel).__mro__ if kind in self.kinds)(panel)

    def _links(self, panel: Panel) -> list[Json]:
        expressions = panel.expressions if linked(panel) else ()
        alerts = dict.fromkeys(alert.name for expr in expressions for alert in self.index.watching(expr))
        series = dict.fromkeys(s.name for expr in expressions for s in series_in(expr) if s.name in self.index.series)
        return [
            *(grafana.link(f"Runbook: {name}", self.links.runbook(name)) for name in alerts),
            *(grafana.link(f"Metric: {name}", self.links.series(name)) for name in series),
        ]

    def _time_series(self, panel: TimeSeries, position: Position) -> Json:
        levels, several = self._levels(panel), self._several(panel)
        custom: Json = {"lineWidth": 1, "fillOpacity": 0 if several else 10, "showPoints": "never"}
        if panel.stacked:
            custom |= {"fillOpacity": 40, "stacking": {"group": "A", "mode": "normal"}}
        if levels:
            custom["thresholdsStyle"] = {"mode": "dashed"}
        color: Json = {"mode": "palette-classic"}
        if not several:
            # One line needs no colour to be told apart, so it has that of its thresholds.
            color = {"mode": "thresholds"} if levels else {"mode": "fixed", "fixedColor": "blue"}
            custom |= {"gradientMode": "scheme"} if levels else {}
        defaults = self._field(panel) | {"color": color, "custom": custom}
        if panel.value_unit in NEVER_NEGATIVE:
            defaults["min"] = 0
        if levels:
            defaults["thresholds"] = self._thresholds(panel.queries, levels)
        return {
            "kind": "timeseries",
            **self._queries(panel),
            "options": {
                "legend": legend_of(panel, position, several=several, lowest_first=falls(levels)),
                "tooltip": {"mode": "multi", "sort": "asc" if falls(levels) else "desc"},
            },
            "defaults": defaults,
        }

    def _several(self, panel: Panel) -> bool:
        """Return whether a panel can show more than one series."""
        return len(panel.queries) > 1 or any(labels_of(query.expr) != frozenset() for query in panel.queries)

    def _stat(self, panel: Stat) -> Json:
        field = self._coloured(panel)
        return {
            "kind": "stat",
            # The newest sample of a range would be the last one of what is gone.
            **self._queries(panel, instant=True),
            "options": {
                "colorMode": "background" if "thresholds" in field else "value",
                "graphMode": "none",
                "justifyMode": "auto",
                "orientation": "auto",
                "reduceOptions": _newest(),
                "textMode": "auto",
            },
            "defaults": field,
        }

    def _state_timeline(self, panel: StateTimeline) -> Json:
        # By its thresholds Grafana would merge the states, and not see their names.
        field = self._field(panel) | {"color": {"fixedColor": "text", "mode": "fixed"}}
        return {
            "kind": "state-timeline",
            **self._queries(panel),
            "options": {
                "alignValue": "left",
                # Grafana's legend would name the values, not the states, which stand in the bars.
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False},
                "mergeValues": True,
                "rowHeight": 0.8,
                "showValue": "auto",
                "tooltip": {"mode": "single", "sort": "none"},
            },
            "defaults": field | {"custom": {"fillOpacity": 70, "lineWidth": 0}},
        }

    def _bar_gauge(self, panel: BarGauge) -> Json:
        return {
            "kind": "bargauge",
            **self._queries(panel, instant=True),
            "options": {
                "displayMode": "basic",
                # Beside its bar a long name would be cut.
                "namePlacement": "top",
                "orientation": "horizontal",
                "reduceOptions": _newest(),
                "showUnfilled": True,
                "valueMode": "color",
            },
            "defaults": self._coloured(panel)
            | ({"min": 0} if panel.value_unit in (*NEVER_NEGATIVE, Unit.RATIO) else {})
            | ({"max": 1} if panel.value_unit is Unit.RATIO else {}),
        }

    def _table(self, panel: Table) -> Json:
        heads = panel.heads
        single = len(heads) == 1
        fields = ["Value" if single else f"Value #{grafana.ref_id(n)}" for n in range(len(heads))]
        order = [*(label.name for label in panel.by), *fields]
        names = {label.name: titled(label.name) for label in panel.by} | dict(zip(fields, heads, strict=True))
        organize = {
            "excludeByName": {"Time": True, "__name__": True},
            "indexByName": {name: position for position, name in enumerate(order)},
            "renameByName": names,
        }
        wide = [column.pixels for column in columns(panel) if column.fixed]
        return {
            "kind": "table",
            **self._queries(panel, instant=True, form="table"),
            "options": {"cellHeight": "sm", "showHeader": True}
            | ({"sortBy": [_order(panel.sort_by)]} if panel.sort_by else {}),
            "defaults": {"custom": {"align": "auto", "cellOptions": {"type": "auto"}}},
            "overrides": [
                *map(_label_column, panel.by),
                *(self._column(panel, *each) for each in zip(heads, panel.queries, wide, strict=True)),
            ],
            "transformations": [{"id": "merge", "options": {}}, {"id": "organize", "options": organize}],
        }

    def _column(self, panel: Table, head: str, query: Query, width: int) -> Json:
        levels, unit = self._of(query), panel.unit_of(query)
        number = number_now(unit) | _decimals(panel)
        properties: list[Json] = [{"id": key, "value": value} for key, value in number.items()]
        states = states_of(query.expr)
        known = (
            [no_data(query.absent, "text")]
            if query.absent
            else mappings(states, levels, planned=self._planned([query]))
        )
        properties.append({"id": "mappings", "value": known})
        if levels:
            properties.append({"id": "thresholds", "value": self._thresholds([query], levels)})
        if levels or states:
            properties.append({"id": "custom.cellOptions", "value": {"mode": "basic", "type": "color-background"}})
        properties.append({"id": "custom.width", "value": width})
        return {"matcher": {"id": "byName", "options": head}, "properties": properties}

    def _heatmap(self, panel: Heatmap) -> Json:
        expr = render(panel.expressions[0], self.scope)
        unit = UNITS[panel.value_unit]
        return {
            "kind": "heatmap",
            "targets": [grafana.target("A", expr, "{{le}}", form="heatmap")],
            "interval": self._interval(panel),
            "options": {
                "calculate": False,
                "cellGap": 1,
                "color": {"exponent": 0.5, "mode": "scheme", "scheme": "Oranges", "steps": 64},
                "filterValues": {"le": 1e-09},
                "legend": {"show": True},
                "rowsFrame": {"layout": "auto"},
                "showValue": "never",
                "tooltip": {"mode": "single", "yHistogram": False},
                "yAxis": {"axisPlacement": "left", "unit": unit},
            },
            "defaults": {"custom": {"scaleDistribution": {"type": "linear"}}},
        }

    def _alert_list(self, panel: AlertList) -> Json:
        return firing(self.index, self.domain, self.dashboard, panel)

    def _text(self, panel: Text) -> Json:
        return {"kind": "text", "options": {"content": panel.markdown, "mode": "markdown"}}

    def _queries(self, panel: Panel, *, instant: bool = False, form: str = "time_series") -> Json:
        targets = [
            grafana.target(
                grafana.ref_id(number),
                render(_or_a_row(panel, query), self.scope),
                "" if form == "table" else self._legend(panel, query),
                instant=instant,
                form=form,
            )
            for number, query in enumerate(panel.queries)
        ]
        # A table has a column for each query, which says its unit itself.
        overrides = [
            grafana.override(grafana.ref_id(number), own)
            for number, query in enumerate(panel.queries)
            if form != "table" and (own := self._own(panel, query))
        ]
        interval = None if instant else self._interval(panel)
        return {"targets": targets, "interval": interval} | ({"overrides": overrides} if overrides else {})

    def _own(self, panel: Panel, query: Query) -> Json:
        """Return what a query does not share with the others of its panel."""
        states = states_of(query.expr) if not shared_states(panel) else {}
        own: Json = {} if query.unit in (None, panel.value_unit) else {"unit": UNITS[panel.unit_of(query)]}
        return own | ({"mappings": mappings(states, self._of(query), planned=self._planned([query]))} if states else {})

    def _planned(self, queries: Sequence[Query]) -> bool:
        """Return whether none of some queries can have a result yet."""
        return bool(queries) and all(self.index.readiness.lacks(query.expr) for query in queries)

    def _interval(self, panel: Panel) -> str | None:
        """Return how often the slowest of the panel's series gets a sample: finer steps would show nothing more."""
        read = (self.index.series.get(s.name, s) for expr in panel.expressions for s in series_in(expr))
        intervals = [interval for series in read if (interval := seldom.interval(series))]
        return duration(max(intervals)) if intervals else None

    def _legend(self, panel: Panel, query: Query) -> str:
        if isinstance(query.legend, str):
            return query.legend
        if query.legend is not None:
            return " ".join(f"{{{{{label.name}}}}}" for label in query.legend)
        kept = labels_of(query.expr) or frozenset()
        # What it was aggregated by names it, be it only the job.
        found = kept - TARGET_LABELS or (kept if isinstance(query.expr, Aggregate) else frozenset())
        subject = core(query.expr)
        declared = [label.name for label in subject.labels] if isinstance(subject, Metric) else []
        ordered = [name for name in declared if name in found] or sorted(found)
        return " ".join(f"{{{{{name}}}}}" for name in ordered) or getattr(subject, "title", "") or panel.heading

    def _of(self, query: Query) -> Sequence[Level]:
        return query.levels or self.index.levels(query.expr)

    def _levels(self, panel: Panel) -> list[Level]:
        found = dict.fromkeys(level for query in panel.queries for level in self._of(query))
        return [level for level in found if level.threshold and level.threshold.comparison.ordered]

    def _field(self, panel: Panel, unit: Json | None = None) -> Json:
        levels = [level for query in panel.queries for level in self._of(query)]
        named = mappings(shared_states(panel), levels, planned=self._planned(panel.queries))
        return (unit or {"unit": UNITS[panel.value_unit]}) | _decimals(panel) | {"mappings": named}

    def _coloured(self, panel: Panel) -> Json:
        field, levels = self._field(panel, number_now(panel.value_unit)), self._levels(panel)
        if levels or shared_states(panel):
            return field | {"color": {"mode": "thresholds"}, "thresholds": self._thresholds(panel.queries, levels)}
        return field | {"color": {"fixedColor": "text", "mode": "fixed"}}

    def _thresholds(self, queries: Sequence[Query], levels: Sequence[Level]) -> Json:
        whole = all(is_whole(query.expr, self.index.series) for query in queries)
        return {"mode": "absolute", "steps": steps(levels, whole=whole)}


def _or_a_row(panel: Panel, query: Query) -> Expr:
    """Return the expression of a query, in a table with a row that says so where there is no series at all.

    Grafana draws a table without rows as an empty one, and says nothing. The column that decides is the first in which
    each row has a value.
    """
    deciding = next((each for each in panel.queries if not each.absent), None)
    if not isinstance(panel, Table) or not panel.by or query is not deciding:
        return query.expr
    return query.expr.or_(label_replace(vector(nan), panel.by[0].name, NO_DATA), on=())


def _label_column(label: Label) -> Json:
    """Return the settings of a column of a label."""
    return {"matcher": {"id": "byName", "options": titled(label.name)}, "properties": [WRAPPED]}


def _order(sort_by: str) -> Json:
    return {"displayName": sort_by.removeprefix("-"), "desc": sort_by.startswith("-")}


def _decimals(panel: Panel) -> Json:
    return {} if panel.decimals is None else {"decimals": panel.decimals}


def _newest() -> Json:
    return {"calcs": ["lastNotNull"], "fields": "", "values": False}
