"""How Grafana fails, as exceptions.

GrafanaError            Grafana cannot be reached, or does not do what it is asked for
├── Refused             it says no; what it was asked for is not done
├── Unsure              a write may be done or not
└── Down                it does not answer any more
"""

from __future__ import annotations

from obsgen.errors import ObsgenError


class GrafanaError(ObsgenError):
    """Grafana cannot be reached, or does not do what it is asked for."""


class Refused(GrafanaError):  # noqa: N818  # an answer, no failure
    """Grafana says no.

    Args:
        text: what to tell people.
        status: the HTTP status.
        reason: Grafana's word for it (`status` or `messageId` of its answer); empty where it has none.
        foreign: whether the answer is not Grafana's at all.
    """

    def __init__(self, text: str, status: int, reason: str = "", *, foreign: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason
        self.foreign = foreign


class Unsure(GrafanaError):  # noqa: N818  # it may be well
    """A write may have been done or not: the connection broke, or the server failed."""


class Down(GrafanaError):  # noqa: N818  # the server's state
    """Grafana does not answer any more; there is no point in asking again."""
