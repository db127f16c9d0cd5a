"""Alerts that need not be told while another one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from obsgen.errors import DefinitionError, Location, here
from obsgen.model.budget import ErrorBudget
from obsgen.model.rule import Alert
from obsgen.model.severity import Severity
from obsgen.model.watch import SourceWatch
from obsgen.promql.label import Label
from obsgen.promql.metric import seconds
from obsgen.shape import conform


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """Alerts that are not told while another one fires, because it says all there is to say.

    What obsgen silences by itself needs none: a warning while the same alert is critical, a slow burn rate while the
    fast one fires, and what a source feeds alone while that is down.

    Args:
        source: the alert that says it all, or a watched source, for the alert that its numbers stand still.
        targets: the alerts that are silenced; an error budget for the alerts on its burn rates, a watched source for
            the alert that its numbers stand still.
        same: labels that have to be equal: the node that is down and the one that is slow. None for everything.
        lasting: how long after the source has ended its targets are silent still, a PromQL duration: as long as what
            led to it is in their windows. Without, they would be told when it is over.
        reason: why nothing is missed, as a sentence.
    """

    source: Alert | SourceWatch
    targets: Sequence[Alert | ErrorBudget | SourceWatch]
    same: Sequence[Label] = ()
    lasting: str = "0s"
    reason: str
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        if seconds(self.lasting) and isinstance(self.source, SourceWatch):
            raise DefinitionError(
                f"an inhibition by {self.source.stands_still} cannot outlast it",
                "name the alert that silences: source=ALERT",
            )

    @property
    def silencers(self) -> tuple[str, ...]:
        """Names of the alerts that silence in Alertmanager: the sources, or one that outlasts them."""
        return tuple(f"{name}Lately" for name in self.sources) if seconds(self.lasting) else self.sources

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the alerts that silence."""
        return _names(self.source)

    @property
    def silenced(self) -> tuple[str, ...]:
        """Names of the alerts that are silenced."""
        return tuple(name for target in self.targets for name in _names(target))


def _names(what: Alert | ErrorBudget | SourceWatch) -> tuple[str, ...]:
    match what:
        case SourceWatch():
            return (what.stands_still,)
        case ErrorBudget():
            return tuple(what.burn_alert(severity) for severity in Severity if what.burns_at(severity))
        case Alert():
            return (what.name,)
