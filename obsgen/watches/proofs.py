"""Proofs of the alerts on a source: they follow from the watch alone."""

from __future__ import annotations

import math

from obsgen.model.proof import Firing, Proof
from obsgen.model.rule import ALERT_INTERVAL
from obsgen.model.watch import SourceWatch
from obsgen.promql.functions import up
from obsgen.promql.label import JOB
from obsgen.promql.metric import UP, Vector, seconds
from obsgen.promql.tree import Selector, Series
from obsgen.words import duration, spoken

EVALUATED = seconds(ALERT_INTERVAL)
LONG = 6 * 3600
"""Seconds of standing still from which on a proof takes its samples further apart."""
FAR_APART = "4m"
"""Below the five minutes after which Prometheus forgets a sample."""


def _evaluated_after(at: float) -> float:
    """Return the first evaluation at a time or after it, in seconds."""
    return math.ceil(at / EVALUATED) * EVALUATED


def _fires(watch: SourceWatch, begun: float, hold: str) -> Firing:
    return Firing(since=duration(_evaluated_after(begun) + _evaluated_after(seconds(hold))), at=watch.at)


def down(watch: SourceWatch, hold: str) -> tuple[Proof, ...]:
    """Return the proofs of the alert on a target that cannot be scraped."""
    source, every = watch.source, seconds(watch.source.interval)
    failed = max(int(_evaluated_after(seconds(hold)) / every) - 1, 0)
    lasting = int(2 * seconds(hold) / every) + 4
    target = up(source)
    return (
        Proof(
            f"Scrapes of {source.title} that fail for less than {spoken(hold)} are a restart.",
            given={target: f"1x4 0x{failed} 1x4" if failed else "1x4"},
            every=source.interval,
            at=watch.at,
        ),
        Proof(
            f"A target that has failed all scrapes for {spoken(hold)} is down.",
            given={target: f"1x4 0x{lasting}"},
            fires=_fires(watch, 5 * every, hold),
            every=source.interval,
            at=watch.at,
        ),
        Proof(
            "A job that Prometheus does not know at all is down, too.",
            given={UP.where(JOB.equals(f"not-{source.job}")): f"1x{lasting}"},
            fires=_fires(watch, 0, hold),
            every=source.interval,
            at=watch.at,
        ),
    )


def missing(watch: SourceWatch, key: Vector, hold: str) -> tuple[Proof, ...]:
    """Return the proofs of the alert on a target that answers without its key series."""
    source, every = watch.source, watch.source.interval
    steps = int(_evaluated_after(seconds(hold)) / seconds(every)) + 4
    target = up(source)
    lost: dict[Series | Selector, str] = {target: f"1x{steps + 10}", key: f"1x4 stale _x{steps + 5}"}
    return (
        Proof(
            f"{source.title} answers with {watch.key.name}.",
            given={target: f"1x{steps}", key: f"1x{steps}"},
            every=every,
            at=watch.at,
        ),
        Proof(
            "A target that does not answer has another alert.",
            given={target: f"0x{steps}"},
            every=every,
            at=watch.at,
        ),
        Proof(
            f"{source.title} has lost {watch.key.name}.",
            given=lost,
            fires=_fires(watch, 5 * seconds(every), hold),
            every=every,
            at=watch.at,
        ),
    )


def still(watch: SourceWatch, moves: Vector, window: str, hold: str) -> tuple[Proof, ...]:
    """Return the proofs of the alert on numbers that stand still."""
    every = FAR_APART if seconds(window) > LONG else watch.source.interval
    begun = _evaluated_after(seconds(window))
    steps = int((begun + _evaluated_after(seconds(hold))) / seconds(every)) + 4
    after = duration(begun - 600 if begun > LONG else 0)
    return (
        Proof(
            f"The numbers of {watch.source.title} move.",
            given={moves: f"0+1x{steps}"},
            every=every,
            after=after,
            at=watch.at,
        ),
        Proof(
            f"The numbers have stood still for {spoken(window)}, but not for {spoken(hold)} more.",
            given={moves: f"1x{int((begun + seconds(hold) - EVALUATED) / seconds(every))}"},
            every=every,
            after=after,
            at=watch.at,
        ),
        Proof(
            f"The numbers have stood still for {spoken(window)} and {spoken(hold)} more.",
            given={moves: f"1x{steps}"},
            fires=_fires(watch, begun, hold),
            every=every,
            after=after,
            at=watch.at,
        ),
    )
