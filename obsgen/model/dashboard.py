"""Dashboards: what people look at.

A panel says what it shows. Title, unit, description, legend, value names and thresholds come from the catalog
unless they are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from obsgen.errors import DefinitionError, Location, here
from obsgen.model.rule import Level
from obsgen.promql.functions import histogram_buckets
from obsgen.promql.infer import core
from obsgen.promql.label import Label
from obsgen.promql.metric import Histogram, seconds
from obsgen.promql.quantity import unit_of
from obsgen.promql.tree import Expr, Series, series_in
from obsgen.promql.units import Unit
from obsgen.shape import conform


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One expression on a panel.

    Args:
        expr: what to show. An open window becomes `$__rate_interval`.
        legend: what its series are called: labels, or a text with `{{label}}` in it; its labels when left out.
        unit: where it differs from the panel's; inferred from the expression when neither is given.
        levels: thresholds that colour it; those of the alerts on what it shows when left out.
        absent: in a table, what it means that a row has no value, where that is normal: `not burning`.
    """

    expr: Expr
    legend: str | Sequence[Label] | None = None
    unit: Unit | None = None
    levels: Sequence[Level] = ()
    absent: str = ""

    def __post_init__(self) -> None:
        conform(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel. Use one of its kinds.

    Args:
        shows: an expression, a query, or a list of them.
        title: unique on its dashboard; that of the metric when left out.
        description: what it tells; the metric's help when left out.
        unit: that of the first query when left out. State it after arithmetic: `TRAFFIC * 8 / 1e6` has none that
            could be told.
        decimals: how many; Grafana chooses when left out, and calls 99.97% 100%.
        legend: what the series are called, for a panel with one query.
        levels: thresholds that colour it, for a panel with one query; those of the alerts on what it shows when left
            out.
        width: preferred width, of 24; panels of a row are stretched to fill it.
        key: what the panel's id is made from; the title when left out. Keep it when the title is reworded.

    Attributes:
        queries: what it shows, as queries.
    """

    shows: Expr | Query | Sequence[Expr | Query] = ()
    title: str = ""
    description: str = ""
    unit: Unit | None = None
    decimals: int | None = None
    legend: str | Sequence[Label] | None = None
    levels: Sequence[Level] = ()
    width: int = 12
    height: int = 8
    key: str = ""
    at: Location = field(default_factory=here, repr=False, compare=False)
    queries: Sequence[Query] = field(default=(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.shows, Expr | Query):
            object.__setattr__(self, "shows", (self.shows,))
        conform(self)
        if type(self) is Panel:
            raise DefinitionError("a Panel has no kind", "use TimeSeries, Stat, Table or another of its kinds")
        computed = isinstance(self, Text) and not self.height
        if not 1 <= self.width <= 24 or (self.height < 2 and not computed):
            raise DefinitionError(
                f"a panel of {self.width} x {self.height} does not fit", "width is 1 to 24, height 2 or more"
            )
        shown = (self.shows,) if isinstance(self.shows, Expr | Query) else self.shows
        queries = (
            each if isinstance(each, Query) else Query(expr=each, legend=self.legend, levels=self.levels)
            for each in shown
        )
        object.__setattr__(self, "queries", tuple(queries))

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """The expressions of what it shows."""
        return tuple(query.expr for query in self.queries)

    @property
    def subject(self) -> Series | None:
        """The series that it is about, where there is one."""
        return next((s for query in self.queries if isinstance(s := core(query.expr), Series)), None)

    @property
    def heading(self) -> str:
        """Its title, or that of its subject."""
        return self.title or getattr(self.subject, "title", "")

    @property
    def about(self) -> str:
        """Its description, or the help of the first series that it reads."""
        read = (s for expr in self.expressions for s in series_in(expr))
        return self.description or next((text for s in read if (text := getattr(s, "help", ""))), self.heading)

    @property
    def value_unit(self) -> Unit:
        """The unit of its values."""
        return self.unit_of(self.queries[0]) if self.queries else self.unit or Unit.NONE

    def unit_of(self, query: Query) -> Unit:
        """Return the unit of one of its queries: its own, that of the panel, or what follows from its expression."""
        return query.unit or self.unit or unit_of(query.expr)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSeries(Panel):
    """Lines over time. `stacked` adds them up, for parts of a whole."""

    stacked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat(Panel):
    """One number now, coloured by the thresholds of its alerts."""

    width: int = 6
    height: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTimeline(Panel):
    """The states of a gauge over time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BarGauge(Panel):
    """One bar a series, now."""

    width: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Panel):
    """One row for each combination of the `by` labels, one column a query (its legend heads the column).

    `sort_by` is the head of the column whose lowest value comes first; with a minus before it, the highest.
    """

    by: Sequence[Label]
    sort_by: str = ""
    width: int = 24

    @property
    def heads(self) -> list[str]:
        """What its columns are headed: the legend of each query, or the title of what it shows."""
        return [
            query.legend if isinstance(query.legend, str) else getattr(core(query.expr), "title", "") or "Value"
            for query in self.queries
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heatmap(Panel):
    """The distribution of a histogram's observations over time."""

    of: Histogram

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """The buckets of the histogram."""
        return (histogram_buckets(self.of),)

    @property
    def subject(self) -> Series:
        """The histogram."""
        return self.of

    @property
    def value_unit(self) -> Unit:
        """The unit of the histogram's buckets."""
        return self.unit or self.of.unit


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertList(Panel):
    """The firing alerts of the dashboard's domain, the worst and then the newest first.

    Those of the catalog are shown by `everything`, and where the domain has none.

    It follows the dashboard's filters: an alert without the label of a filter is always shown.
    """

    everything: bool = False
    title: str = "Firing alerts"
    description: str = (
        "What fires now, where, and since when? The worst comes first, and of these the newest. A name leads to its "
        "runbook."
    )
    width: int = 24
    height: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Panel):
    """Markdown, as high as its text needs; a height of its own is for a text that is to scroll."""

    markdown: str
    width: int = 24
    height: int = 0


def linked(panel: Panel) -> bool:
    """Return whether a panel has links to the runbooks and metrics that it is about: the head of a stat has no room."""
    return bool(panel.expressions) and not isinstance(panel, Stat)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels under a heading.

    Args:
        title: unique on its dashboard.
        panels: from left to right, as many to a line as fit.
        collapsed: whether it starts folded.
    """

    title: str
    panels: Sequence[Panel]
    collapsed: bool = False

    def __post_init__(self) -> None:
        conform(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A Grafana dashboard.

    Args:
        uid: its id in Grafana, and its file name; never change it, links point at it.
        title: what people call it.
        description: what it answers.
        audience: who it is for, where that is not the owner.
        rows: from top to bottom.
        filters: labels that readers filter by, the widest first: a later one offers only what fits the earlier.
        time: how far back it shows at first, a PromQL duration.
        refresh: how often it reloads.
    """

    uid: str
    title: str
    description: str
    audience: str = ""
    rows: Sequence[Row]
    filters: Sequence[Label] = ()
    time: str = "6h"
    refresh: str = "30s"
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        for duration in (self.time, self.refresh):
            seconds(duration)

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Its panels, in reading order."""
        return tuple(panel for row in self.rows for panel in row.panels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Something that happened, drawn as a mark on every dashboard of the catalog.

    Args:
        title: what happened.
        expr: returns a series while it happens.
        text: what the mark says, with `{{label}}` in it.
        colour: of the mark, a colour name of Grafana.
    """

    title: str
    expr: Expr
    text: str = ""
    colour: str = "purple"
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
