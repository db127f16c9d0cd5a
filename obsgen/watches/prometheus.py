"""Alerts on Prometheus itself: rules that fail or are late, and alerts that do not get away.

Source: https://github.com/prometheus/prometheus/tree/main/documentation/prometheus-mixin
"""

from __future__ import annotations

from collections.abc import Iterator

from obsgen.model.proof import Firing, Proof
from obsgen.model.routing import Routing
from obsgen.model.rule import ALERT_INTERVAL, HOLD, VALUE, Alert, Runbook, Step, critical, warning
from obsgen.promql.functions import absent, increase, sum_, up
from obsgen.promql.label import JOB, Label
from obsgen.promql.metric import UP, Counter, Source
from obsgen.promql.text import render
from obsgen.promql.tree import Expr, Selector

JOB_NAME = "prometheus"
RULE_GROUP = Label("rule_group", "File and name of the rule group.")
ALERTMANAGER = Label("alertmanager", "Address of the Alertmanager.")


def itself(routing: Routing) -> Source:
    """Return Prometheus as a source, which scrapes itself."""
    return Source(
        name=JOB_NAME,
        title="Prometheus",
        job=JOB_NAME,
        interval=ALERT_INTERVAL,
        targets=(routing.prometheus,),
        exporter="Prometheus' own metrics.",
    )


def _counter(name: str, told: str, label: Label | None = None) -> Selector:
    """Return a counter of Prometheus' own, which no catalog has to declare."""
    labels = (label,) if label is not None else ()
    counter = Counter(name=f"prometheus_{name}_total", title=told, help=f"{told}.", source=None, labels=labels)
    return counter.where(JOB.equals(JOB_NAME))


FAILED = _counter("rule_evaluation_failures", "Rules that could not be evaluated", RULE_GROUP)
MISSED = _counter("rule_group_iterations_missed", "Evaluations of a rule group that were left out", RULE_GROUP)
DROPPED = _counter("notifications_dropped", "Alerts that reached no Alertmanager")
REFUSED = _counter("notifications_errors", "Alerts that an Alertmanager did not take", ALERTMANAGER)


def alerts(routing: Routing) -> Iterator[Alert]:
    """Yield the alerts on the Prometheus that evaluates a catalog's rules."""
    yield _unseen(routing)
    yield _failing(routing)
    yield _late(routing)
    yield _dropping(routing)
    yield _refused(routing)


def _unseen(routing: Routing) -> Alert:
    target = up(itself(routing))
    return Alert(
        name="PrometheusUnseen",
        expr=target.or_(absent(target) * 0),
        fires=warning(equals=0, hold="5m"),
        summary="Prometheus does not see itself.",
        description=f"Prometheus has not scraped itself, as job {JOB.value}, for {HOLD}.",
        runbook=Runbook(
            meaning=f"The scrape job `{JOB_NAME}` is missing, or its target is not this Prometheus.",
            impact="Rules that fail, evaluations that are missed and alerts that get lost are not seen.",
            diagnosis=("Open Prometheus' page Status > Targets: is the job there, and what does it say?",),
            mitigation=(
                f"Scrape `{routing.prometheus}` as the job `{JOB_NAME}`, as the generated `prometheus.yml` does, or "
                "say the right address in `Routing(prometheus=...)`.",
            ),
            reason=f"It changes with the configuration only: {HOLD} leave the time for a restart.",
        ),
        fleeting="It is seen again.",
        proofs=(
            Proof("It sees itself.", {target: "1x20"}, at=routing.at),
            Proof("It does not answer.", {target: "0x20"}, Firing(since="5m", at=routing.at), at=routing.at),
            Proof(
                "It does not know the job.",
                {UP.where(JOB.equals("other")): "1x20"},
                Firing(since="5m", at=routing.at),
                at=routing.at,
            ),
        ),
        at=routing.at,
    )


def _failing(routing: Routing) -> Alert:
    seen = sum_(increase(FAILED, "5m"), by=[RULE_GROUP])
    return Alert(
        name="PrometheusRulesFail",
        expr=seen > 0,
        fires=critical(hold="10m"),
        summary="Rules cannot be evaluated.",
        description=f"Rules of {RULE_GROUP.value} have failed for {HOLD}, {VALUE} times in the last 5 minutes.",
        runbook=Runbook(
            meaning="An expression of the group ends in an error. The other rules of the group go on.",
            impact="What the rule records stands still, and what it alerts on is told to nobody.",
            diagnosis=(
                Step(text="Which groups fail?", query=seen),
                "Open Prometheus' page Status > Rules (Prometheus 3: Rule health): "
                "the error stands at the rule. Mostly it is `many-to-many "
                "matching`: two exporters expose the same series.",
            ),
            mitigation=(
                "Two series where the catalog expects one: stop the exporter that is too much.",
                "After a change of the rules: load the ones before.",
            ),
            reason="While a target changes its labels, two series can overlap for the five minutes after which "
            f"Prometheus forgets one: {HOLD} are more than that.",
        ),
        fleeting="Rules that are evaluated again need nobody.",
        when="evaluations have failed within 5 minutes",
        equivalent=_equivalent(seen),
        proofs=_counted(
            routing, FAILED.where(RULE_GROUP.equals("rules.yml;api")), {RULE_GROUP: "rules.yml;api"}, "12m", "36m"
        ),
        at=routing.at,
    )


def _late(routing: Routing) -> Alert:
    seen = sum_(increase(MISSED, "15m"), by=[RULE_GROUP])
    return Alert(
        name="PrometheusRulesMissed",
        expr=seen > 0,
        fires=warning(hold="5m"),
        summary="Rules are evaluated too rarely.",
        description=f"{VALUE} evaluations of {RULE_GROUP.value} were left out in the last 15 minutes.",
        runbook=Runbook(
            meaning="Evaluations of the group were left out: one took longer than the interval, or Prometheus stood "
            "still.",
            impact="Alerts of the group come late. What is recorded has gaps; error budgets heal gaps of up to a day "
            "by themselves, as long as the counters they read survive.",
            diagnosis=(
                Step(text="Which groups are late?", query=seen),
                "Open Prometheus' page Status > Rules (Prometheus 3: Rule health): "
                "which group, and which of its rules, takes so long?",
                "Is the host short of CPU, memory or disk, or was it asleep?",
            ),
            mitigation=(
                "Give Prometheus the CPU and memory that it lacks, or look for the query that takes them.",
                "If the gap was longer than a day, repair the error budgets: `obsgen slo backfill --prometheus URL "
                "--from 3d --write`.",
            ),
            reason="Any evaluation that is left out is one too many on a healthy server: one is enough, and the alert "
            "lasts for about 15 minutes.",
        ),
        fleeting="Coverage of the error budgets tells of what is missing for good.",
        when="evaluations were left out within 15 minutes",
        equivalent=_equivalent(seen),
        proofs=_counted(
            routing, MISSED.where(RULE_GROUP.equals("rules.yml;api")), {RULE_GROUP: "rules.yml;api"}, "7m", "46m"
        ),
        at=routing.at,
    )


def _dropping(routing: Routing) -> Alert:
    seen = sum_(increase(DROPPED, "15m"))
    return Alert(
        name="PrometheusAlertsDropped",
        expr=seen > 0,
        fires=warning(),
        summary="Alerts were lost on their way to Alertmanager.",
        description=f"{VALUE} alerts reached no Alertmanager in the last 15 minutes.",
        runbook=_lost_runbook(Step(text="How many are lost?", query=seen), routing),
        fleeting="Prometheus sends what still fires again, every minute.",
        when="alerts were dropped within 15 minutes",
        equivalent=_equivalent(seen),
        proofs=_counted(routing, DROPPED, {}, "2m", "46m"),
        at=routing.at,
    )


def _refused(routing: Routing) -> Alert:
    seen = sum_(increase(REFUSED, "15m"), by=[ALERTMANAGER])
    return Alert(
        name="PrometheusAlertsRefused",
        expr=seen > 0,
        fires=warning(hold="15m"),
        summary="An Alertmanager does not take alerts.",
        description=f"{ALERTMANAGER.value} did not take {VALUE} alerts in the last 15 minutes, for {HOLD}.",
        runbook=_lost_runbook(Step(text="Which Alertmanager, and how many?", query=seen), routing),
        fleeting="An Alertmanager that takes alerts again needs nobody.",
        when="sending alerts has failed within 15 minutes",
        equivalent=_equivalent(seen),
        proofs=_counted(
            routing,
            REFUSED.where(ALERTMANAGER.equals("http://am:9093")),
            {ALERTMANAGER: "http://am:9093"},
            "17m",
            "46m",
        ),
        at=routing.at,
    )


def _lost_runbook(step: Step, routing: Routing) -> Runbook:
    return Runbook(
        meaning="Prometheus fires alerts, and an Alertmanager does not answer, or not in time.",
        impact="What fires is told late or not at all. With a single Alertmanager this alert itself comes only when "
        "that answers again; the dead man's switch is what tells earlier.",
        diagnosis=(
            step,
            "Does Alertmanager answer, and does Prometheus' page Status > Runtime name it?",
            "Look for `Error sending alert` in Prometheus' log.",
        ),
        mitigation=(
            f"Restart the Alertmanager, or mend the way to it: {', '.join(routing.alertmanagers) or 'none is named'}.",
            "While nobody is told, watch Prometheus' page Alerts.",
        ),
        reason="Alerts are sent again every minute as long as they fire: a single failure loses little, and any "
        "failure that goes on is one too many.",
    )


def _equivalent(seen: Expr) -> dict[str, str]:
    return {f"{render(seen)} > 0 -> 1": "What happened at all happened once, and `increase` says a little more of it."}


def _counted(routing: Routing, series: Selector, labels: dict[Label, str], since: str, until: str) -> tuple[Proof, ...]:
    """Return the proofs of an alert on a counter of mishaps, which happen from the second minute to the 32nd."""
    fires = Firing(since=since, until=until, labels=labels, at=routing.at)
    return (
        Proof("Nothing of the kind.", {series: "3x80"}, at=routing.at),
        Proof("A start at a number is no news.", {series: "_x10 3x70"}, at=routing.at),
        Proof("It happens for half an hour.", {series: "3x1 4+1x30 34x40"}, fires, at=routing.at),
    )
