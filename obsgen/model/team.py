"""People."""

from __future__ import annotations

from dataclasses import dataclass

from obsgen.model.routing import Notify
from obsgen.shape import conform


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team that owns definitions or acts on alerts.

    Args:
        name: its id, the value of the alert labels `owner` and `team`.
        title: what people call it.
        notify: who is told of its alerts.
    """

    name: str
    title: str
    notify: Notify | None = None

    def __post_init__(self) -> None:
        conform(self)
