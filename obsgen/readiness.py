"""What of a catalog can work today: which rules wait, which alerts cannot fire yet, which panels show nothing yet.

Something that reads a planned metric is not wrong, it is early. People have to know that where they look at it, or they
take its silence for health.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from obsgen.model.catalog import Catalog
from obsgen.model.dashboard import Panel
from obsgen.model.order import in_order, metrics_behind
from obsgen.model.rule import Alert
from obsgen.model.watch import SourceWatch
from obsgen.promql.metric import Metric
from obsgen.promql.source import Source, Status
from obsgen.promql.tree import Binary, Call, Expr, Number, Raw, Series, children, series_in
from obsgen.words import listed

PLANNED = "planned"
"""The folder of the rules that wait, below that of Prometheus' configuration."""
Lack = Metric | Source
"""What is not there yet."""
Lacking = tuple[Metric, ...] | None
"""The planned metrics for which something has no result, none of its own where it waits for itself; None where it may
have one."""
_OPTIONAL = re.compile(r"\b(or|unless|absent|absent_over_time)\b", re.IGNORECASE)


class Readiness:
    """What of an expanded catalog can work today.

    Args:
        catalog: the catalog, expanded.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    @cached_property
    def waiting(self) -> dict[str, tuple[SourceWatch, Lack]]:
        """The alerts that are not loaded, by name: the watch that each is of, and what it waits for.

        A source that is only planned would be down for ever, and one that is live but does not expose its key metric
        yet would miss it for ever.
        """
        found: dict[str, tuple[SourceWatch, Lack]] = {}
        for domain in self.catalog.domains:
            for watch in domain.watches:
                found |= {name: (watch, lack) for name, lack in _waiting(watch)}
        return found

    def file(self, name: str) -> str:
        """Return where the rules of an alert that waits are, below the folder of Prometheus' configuration."""
        return f"{PLANNED}/{self.waiting[name][0].source.name}.yml"

    def alert(self, alert: Alert) -> tuple[Lack, ...]:
        """Return why an alert cannot fire yet; nothing where it can."""
        if alert.name in self.waiting:
            return (self.waiting[alert.name][1],)
        return self.lacks(alert.expr)

    def about_alert(self, alert: Alert) -> str:
        """Return what people have to know of an alert that cannot fire yet; empty where it can."""
        if alert.name in self.waiting:
            path = f"`prometheus/{self.file(alert.name)}`"
            return f"**Not loaded yet.** {reasons(self.alert(alert))} Its rule waits in {path}."
        lacks = self.alert(alert)
        return f"**Cannot fire yet.** {reasons(lacks)}" if lacks else ""

    def today(self, alert: Alert) -> str:
        """Return what the metrics that an alert reads are made from today, where they are renamed."""
        said = []
        recorded = {recording.name: recording for recording in self.catalog.recordings}
        for metric in metrics_behind(series_in(alert.expr), recorded):
            today = metric.exposure
            if metric.status is Status.RENAMED and metric.exposed_by is not None:
                said.append(
                    f"`{metric.name}` is made from `{today.name}` of {metric.exposed_by.title}: {today.note}".strip()
                )
        return f"**Today.** {' '.join(said)}" if said else ""

    def panel(self, panel: Panel) -> tuple[Lack, ...]:
        """Return what a panel lacks; nothing where it shows all that it is made for."""
        return tuple(dict.fromkeys(lack for expr in panel.expressions for lack in self.lacks(expr)))

    def about_panel(self, panel: Panel) -> str:
        """Return what a panel tells, and whether it cannot tell that yet."""
        lacks = self.panel(panel)
        if not lacks:
            return panel.about
        empty = all(self.lacks(expr) for expr in panel.expressions)
        return f"{panel.about} **{'Shows nothing yet' if empty else 'Shows a part only yet'}.** {reasons(lacks)}"

    def lacks(self, expr: Expr) -> tuple[Metric, ...]:
        """Return the planned metrics without which an expression has no result, or none that means anything."""
        return self._without(expr) or ()

    def _without(self, expr: Expr) -> Lacking:
        """Return why an expression has no result yet; None where it may have one."""
        match expr:
            case Metric():
                return (expr,) if expr.status is Status.PLANNED else None
            case Series():
                return self._behind.get(expr.name)
            case Call(function="absent" | "absent_over_time"):
                return None
            case Binary(operator="or", left=left, right=right):
                # A zero stands in for what is there and has not happened, not for what nobody counts.
                return self._without(left) if _is_zero(right) else _all((self._without(left), self._without(right)))
            case Binary(operator="unless", left=left):
                return self._without(left)
            case Raw(template=template, parts=parts) if _OPTIONAL.search(template):
                return _all(self._without(part) for _, part in parts)
        return _any(map(self._without, children(expr)))

    @cached_property
    def _behind(self) -> dict[str, Lacking]:
        """Why each recorded series has no samples yet.

        A recording may read its own past, or two may read each other: none has any samples before something else gives
        them some. So all begin without, in the order of their dependencies, until nothing changes.
        """
        known = {recording.name: recording for recording in self.catalog.recordings}
        found: dict[str, Lacking] = dict.fromkeys(in_order(self.catalog.recordings), ())
        self.__dict__["_behind"] = found
        changed = True
        while changed:
            changed = False
            for name in found:
                now = self._without(known[name].expr)
                changed = changed or (now is None) != (found[name] is None) or set(now or ()) != set(found[name] or ())
                found[name] = now
        return found


def _any(parts: Iterable[Lacking]) -> Lacking:
    """Return why a whole has no result of which each part is needed."""
    lacking = [part for part in parts if part is not None]
    return _together(lacking) if lacking else None


def _all(parts: Iterable[Lacking]) -> Lacking:
    """Return why a whole has no result of which one part is enough."""
    found = list(parts)
    lacking = [part for part in found if part is not None]
    return _together(lacking) if found and len(lacking) == len(found) else None


def _together(found: Iterable[tuple[Metric, ...]]) -> tuple[Metric, ...]:
    return tuple(dict.fromkeys(metric for each in found for metric in each))


def _is_zero(expr: Expr) -> bool:
    match expr:
        case Binary(operator="*", right=Number(value=0)):
            return True
    return False


def _waiting(watch: SourceWatch) -> Iterator[tuple[str, Lack]]:
    """Yield the alerts of a watch that would cry for ever, and what each waits for."""
    moves = watch.key if watch.moves is None else watch.moves
    read: dict[str, Metric | None] = {watch.down: None, watch.missing: watch.key}
    if watch.still_after is not None:
        read[watch.stands_still] = moves
    for name, metric in read.items():
        if not watch.source.live:
            yield name, watch.source
        elif metric is not None and (metric.status is Status.PLANNED or metric.exposed_by != watch.source):
            yield name, metric


def reasons(lacks: Iterable[Lack]) -> str:
    """Return why something cannot work yet, as sentences, one for each reason."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for lack in lacks:
        by_reason.setdefault(_reason(lack), []).append(f"`{lack.name}`" if isinstance(lack, Metric) else lack.title)
    return " ".join(
        f"{listed(names)} {'is' if len(names) == 1 else 'are'} {status}{f': {note}' if note else '.'}"
        for (status, note), names in by_reason.items()
    )


def _reason(lack: Lack) -> tuple[str, str]:
    """Return the status of what is not there yet, and a note on it."""
    if isinstance(lack, Source):
        return "planned", ""
    if lack.status is Status.RENAMED:
        assert lack.exposed_by is not None
        return f"exposed by {lack.exposed_by.title} today", ""
    return "planned", lack.exposure.note
