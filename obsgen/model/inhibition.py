"""Alerts that need not be told while another one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from obsgen.errors import Location, here
from obsgen.model.rule import Alert
from obsgen.model.watch import SourceWatch
from obsgen.promql.label import Label
from obsgen.shape import conform


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """Alerts that are not told while another one fires, because it says all there is to say.

    What obsgen silences by itself needs none: a warning while the same alert is critical, a slow burn rate while the
    fast one fires, and what a source feeds alone while that is down.

    Args:
        source: the alert that says it all, or a watched source, for the alert that its numbers stand still.
        targets: the alerts that are silenced.
        same: labels that have to be equal: the node that is down and the one that is slow. None for everything.
        reason: why nothing is missed, as a sentence.
    """

    source: Alert | SourceWatch
    targets: Sequence[Alert]
    same: Sequence[Label] = ()
    reason: str
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the alerts that silence."""
        return (self.source.stands_still,) if isinstance(self.source, SourceWatch) else (self.source.name,)
