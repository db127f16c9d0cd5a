"""The order in which recordings can be evaluated."""

from __future__ import annotations

from obsgen.model.rule import Recording
from obsgen.promql.tree import series_in


def in_order(recordings: tuple[Recording, ...]) -> list[str]:
    """Return the names of recordings so that each comes after those that it reads, and else as they were given."""
    by_name = {recording.name: recording for recording in recordings}
    done: dict[str, None] = {}
    # Iterative: a chain of recordings may be longer than Python's stack.
    stack = list(reversed(recordings))
    entered: set[str] = set()
    while stack:
        recording = stack[-1]
        needed = [
            by_name[s.name]
            for s in series_in(recording.expr)
            if s.name in by_name and s.name not in done and s.name not in entered
        ]
        entered.add(recording.name)
        if needed:
            stack.extend(reversed(needed))
        else:
            done.setdefault(stack.pop().name)
    return list(done)
