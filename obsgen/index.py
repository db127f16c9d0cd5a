"""Who uses what: the cross-references of a catalog, built once and read by every renderer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from obsgen.layout import panel_id
from obsgen.model.catalog import Catalog, Domain
from obsgen.model.dashboard import Dashboard, Panel, StateTimeline, TimeSeries
from obsgen.model.drawing import is_true_on
from obsgen.model.rule import Alert, Level, Recording
from obsgen.model.seldom import held
from obsgen.promql.infer import core
from obsgen.promql.metric import Metric
from obsgen.promql.tree import Expr, Series, series_in
from obsgen.readiness import Readiness

OVER_TIME = (TimeSeries, StateTimeline)


@dataclass(frozen=True, slots=True, eq=False)
class PanelPlace:
    """A panel and the dashboard that it is on."""

    domain: Domain
    dashboard: Dashboard
    panel: Panel

    @property
    def id(self) -> int:
        """The panel's id."""
        return panel_id(self.dashboard.uid, self.panel)


@dataclass(frozen=True, slots=True)
class Uses:
    """Where a series is read."""

    panels: tuple[PanelPlace, ...]
    alerts: tuple[Alert, ...]
    recordings: tuple[Recording, ...]


class Index:
    """The cross-references of an expanded catalog.

    Args:
        catalog: the catalog, expanded.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    @cached_property
    def places(self) -> tuple[PanelPlace, ...]:
        """All panels, in the order of their domains."""
        return tuple(
            PanelPlace(domain, dashboard, panel)
            for domain in self.catalog.domains
            for dashboard in domain.dashboards
            for panel in dashboard.panels
        )

    @cached_property
    def readiness(self) -> Readiness:
        """What of the catalog can work today."""
        return Readiness(self.catalog)

    @cached_property
    def held(self) -> Mapping[str, str]:
        """How far back to look for the newest sample of the series that get one seldom, by name."""
        return held(self.catalog)

    @cached_property
    def series(self) -> dict[str, Series]:
        """All metrics and recorded series, by name."""
        return {s.name: s for s in (*self.catalog.metrics, *self.catalog.recordings)}

    @cached_property
    def home(self) -> dict[str, Domain]:
        """The domain of every metric, recorded series and alert, by name."""
        homes: dict[str, Domain] = {}
        for domain in self.catalog.domains:
            homes.update((series.name, domain) for series in (*domain.metrics, *domain.recordings))
            homes.update((alert.name, domain) for alert in domain.alerts)
        return homes

    def read_by(self, panel: Panel) -> tuple[Series, ...]:
        """Return the metrics and recorded series of the catalog that a panel reads, each once."""
        read = {s.name: s for expr in panel.expressions for s in series_in(expr) if s.name in self.series}
        return tuple(read.values())

    def uses(self, series: Series) -> Uses:
        """Return where a series is read."""
        panels, alerts, recordings = self._readers
        return Uses(
            tuple(panels.get(series.name, ())),
            tuple(alerts.get(series.name, ())),
            tuple(recordings.get(series.name, ())),
        )

    @cached_property
    def _readers(self) -> tuple[dict[str, list[PanelPlace]], dict[str, list[Alert]], dict[str, list[Recording]]]:
        panels: dict[str, list[PanelPlace]] = defaultdict(list)
        alerts: dict[str, list[Alert]] = defaultdict(list)
        recordings: dict[str, list[Recording]] = defaultdict(list)
        for place in self.places:
            for name in dict.fromkeys(s.name for expr in place.panel.expressions for s in series_in(expr)):
                panels[name].append(place)
        for alert in self.catalog.alerts:
            for series in series_in(alert.expr):
                alerts[series.name].append(alert)
        for recording in self.catalog.recordings:
            for series in series_in(recording.expr):
                recordings[series.name].append(recording)
        return panels, alerts, recordings

    @cached_property
    def _alerts_by_core(self) -> dict[Expr, list[Alert]]:
        found: dict[Expr, list[Alert]] = defaultdict(list)
        for alert in self.catalog.alerts:
            found[core(alert.expr)].append(alert)
        return found

    def watching(self, expr: Expr) -> tuple[Alert, ...]:
        """Return the alerts about the same thing as an expression, whatever each of them picks of it."""
        return tuple(self._alerts_by_core.get(core(expr), ()))

    def levels(self, expr: Expr) -> tuple[Level, ...]:
        """Return the levels of alerts whose threshold is true for the values of an expression, least severe first."""
        found = (level for alert in self.watching(expr) for level in alert.levels if is_true_on(alert, level, expr))
        return tuple(sorted(found, key=lambda level: level.severity.rank))

    @cached_property
    def _places_by_core(self) -> dict[Expr, list[PanelPlace]]:
        found: dict[Expr, list[PanelPlace]] = defaultdict(list)
        for place in self.places:
            for expr in place.panel.expressions:
                found[core(expr)].append(place)
        return found

    def panels_of(self, alert: Alert) -> tuple[PanelPlace, ...]:
        """Return the panels that show what an alert watches, the telling ones first.

        These are those of its own domain, before others those on which its threshold is true: an average is of use when
        an alert on single series fires, but does not show why it did.
        """
        home = self.home.get(alert.name)
        places = dict.fromkeys(self._places_by_core.get(core(alert.expr), ()))
        if not places:
            metrics = [s for s in series_in(alert.expr) if not (isinstance(s, Metric) and s.source is None)]
            readers, _, _ = self._readers
            places = dict.fromkeys(place for s in metrics for place in readers.get(s.name, ()))
        # A line over time says more at 3 a.m. than a number does.
        return tuple(
            sorted(
                places,
                key=lambda p: (p.domain is not home, not _is_drawn(alert, p.panel), not isinstance(p.panel, OVER_TIME)),
            )
        )

    def dashboard_of(self, alert: Alert) -> tuple[Dashboard | None, PanelPlace | None]:
        """Return where to look when an alert fires: a panel that shows what it watches, else its domain's dashboard."""
        places = self.panels_of(alert)
        if places:
            return places[0].dashboard, places[0]
        home = self.home[alert.name]
        return next(iter(home.dashboards), self._first_dashboard), None

    @cached_property
    def _first_dashboard(self) -> Dashboard | None:
        return next(iter(self.catalog.dashboards), None)


def _is_drawn(alert: Alert, panel: Panel) -> bool:
    """Return whether the threshold of one of an alert's levels is true on a panel."""
    return any(is_true_on(alert, level, expr) for level in alert.levels for expr in panel.expressions)
