"""What recordings depend on: the order in which they can be evaluated, and the metrics behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from obsgen.model.rule import Recording
from obsgen.promql.metric import Metric
from obsgen.promql.tree import Series, series_in


def in_order(recordings: tuple[Recording, ...]) -> list[str]:
    """Return the names of recordings so that each comes after those that it reads, and else as they were given."""
    by_name = {recording.name: recording for recording in recordings}
    place = {name: number for number, name in enumerate(by_name)}
    reads = {r.name: [s.name for s in series_in(r.expr) if s.name in by_name] for r in recordings}

    def after(name: str, other: str) -> bool:
        """Return whether one has to come after another that it reads: of two that read each other, as given."""
        return name not in reads[other] or place[other] < place[name]

    done: dict[str, None] = {}
    # Iterative: a chain of recordings may be longer than Python's stack.
    stack = list(reversed(recordings))
    entered: set[str] = set()
    while stack:
        recording = stack[-1]
        needed = [
            by_name[name]
            for name in reads[recording.name]
            if name not in done and name not in entered and after(recording.name, name)
        ]
        entered.add(recording.name)
        if needed:
            stack.extend(reversed(needed))
        else:
            done.setdefault(stack.pop().name)
    return list(done)


def metrics_behind(series: tuple[Series, ...], recorded: Mapping[str, Recording]) -> Iterator[Metric]:
    """Yield the metrics that series are, or are recorded from."""
    seen: set[str] = set()
    stack = list(series)
    while stack:
        each = stack.pop()
        if each.name in seen:
            continue
        seen.add(each.name)
        if isinstance(each, Metric):
            yield each
        stack.extend(series_in(recorded[each.name].expr) if each.name in recorded else ())
