"""Labels, and the matchers that pick series by them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from obsgen.errors import DefinitionError, Location, here
from obsgen.shape import conform

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a metric.

    Args:
        name: its name in the exposition.
        help: what it tells, as a sentence.
        values: all the values it can take, where they are known.

    Raises:
        DefinitionError: the name is none that Prometheus accepts.
    """

    name: str
    help: str = ""
    values: Sequence[str] = ()
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)
        if not NAME.fullmatch(self.name) or self.name.startswith("__"):
            raise DefinitionError(
                f"{self.name!r} is not a label name",
                "use letters, digits and underscores; a name may not start with a digit or with __",
            )

    @property
    def value(self) -> str:
        """What the label's value is written as in an alert's text: Prometheus fills it in when the alert fires."""
        return f"{{{{ $labels.{self.name} }}}}"

    def equals(self, value: str) -> Matcher:
        """Match series whose label has this value."""
        return Matcher(self, "=", value, (value,))

    def differs(self, value: str) -> Matcher:
        """Match series whose label has another value, or is missing."""
        return Matcher(self, "!=", value, (value,))

    def one_of(self, *values: str) -> Matcher:
        """Match series whose label has one of these values."""
        return Matcher(self, "=~", _any(self, values), values)

    def none_of(self, *values: str) -> Matcher:
        """Match series whose label has none of these values."""
        return Matcher(self, "!~", _any(self, values), values)

    def matches(self, pattern: str) -> Matcher:
        """Match series whose label fits the regular expression from its first to its last character (RE2)."""
        return Matcher(self, "=~", pattern)


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on a label. `literals` are the values it names word for word."""

    label: Label
    operator: str
    value: str
    literals: tuple[str, ...] = ()
    at: Location = field(default_factory=here, repr=False, compare=False)

    def __post_init__(self) -> None:
        conform(self)


def _any(label: Label, values: tuple[str, ...]) -> str:
    """Return the RE2 pattern that matches only these values. `re.escape` would also escape what needs none."""
    if not values or not all(isinstance(value, str) for value in values):
        raise DefinitionError(
            f"the label {label.name!r} is matched with {values!r}", 'give the values one by one: one_of("a", "b")'
        )
    return "|".join(re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", value) for value in values)


JOB = Label("job", "Scrape job that the target belongs to.")
INSTANCE = Label("instance", "Host and port that was scraped.")
RENAMED = Label("renamed", '"true" on what a recording rule has made of the name of today. No exporter sets it.')
TARGET_LABELS = frozenset({JOB.name, INSTANCE.name})
"""What Prometheus adds to everything it scrapes."""
