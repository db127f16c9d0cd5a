"""Grafana dashboards: panels, variables, annotations and links of each, put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from obsgen.index import Index
from obsgen.layout import place
from obsgen.model.catalog import Domain
from obsgen.model.dashboard import Annotation, Dashboard
from obsgen.promql.label import Label, Matcher
from obsgen.promql.metric import ALERTS, Metric
from obsgen.promql.text import Scope, render
from obsgen.promql.tree import Series, series_in
from obsgen.render import grafana
from obsgen.render.grafana import Json
from obsgen.render.links import Links
from obsgen.render.panels import Panels
from obsgen.words import titled

RATE_WINDOW = "$__rate_interval"


def dashboards(index: Index) -> Iterator[tuple[str, Json]]:
    """Yield every dashboard of a catalog as plain data, with its uid."""
    for domain in index.catalog.domains:
        for dashboard in domain.dashboards:
            yield dashboard.uid, _Renderer(index, domain, dashboard).render()


class _Renderer:
    """One dashboard."""

    def __init__(self, index: Index, domain: Domain, dashboard: Dashboard) -> None:
        self.index = index
        self.domain = domain
        self.dashboard = dashboard
        self.project = index.catalog.project
        self.links = Links(index)
        variables = tuple(Matcher(label, "=~", f"${label.name}") for label in dashboard.filters)
        self.scope = Scope(window=RATE_WINDOW, matchers=variables, held=index.held)
        self.panels = Panels(index, domain, dashboard, self.scope)

    def render(self) -> Json:
        """Return the dashboard as plain data."""
        dashboard, project = self.dashboard, self.project
        panels: list[Any] = []
        for placed in place(dashboard):
            inside = [self.panels.render(panel, number, position) for panel, number, position in placed.panels]
            panels += grafana.row(
                id=placed.id,
                title=placed.row.title,
                grid=grafana.grid(0, placed.position.y, placed.position.w, placed.position.h),
                collapsed=placed.row.collapsed,
                panels=inside,
            )
        serves = f" Serves the {dashboard.audience}." if dashboard.audience else ""
        return grafana.dashboard(
            uid=dashboard.uid,
            title=dashboard.title,
            description=f"{dashboard.description}{serves} Owner: {project.owner.title}.",
            tags=[project.name, self.domain.name],
            panels=panels,
            variables=[grafana.datasource_variable(), *self._variables()],
            annotations=self._annotations(),
            family=(f"{project.title} dashboards", project.name),
            docs=("Docs and runbooks", self.links.domain_page(self.domain)),
            time=dashboard.time,
            refresh=dashboard.refresh,
        )

    def _variables(self) -> list[Any]:
        found = []
        for position, label in enumerate(self.dashboard.filters):
            series = self._offering(label, self.dashboard.filters[:position])
            narrower = Scope(matchers=self.scope.matchers[:position])
            query = f"label_values({render(series, narrower)}, {label.name})"
            found.append(grafana.label_variable(label.name, titled(label.name), query))
        return found

    def _offering(self, label: Label, wider: Sequence[Label]) -> Series:
        """Return a series on the dashboard that has the label, and as many of the wider ones as any has.

        Its values are those to choose from, narrowed by what was chosen before. A metric has them at once, a recorded
        series only after its first evaluation.
        """
        read = (s for panel in self.dashboard.panels for expr in panel.expressions for s in series_in(expr))
        having = [series for series in read if label.name in series.label_names]
        return max(having, key=lambda s: (sum(each.name in s.label_names for each in wider), isinstance(s, Metric)))

    def _annotations(self) -> list[Json]:
        own = {"alertstate": "firing", "catalog": self.project.name}
        if self.domain.alerts:
            own["domain"] = self.domain.name
        labels = {label.name: label for label in ALERTS.labels}
        firing = grafana.annotation(
            "Firing alerts",
            render(ALERTS.where(*(labels[name].equals(value) for name, value in own.items()))),
            title="{{alertname}}",
            text="{{severity}}",
            colour="red",
            tags="severity",
            enable=False,
        )
        return [firing, *(self._event(each) for each in self.domain.annotations)]

    def _event(self, event: Annotation) -> Json:
        expr = render(event.expr, Scope(held=self.index.held))
        return grafana.annotation(event.title, expr, title=event.title, text=event.text, colour=event.colour)
