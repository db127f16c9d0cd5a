"""What a run of `prove` says: in text to a person, as JSON to a machine, as JUnit's XML to a CI system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from obsgen.errors import ObsgenError, Problem
from obsgen.model.proof import Proof
from obsgen.prove.coverage import Coverage, Tally
from obsgen.prove.judge import Verdict, told
from obsgen.report import Document, Lines, say
from obsgen.style import columns
from obsgen.words import duration

NO_TEXTS = "the descriptions of alerts were not compared: only a Prometheus on PATH can write them"


@dataclass(slots=True)
class Outcome:
    """What came of a run.

    Attributes:
        verdicts: of each proof.
        coverage: how often each level and recording is proven.
        tallies: what became of the mutants; None if there were none made.
        seconds: how long it took.
        texts: whether the descriptions of alerts were compared.
    """

    verdicts: Sequence[Verdict]
    coverage: Sequence[Coverage] = ()
    tallies: Sequence[Tally] | None = None
    seconds: float = 0.0
    texts: bool = True
    failed: list[Verdict] = field(init=False)

    def __post_init__(self) -> None:
        self.failed = [verdict for verdict in self.verdicts if not verdict.holds]

    @property
    def clean(self) -> bool:
        """Whether everything holds, and no mutant survives without a word."""
        return not self.failed and not any(tally.survivors or tally.wrong for tally in self.tallies or ())


class TextReport(Lines):
    """For people.

    Args:
        table: whether to show how often everything is proven.
    """

    def __init__(self, *, table: bool) -> None:
        super().__init__("nothing was proven")
        self.table = table

    def done(self, outcome: Outcome) -> None:
        """Print each proof that does not hold, the tables that were asked for, and a summary."""
        for verdict in outcome.failed:
            say(f"{verdict.claim.name}: {verdict.claim.proof.title}", fg="red")
            say("\n".join(f"    {line}" for line in _explained(verdict)) + "\n")
        if self.table:
            say(columns(("alert or recording", "level", "fires", "quiet"), map(_covered, outcome.coverage)))
            say()
        if outcome.tallies is not None:
            _print_tallies(outcome.tallies)
        if not outcome.texts:
            say(NO_TEXTS, fg="yellow")
        say(_summary(outcome), fg="green" if outcome.clean else "red")


def _explained(verdict: Verdict) -> Iterator[str]:
    proof = verdict.claim.proof
    yield str(proof.at)
    yield f"given, every {duration(proof.step)}:"
    yield from (f"  {line}" for line in given(proof))
    yield "expected:"
    for firing in proof.firings:
        labels = ", ".join(f'{label.name}="{value}"' for label, value in firing.labels.items())
        until = f" until {firing.until}" if firing.until else ""
        severity = f"{firing.severity.value} " if firing.severity else ""
        yield f"  {severity}{{{labels}}} since {firing.since}{until}"
    for sample in proof.samples:
        labels = ", ".join(f'{label.name}="{value}"' for label, value in sample.labels.items())
        name = sample.of.name if sample.of is not None else verdict.claim.name
        yield f"  {name}{{{labels}}} {sample.value:g} at {sample.at}"
    if proof.quiet:
        yield "  nothing fires"
    yield "got:"
    yield from (f"  {told(episode)}" for episode in verdict.episodes)
    if not verdict.episodes and not proof.samples:
        yield "  nothing fires"
    yield from (f"  {difference}" for difference in verdict.differences)
    yield from verdict.parts


def given(proof: Proof) -> Iterator[str]:
    """Yield the series of a proof as people read them."""
    for key, labels in proof.series.items():
        pairs = dict(labels)
        name = pairs.pop("__name__")
        inside = ", ".join(f'{label}="{value}"' for label, value in pairs.items())
        yield f"{name}{{{inside}}}  {proof.given[key]}"


def _covered(coverage: Coverage) -> tuple[str, ...]:
    quiet = str(coverage.quiet) if coverage.severity else ""
    return coverage.name, coverage.severity or "recording", str(coverage.fires), quiet


def _print_tallies(tallies: Sequence[Tally]) -> None:
    rows = [
        (t.name, str(t.all), str(t.all - t.equivalent - len(t.survivors)), str(t.equivalent), str(len(t.survivors)))
        for t in tallies
    ]
    totals = [str(sum(int(row[column]) for row in rows)) for column in range(1, 5)]
    say(columns(("changed rule", "mutants", "killed", "equivalent", "survive"), [*rows, ("all", *totals)]))
    for tally in tallies:
        for change in tally.survivors:
            say(f"no proof tells {tally.name} from: {change}", fg="red")
        for change in tally.wrong:
            say(f"{tally.name} is said to be the same with {change}", fg="red")
    say()


def _summary(outcome: Outcome) -> str:
    names = {verdict.claim.name for verdict in outcome.verdicts}
    bad, total = len(outcome.failed), len(outcome.verdicts)
    took = f"in {outcome.seconds:.1f} s"
    if bad:
        return f"{bad} of {total} proofs do not hold ({took})"
    survivors = sum(len(tally.survivors) for tally in outcome.tallies or ())
    mutants = f"; {survivors} mutants survive" if survivors else ""
    return f"{total} proofs of {len(names)} alerts and recordings hold{mutants} ({took})"


class JsonReport(Document):
    """For machines: one document with `problems`, `error`, `proofs`, `coverage` and, if asked for, `mutants`."""

    def __init__(self) -> None:
        super().__init__(proofs=[], coverage=[])

    def done(self, outcome: Outcome) -> None:
        """Print what came of the run."""
        said: dict[str, object] = {
            "proofs": [
                {
                    "name": verdict.claim.name,
                    "title": verdict.claim.proof.title,
                    "file": str(Path(verdict.claim.proof.at.file)),
                    "line": verdict.claim.proof.at.line,
                    "holds": verdict.holds,
                    "differences": verdict.differences,
                    "seconds": round(verdict.took, 3),
                }
                for verdict in outcome.verdicts
            ],
            "coverage": [
                {"name": c.name, "severity": c.severity or None, "fires": c.fires, "quiet": c.quiet}
                for c in outcome.coverage
            ],
            "texts_compared": outcome.texts,
        }
        if outcome.tallies is not None:
            said["mutants"] = [
                {
                    "name": t.name,
                    "all": t.all,
                    "equivalent": t.equivalent,
                    "survivors": list(t.survivors),
                    "wrongly_equivalent": list(t.wrong),
                }
                for t in outcome.tallies
            ]
        self.print(**said)


class JunitReport:
    """For CI systems: a test suite for each alert and recording, a test case for each proof."""

    def rejected(self, problems: list[Problem]) -> None:
        """Print the problems of the definitions as errors."""
        self._error("definitions", [str(problem) for problem in problems])

    def failed(self, error: ObsgenError) -> None:
        """Print why the run could not go on, as an error."""
        self._error("prove", [str(error)])

    def done(self, outcome: Outcome) -> None:
        """Print what came of the run."""
        root = ET.Element("testsuites", time=f"{outcome.seconds:.3f}")
        by_name: dict[str, list[Verdict]] = {}
        for verdict in outcome.verdicts:
            by_name.setdefault(verdict.claim.name, []).append(verdict)
        for name, verdicts in by_name.items():
            failures = sum(not verdict.holds for verdict in verdicts)
            suite = ET.SubElement(root, "testsuite", name=name, tests=str(len(verdicts)), failures=str(failures))
            for verdict in verdicts:
                self._case(suite, verdict)
        for tally in outcome.tallies or ():
            self._mutants(root, tally)
        self._print(root)

    def _case(self, suite: ET.Element, verdict: Verdict) -> None:
        at = verdict.claim.proof.at
        case = ET.SubElement(
            suite,
            "testcase",
            classname=verdict.claim.name,
            name=verdict.claim.proof.title,
            file=at.file,
            line=str(at.line),
            time=f"{verdict.took:.3f}",
        )
        if not verdict.holds:
            failure = ET.SubElement(case, "failure", message=verdict.differences[0])
            failure.text = "\n".join(_explained(verdict))

    def _mutants(self, root: ET.Element, tally: Tally) -> None:
        bad = (*tally.survivors, *tally.wrong)
        suite = ET.SubElement(
            root, "testsuite", name=f"mutants of {tally.name}", tests=str(tally.all), failures=str(len(bad))
        )
        for change in bad:
            case = ET.SubElement(suite, "testcase", classname=tally.name, name=change)
            ET.SubElement(case, "failure", message="no proof tells the rule from its mutant")

    def _error(self, name: str, messages: list[str]) -> None:
        root = ET.Element("testsuites")
        suite = ET.SubElement(root, "testsuite", name=name, tests=str(len(messages)), errors=str(len(messages)))
        for message in messages:
            case = ET.SubElement(suite, "testcase", classname=name, name=message.splitlines()[0])
            ET.SubElement(case, "error", message=message)
        self._print(root)

    def _print(self, root: ET.Element) -> None:
        ET.indent(root)
        say('<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode"))
