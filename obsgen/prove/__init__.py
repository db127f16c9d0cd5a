"""Run the proofs of a catalog on a real Prometheus."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TypeVar

from obsgen.errors import ObsgenError
from obsgen.index import Index
from obsgen.model.budget import ErrorBudget
from obsgen.model.catalog import Catalog
from obsgen.model.rule import Alert
from obsgen.model.severity import Severity
from obsgen.prometheus import Prometheus
from obsgen.promql.metric import seconds
from obsgen.prove.judge import Claim, Verdict, claims, judge, prepared
from obsgen.prove.mutants import Mutant, mutants
from obsgen.prove.plot import plots
from obsgen.prove.rules import Rules
from obsgen.prove.run import Run, Times
from obsgen.prove.server import installed, running
from obsgen.prove.texts import compare
from obsgen.render.rules import rule_files

__all__ = ["Claim", "Mutant", "Proofs", "Verdict", "chosen", "claims"]

Step = Callable[[str, int, int], None]
T = TypeVar("T")
R = TypeVar("R")
WORKERS = max(2, min(4, os.cpu_count() or 2))
"""Proofs at once: more than Prometheus has processors to evaluate them on only wait."""


class Proofs:
    """The proofs of a catalog on a Prometheus.

    Args:
        catalog: the catalog, expanded, without problems.
        server: where they run.
        step: is called with what is being done, and how many of how many are.
        binary: path of the Prometheus that texts are compared on, where `server` is not obsgen's own.
    """

    def __init__(self, catalog: Catalog, server: Prometheus, step: Step, binary: str = "") -> None:
        self.catalog, self.server, self.step, self.binary = catalog, server, step, binary
        self.rules = Rules.of(rule_files(Index(catalog)).values())
        self.times = Times.on(server)
        self.runs: dict[int, Run] = {}
        """The run of each claim, by the claim's id."""

    def run(self, chosen: Sequence[Claim]) -> list[Verdict]:
        """Return what comes of claims, the texts of alerts not compared.

        Raises:
            PrometheusError: Prometheus fails.
        """
        return self._all("proving", chosen, self._prove)

    def texts(self, verdicts: Sequence[Verdict]) -> bool:
        """Compare the texts of what fired, and return whether that could be done: it needs a server of obsgen's own.

        Nothing can be proven on that server afterwards.

        Raises:
            PrometheusError: Prometheus fails.
        """
        if not any(verdict.texts for verdict in verdicts):
            return True
        if self.server.folder is None and not installed(self.binary):
            return False
        self.step("comparing texts", 0, 0)
        with nullcontext(self.server) if self.server.folder else running(binary=self.binary) as own:
            compare(verdicts, own)
        return True

    def kill(self, mutant: Mutant, chosen: Sequence[Claim]) -> Claim | None:
        """Return the first of the claims, which all hold, that does not hold for a mutant; None if it survives.

        Raises:
            PrometheusError: Prometheus fails.
        """
        alert = isinstance(mutant.subject, Alert)
        rules = self.rules.with_(mutant.rule)
        for claim in chosen:
            if claim.name != mutant.name and (alert or mutant.name not in self._behind(claim)):
                continue
            # A changed recording gets a time of its own: its values must not meet those of the right one.
            run = self.runs[id(claim)].under(rules) if alert else prepared(claim, self.server, self.times, rules)
            if not judge(claim, run).holds:
                return claim
        return None

    def _behind(self, claim: Claim) -> set[str]:
        reads = [s.of.name if s.of is not None else claim.name for s in claim.proof.samples]
        for rule in self.rules.alerts.get(claim.name, ()) if isinstance(claim.subject, Alert) else ():
            reads += rule.reads
        return {rule.name for rule in self.rules.needed(reads)}

    def _prove(self, claim: Claim) -> Verdict:
        begun = time.monotonic()
        run = prepared(claim, self.server, self.times, self.rules)
        self.runs[id(claim)] = run
        verdict = judge(claim, run)
        if not verdict.holds:
            verdict.parts = plots(claim.subject, run, seconds(claim.proof.after), claim.proof.end)
        verdict.took = time.monotonic() - begun
        return verdict

    def mutate(self, chosen: Sequence[Claim]) -> list[tuple[Mutant, Claim | None]]:
        """Return every mutant of what the claims are about, with the first claim that does not hold for it.

        Args:
            chosen: claims that `run` has found to hold.

        Raises:
            PrometheusError: Prometheus fails.
        """
        names = {claim.name for claim in chosen}.union(*(self._behind(claim) for claim in chosen))
        found = [mutant for mutant in mutants(self.catalog, self.rules) if mutant.name in names]
        return list(zip(found, self._all("mutating", found, lambda m: self.kill(m, chosen)), strict=True))

    def _all(self, what: str, items: Sequence[T], work: Callable[[T], R]) -> list[R]:
        found = []
        with ThreadPoolExecutor(WORKERS) as pool:
            try:
                for done, result in enumerate(pool.map(work, items)):
                    self.step(what, done, len(items))
                    found.append(result)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return found


def chosen(catalog: Catalog, names: Sequence[str]) -> list[Claim]:
    """Return the claims about the named alerts, recordings and budgets; all claims without a name.

    Args:
        catalog: the catalog, expanded.
        names: names or patterns of them (`Shard*`).

    Raises:
        ObsgenError: nothing has such a name, or nothing is claimed about it.
    """
    every = claims(catalog.alerts, catalog.recordings)
    if not names:
        return every
    known = {claim.name for claim in every}
    budgets = {budget.name: budget for domain in catalog.domains for budget in domain.budgets}
    wanted: set[str] = set()
    for name in names:
        fitting = {each for each in known if fnmatchcase(each, name)}
        if name in budgets:
            fitting |= {each for each in known if _is_of(each, budgets[name])}
        if not fitting:
            near = get_close_matches(name, [*known, *budgets], n=1)
            hint = f"did you mean {near[0]!r}?" if near else "proven are " + ", ".join(sorted(known))
            raise ObsgenError(f"there is no proof of {name!r}\n    {hint}")
        wanted |= fitting
    return [claim for claim in every if claim.name in wanted]


def _is_of(name: str, budget: ErrorBudget) -> bool:
    alerts = {budget.burn_alert(severity) for severity in Severity}
    published = {budget.success.name, budget.success.alert} if budget.success is not None else set()
    return name in alerts | published or name.startswith(f"{budget.level}:{budget.name}_")
