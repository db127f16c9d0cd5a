"""What a run of proofs has shown: of alerts each level, of recordings whether, of mutants how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from obsgen.model.catalog import Catalog
from obsgen.prove.judge import Claim, Verdict
from obsgen.prove.mutants import Mutant


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often something is proven.

    Attributes:
        name: of the alert or recording.
        severity: the level of the alert; empty for a recording.
        fires: proofs in which the level fires; for a recording, proofs that compare its values.
        quiet: proofs in which the alert stays quiet.
    """

    name: str
    severity: str
    fires: int
    quiet: int


def coverage(catalog: Catalog, verdicts: Sequence[Verdict]) -> Iterator[Coverage]:
    """Yield how often each level of each alert and each recording is proven by proofs that hold."""
    held = [verdict for verdict in verdicts if verdict.holds]
    quiet = Counter(v.claim.name for v in held if v.claim.proof.quiet)
    fired = Counter((v.claim.name, s) for v in held for s in {episode.severity for episode in v.episodes})
    recorded = Counter(name for v in held for name in _recorded(v.claim))
    for alert in catalog.alerts:
        for level in alert.levels:
            severity = level.severity.value
            yield Coverage(alert.name, severity, fired[alert.name, severity], quiet[alert.name])
    for recording in catalog.recordings:
        yield Coverage(recording.name, "", recorded[recording.name], 0)


def _recorded(claim: Claim) -> set[str]:
    return {sample.of.name if sample.of is not None else claim.name for sample in claim.proof.samples}


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the mutants of a rule.

    Attributes:
        name: of the alert or recording.
        all: how many there are.
        equivalent: those that survive, and are said to make no difference.
        survivors: those that survive without a word.
        wrong: changes that are said to make no difference, and why that is not so.
    """

    name: str
    all: int
    equivalent: int
    survivors: tuple[str, ...]
    wrong: tuple[str, ...]


def tallies(results: Iterable[tuple[Mutant, Claim | None]]) -> Iterator[Tally]:
    """Yield what became of the mutants, rule by rule."""
    by_name: dict[str, list[tuple[Mutant, Claim | None]]] = {}
    for mutant, killer in results:
        by_name.setdefault(mutant.name, []).append((mutant, killer))
    for name, found in by_name.items():
        said = found[0][0].subject.equivalent
        changes = {mutant.change for mutant, _ in found}
        wrong = [
            f"{mutant.change}: the proof {killer.proof.title!r} tells it apart"
            for mutant, killer in found
            if killer and mutant.reason
        ]
        wrong += [f"{change}: there is no such change" for change in said if change not in changes]
        yield Tally(
            name,
            len(found),
            sum(killer is None and bool(mutant.reason) for mutant, killer in found),
            tuple(mutant.change for mutant, killer in found if killer is None and not mutant.reason),
            tuple(wrong),
        )
