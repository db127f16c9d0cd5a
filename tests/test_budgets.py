"""Error budgets: the arithmetic of their rules, and what `obsgen slo` says of them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import pytest
from click.testing import CliRunner, Result

from obsgen.budgets import alerts, recordings, window_proof
from obsgen.cli import main
from obsgen.errors import DefinitionError
from obsgen.model import BurnRate, Catalog, ErrorBudget, Events, Latency, Objective, Severity, TimeSlices
from obsgen.model.objective import SRE_WORKBOOK
from obsgen.promql import Counter, Gauge, Histogram, Label, Source
from obsgen.promql.reader import samples
from obsgen.promql.text import render
from obsgen.slo import cost
from tests.conftest import ROOT
from tests.double import answering

APP = Source(name="app", title="App", job="app", interval="30s")
ROUTE, CODE = Label("route"), Label("code")
HITS = Counter(name="hits_total", title="Hits", help="", source=APP, labels=(ROUTE, CODE))
GOOD = Counter(name="good_total", title="Good", help="", source=APP, labels=(ROUTE,))
HEAT = Gauge(name="heat", title="Heat", help="", source=APP, labels=(ROUTE,))
WAIT = Histogram(name="wait", title="Wait", help="", source=APP, labels=(ROUTE,), buckets=(0.5, 1, 2))

BUDGET = ErrorBudget(
    name="b",
    title="B",
    help="H.",
    sli=Events(total=HITS, bad=HITS.where(CODE.matches("5.."))),
    by=(ROUTE,),
    objectives=(Objective(0.99, where=ROUTE.equals("/slow")), Objective(0.999)),
    impact="I.",
    mitigation=("M.",),
)
budget = partial(replace, BUDGET)


def recorded(of: ErrorBudget) -> dict[str, str]:
    return {recording.name: render(recording.expr) for recording in recordings(of)}


def test_the_workbooks_burn_rates_follow_from_what_they_spend() -> None:
    assert [burn.factor("30d") for burn in SRE_WORKBOOK] == [14.4, 6, 1]
    assert [burn.factor("28d") for burn in SRE_WORKBOOK] == pytest.approx([13.44, 5.6, 14 / 15], abs=1e-6)


def test_a_shorter_window_has_burn_rates_of_its_own() -> None:
    assert [(b.long, b.factor("7d"), b.severity.value) for b in budget(window="7d").burns] == [
        ("1h", 8.4, "critical"),
        ("6h", 2.8, "critical"),
        ("1d", 1.4, "warning"),
    ]
    assert [(b.long, b.factor("1d"), b.severity.value) for b in budget(window="1d").burns] == [
        ("1h", 6, "critical"),
        ("3h", 2, "warning"),
    ]


def test_a_burn_rate_that_could_never_be_reached_is_left_out() -> None:
    assert [burn.long for burn in budget(objectives=(Objective(0.9),)).burns] == ["6h", "3d"]
    assert budget(objectives=(Objective(0.9),), burn_rates=()).burns == ()


def test_the_first_objective_that_fits_counts() -> None:
    assert recorded(BUDGET)["route:b_budget:objective"] == (
        '(route:b_total:increase5m{route="/slow"} or last_over_time(route:b_total:increase30d{route="/slow"}[45m])) * 0'
        " + 0.99 or (route:b_total:increase5m or last_over_time(route:b_total:increase30d[45m])) * 0 + 0.999"
    )


def test_an_alert_needs_both_windows_and_enough_bad_events() -> None:
    fast, slow, *guards = alerts(BUDGET)

    assert (fast.name, slow.name) == ("BBudgetBurnsFast", "BBudgetBurnsSlowly")
    assert [alert.name for alert in guards] == ["BBudgetUsedUp", "BBudgetDataMissing"]
    assert render(slow.expr) == (
        "route:b_budget:burn_rate3d > 1 and route:b_budget:burn_rate6h > 1"
        " and sum_over_time(route:b_bad:increase5m[3d]) >= 5"
    )
    assert render(fast.expr).startswith("route:b_budget:burn_rate1h > 14.4 and route:b_budget:burn_rate5m > 14.4")
    [unguarded] = [a for a in alerts(budget(min_bad_events=1)) if a.name == "BBudgetBurnsSlowly"]
    assert "increase5m" not in render(unguarded.expr)


def test_good_events_leave_the_bad_ones_and_are_none_before_the_first() -> None:
    good = recorded(budget(sli=Events(total=HITS, good=GOOD)))["route:b_bad:increase5m"]
    assert "or clamp_min(route:b_total:increase5m - (sum by (route) (" in good
    assert good.endswith("or route:b_total:increase5m * 0), 0)")


def test_a_bucket_that_does_not_exist_makes_nothing_bad_and_is_reported() -> None:
    slow = budget(sli=Latency(of=WAIT, within=1))
    bad = recorded(slow)["route:b_bad:increase5m"]

    assert '(wait_bucket{le=~"1|1\\\\.0"} >= 0)[4m59s999ms:30s]' in bad
    assert "wait_count" not in bad
    assert not bad.endswith("* 0), 0)")
    assert "(wait_count >= 0)[4m59s999ms:30s]" in recorded(slow)["route:b_total:increase5m"]
    [missing] = [alert for alert in alerts(slow) if alert.name == "BBucketMissing"]
    assert render(missing.expr) == 'count(wait_count) unless count(wait_bucket{le=~"1|1\\\\.0"})'


def test_time_slices_are_minutes_as_bad_as_the_share_of_their_scrapes() -> None:
    slices = recorded(budget(sli=TimeSlices(total=HEAT, good=HEAT < 30)))

    assert slices["route:b_total:increase1m"] == ("max_over_time(clamp_max(count by (route) (heat), 1)[59s999ms:30s])")
    assert slices["route:b_bad:increase1m"] == (
        "avg_over_time((clamp_max(count by (route) (heat unless heat < 30), 1)"
        " or clamp_max(count by (route) (heat), 1) * 0)[59s999ms:30s])"
    )
    assert slices["route:b_total:increase5m"].endswith("or sum_over_time(route:b_total:increase1m[4m59s999ms])")
    # Of all minutes of the window: a series that is young is not judged by its first one.
    assert slices["route:b_budget:burn_rate6h"] == (
        "sum_over_time(route:b_bad:increase5m[6h]) / 360 / (1 - route:b_budget:objective)"
    )


def test_a_dead_services_minutes_are_bad_where_it_is_said_so() -> None:
    dead = recorded(budget(sli=TimeSlices(total=HEAT, good=HEAT < 30, absent_is_bad=True)))["route:b_bad:increase1m"]

    assert "(heat or present_over_time(heat[23h59m59s999ms:5m])) unless heat < 30" in dead


def test_coverage_is_of_the_rules_and_the_source_not_of_a_series() -> None:
    rules = recorded(BUDGET)

    assert rules["all:b_budget:measured5m"] == 'max(max_over_time(up{job="app"}[5m])) or vector(0)'
    assert rules["all:b_budget:coverage30d"] == "clamp_max(sum_over_time(all:b_budget:measured5m[30d]) / 8640, 1)"


def test_a_short_window_is_summed_more_often() -> None:
    def interval(window: str) -> str:
        rules = recordings(budget(window=window))
        return next(rule.interval for rule in rules if rule.name == f"route:b_total:increase{window}")

    assert {window: interval(window) for window in ("1d", "7d", "30d")} == {"1d": "1m", "7d": "5m", "30d": "15m"}


def test_a_budget_without_a_success_ratio_has_none() -> None:
    with pytest.raises(DefinitionError, match="publishes no success ratio"):
        _ = BUDGET.ratio


@pytest.mark.parametrize(
    "sli",
    [
        Events(total=HITS, good=GOOD),
        Events(total=HITS, bad=HITS.where(CODE.matches("5.."))),
        Events(total=HITS, good=HITS.where(CODE.differs("500"))),
        Latency(of=WAIT, within=1),
        TimeSlices(total=HEAT, good=HEAT < 30),
        TimeSlices(total=HEAT, good=HEAT.equals(1)),
    ],
)
def test_proofs_are_made_for_each_kind_of_sli(sli: Events | Latency | TimeSlices) -> None:
    made = budget(sli=sli)

    for alert in alerts(made):
        assert any(proof.quiet for proof in alert.proofs)
        assert any(proof.fires for proof in alert.proofs)
    assert window_proof(made) is not None


def test_where_no_series_can_be_told_no_proofs_are_made() -> None:
    """What fits an expression like this one only the author knows."""
    odd = budget(sli=Events(total=HITS, bad=HITS.where(CODE.matches("[x-z]{3}"))))

    burns = [alert for alert in alerts(odd) if "Burns" in alert.name or "UsedUp" in alert.name]
    assert [alert.proofs for alert in burns] == [(), (), ()]


def test_slo_tells_what_is_promised_and_what_it_costs(vectobeat: Catalog) -> None:
    result = CliRunner().invoke(main, ["slo", "-d", str(ROOT / "definitions")])

    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert any(line.startswith("lavalink_node region, node 99.9 % - 30d 1,000 in 1,000,000 43.2 min") for line in lines)
    assert "api ApiBudgetBurnsFast critical 14.4 1h 5m 2 % 5 bad" in lines

    [api] = [(d, b) for d in vectobeat.domains for b in d.budgets if b.name == "api"]
    rules, per_minute = cost(*api)
    said = json.loads(CliRunner().invoke(main, ["slo", "-d", str(ROOT / "definitions"), "--format", "json"]).stdout)
    first = next(promise for promise in said["budgets"] if promise["budget"] == "api")
    assert (first["rules"], first["samples_per_minute"]) == (rules, round(per_minute, 1))
    assert (first["per_million"], first["minutes"]) == (5000, 216)
    assert said["states"] is None


def test_samples_are_those_of_windows_and_of_single_series() -> None:
    assert samples("sum_over_time(x[5m]) / y > 3", lambda name: 30) == 11
    assert samples("rate(x[1m] offset 1h)", lambda name: 300) == 1
    assert samples("sum_over_time((x + max_over_time(x[2m]))[5m:1m])", lambda name: 30) == 5 * (1 + 4)


def test_a_burn_rate_of_ones_own() -> None:
    own = budget(burn_rates=(BurnRate(severity=Severity.INFO, spends=0.5, long="12h", short="1h"),))

    assert [alert.name for alert in alerts(own)] == ["BBudgetBurnsSomewhat", "BBudgetUsedUp", "BBudgetDataMissing"]
    assert "burn_rate12h > 30" in render(next(iter(alerts(own))).expr)


def slo(url: str) -> Result:
    return CliRunner().invoke(main, ["slo", "-d", str(ROOT / "definitions"), "--prometheus", url])


def test_a_retention_that_is_too_short_is_told() -> None:
    empty = json.dumps({"status": "success", "data": {"result": []}})
    answers = {
        "/api/v1/query": (200, empty),
        "/api/v1/status/runtimeinfo": (200, json.dumps({"data": {"storageRetention": "15d or 50GiB"}})),
    }
    with answering(answers) as url:
        result = slo(url)

    assert result.exit_code == 0
    assert "Prometheus keeps 15d or 50GiB, less than the window of api (30d)" in result.output


def test_what_is_no_prometheus_is_told() -> None:
    with answering({"/api/v1/query": (200, "<html>Welcome to nginx!</html>")}) as url:
        result = slo(url)
    gone = slo("http://127.0.0.1:1")

    assert (result.exit_code, gone.exit_code) == (2, 2)
    assert "is no Prometheus: it answered '<html>Welcome to nginx!</html>'" in result.output
    assert "Prometheus at http://127.0.0.1:1 does not answer" in gone.output
