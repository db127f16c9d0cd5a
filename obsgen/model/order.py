"""The order in which recordings can be evaluated."""

from __future__ import annotations

from obsgen.model.rule import Recording
from obsgen.promql.tree import series_in


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
