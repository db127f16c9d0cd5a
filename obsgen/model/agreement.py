"""Two counters that have to say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from obsgen.errors import DefinitionError, Location, here
from obsgen.model.rule import Step
from obsgen.promql.label import Label
from obsgen.promql.metric import Counter, as_selector, positive
from obsgen.promql.tree import Selector
from obsgen.shape import conform
from obsgen.words import camel


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Two counters that count the same events, in two ways: errors, and answers with the status of one.

    An alert warns when they differ. Each half of what is built on them would be right by itself, and they would
    contradict each other.

    Args:
        name: its id: the names of its recorded series and its alert begin with it.
        title: what is counted, for texts: "errors of the API".
        one: a counter, or a selection of its series.
        other: the one that has to agree.
        by: the labels by which they have to agree; all events together when left out.
        window: how long they are counted, a PromQL duration.
        within: how much they may differ, as a share of their mean.
        at_least: of fewer events in the window, on the average of the two, nobody is told.
        impact: what goes wrong while they differ, as a sentence.
        diagnosis: how to find out which of them is wrong.
        mitigation: how to make them agree.
        reason: why `within` and `at_least` are what they are, as a sentence.
    """

    name: str
    title: str
    one: Counter | Selector
    other: Counter | Selector
    by: Sequence[Label] = ()
    window: str = "1h"
    within: float = 0.05
    at_least: int = 20
    impact: str
    diagnosis: Sequence[Step | str]
    mitigation: Sequence[Step | str]
    reason: str = ""
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        positive(self.window)
        if not 0 < self.within < 1 or self.at_least < 1:
            raise DefinitionError(
                f"{self.name} agrees within {self.within:g} of {self.at_least} events",
                "within is a share between 0 and 1, at_least a number of events",
            )
        for selector in (as_selector(self.one), as_selector(self.other)):
            if not isinstance(selector.series, Counter):
                raise DefinitionError(f"{selector.series.name} is no counter", "give two counters of the same events")
            for label in self.by:
                if label.name not in selector.series.label_names:
                    raise DefinitionError(
                        f"{self.name} agrees by {label.name!r}, which {selector.series.name} does not have",
                        "both counters need the labels of by=...",
                    )

    @property
    def alert(self) -> str:
        """Name of the alert that they differ."""
        return f"{camel(self.name)}Disagree"
