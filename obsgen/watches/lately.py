"""The alert behind an inhibition that outlasts its source: it fires with the source, goes on, and is told to nobody."""

from __future__ import annotations

from dataclasses import replace

from obsgen.model.inhibition import Inhibition
from obsgen.model.proof import Firing, Proof
from obsgen.model.rule import Alert, Level, Runbook, Step
from obsgen.model.severity import Severity
from obsgen.promql.functions import raw
from obsgen.promql.metric import seconds
from obsgen.words import duration, listed, spoken


def lately(inhibition: Inhibition) -> Alert:
    """Return the alert that silences the targets of an inhibition, during its source and some time after."""
    source = inhibition.source
    assert isinstance(source, Alert)
    level = max(source.levels, key=lambda each: each.severity.rank)
    [name] = inhibition.silencers
    after = spoken(inhibition.lasting)
    return Alert(
        name=name,
        # Behind a text, so that panels show the source's threshold and runbook, and not these beside them.
        expr=raw("{source}", source=source.expr),
        fires=replace(level, severity=Severity.INFO, keep_firing=inhibition.lasting, at=inhibition.at),
        summary=f"{source.name} fires, or did until {after} ago.",
        description=f"{source.name} fires, or did until {after} ago.",
        runbook=Runbook(
            meaning=f"It is told to nobody. While it fires, {listed(list(inhibition.silenced))} are not told: what led "
            f"to {source.name} stays in a window of theirs for a while after that has ended.",
            impact=source.runbook.impact,
            diagnosis=(Step(text="Does it still hold?", query=source.expr),),
            mitigation=(f"The runbook of {source.name} says what to do.",),
            reason=inhibition.reason,
        ),
        when=source.when,
        proofs=tuple(_outlasted(proof, level, inhibition) for proof in source.proofs),
        interval=source.interval,
        equivalent=source.equivalent,
        at=inhibition.at,
    )


def _outlasted(proof: Proof, level: Level, inhibition: Inhibition) -> Proof:
    """Return a proof of the source as one of the alert that outlasts it."""
    fires = [f for f in proof.firings if f.severity in (None, level.severity)]
    return replace(proof, fires=[_longer(firing, proof, inhibition) for firing in fires], at=inhibition.at)


def _longer(firing: Firing, proof: Proof, inhibition: Inhibition) -> Firing:
    until = seconds(firing.until) + seconds(inhibition.lasting) if firing.until else proof.end + 1
    return replace(
        firing,
        until=duration(until) if until <= proof.end else "",
        severity=Severity.INFO,
        description="",
        at=inhibition.at,
    )
