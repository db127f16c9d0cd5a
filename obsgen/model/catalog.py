"""The catalog: a project and its domains."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from obsgen.errors import DefinitionError, Location, here
from obsgen.model.agreement import Agreement
from obsgen.model.budget import ErrorBudget
from obsgen.model.dashboard import Annotation, Dashboard
from obsgen.model.inhibition import Inhibition
from obsgen.model.routing import Notify, Routing
from obsgen.model.rule import Alert, Recording
from obsgen.model.team import Team
from obsgen.model.watch import SourceWatch
from obsgen.promql.metric import Metric, positive
from obsgen.promql.source import Source
from obsgen.shape import conform

VERSION = re.compile(r"\d+\.\d+")
URL = re.compile(r"https?://[^\s<>\"'`{}()\[\]|\\?#]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What holds for the whole catalog.

    Args:
        name: its id: the tag of its dashboards and the label `catalog` of its alerts.
        title: what people call it.
        description: what is observed, as a sentence.
        owner: who owns the definitions.
        docs_url: where `generated/docs` is published; the runbook links of alerts start with it.
        grafana_url: where Grafana is; the dashboard links of alerts and docs start with it.
        routing: how alerts get to people; None where that is not obsgen's business.
        retention: how long Prometheus keeps its data (`--storage.tsdb.retention.time`), a PromQL duration.
        prometheus: the oldest version of Prometheus that loads the configuration. From "3.0" on it says how a target
            that names no content type is read, which Prometheus 3 refuses else; Prometheus 2 does not know that field.
    """

    name: str
    title: str
    description: str
    owner: Team
    docs_url: str
    grafana_url: str
    routing: Routing | None = None
    retention: str = "15d"
    prometheus: str = "2.42"
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        for name in ("docs_url", "grafana_url"):
            url = getattr(self, name)
            if not URL.fullmatch(url):
                raise DefinitionError(
                    f"{name} of Project is {url!r}",
                    "alerts carry it as a link: give an address with https:// or http://",
                )
        positive(self.retention)
        if not VERSION.fullmatch(self.prometheus):
            raise DefinitionError(
                f"prometheus of Project is {self.prometheus!r}", 'give major and minor version, as in prometheus="3.0"'
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """One subject: its metrics, and everything that is made of them.

    Args:
        name: its id: the rule file, and the label `domain` of its alerts.
        title: what people call it.
        description: what it is about, in a sentence or two.
        order: its place among the domains.
        team: who acts on its alerts; the project's owner when left out.
        notify: who is told of its alerts, where that is not whom the team names.
        metrics: what its sources expose.
        recordings: what Prometheus records.
        budgets: its error budgets.
        alerts: what people have to know of.
        watches: its sources, watched.
        agreements: counters that have to say the same.
        inhibitions: alerts that silence others.
        dashboards: what people look at.
        annotations: marks on every dashboard of the catalog.
        notes: what a reader has to know about its numbers, a paragraph each.
    """

    name: str
    title: str
    description: str
    order: int = 0
    team: Team | None = None
    notify: Notify | None = None
    metrics: Sequence[Metric] = ()
    recordings: Sequence[Recording] = ()
    budgets: Sequence[ErrorBudget] = ()
    alerts: Sequence[Alert] = ()
    watches: Sequence[SourceWatch] = ()
    agreements: Sequence[Agreement] = ()
    inhibitions: Sequence[Inhibition] = ()
    dashboards: Sequence[Dashboard] = ()
    annotations: Sequence[Annotation] = ()
    notes: Sequence[str] = ()
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """A project and its domains, in their order."""

    project: Project
    domains: tuple[Domain, ...]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All metrics, in the order of their domains."""
        return tuple(metric for domain in self.domains for metric in domain.metrics)

    @property
    def sources(self) -> tuple[Source, ...]:
        """All sources: who exposes the metrics, now or one day, and who is watched; each once."""
        exposing = (source for metric in self.metrics for source in (metric.source, metric.exposed_by))
        watched = (watch.source for domain in self.domains for watch in domain.watches)
        found: dict[str, Source] = {}
        for source in (*exposing, *watched):
            if source is not None:
                found.setdefault(source.name, source)
        return tuple(found.values())

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """All recordings, in the order of their domains."""
        return tuple(recording for domain in self.domains for recording in domain.recordings)

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """All alerts, in the order of their domains."""
        return tuple(alert for domain in self.domains for alert in domain.alerts)

    @property
    def dashboards(self) -> tuple[Dashboard, ...]:
        """All dashboards, in the order of their domains."""
        return tuple(dashboard for domain in self.domains for dashboard in domain.dashboards)

    @property
    def annotations(self) -> tuple[Annotation, ...]:
        """All annotations, in the order of their domains."""
        return tuple(annotation for domain in self.domains for annotation in domain.annotations)
