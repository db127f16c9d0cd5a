"""The rules that Sloth and Pyrra make by default for the same routes, and the plain expression, as rule groups.

Written from what Sloth 0.16 and Pyrra 0.10 generate: every rule of theirs is here, names and labels as far as they
matter to what is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tests.bench.past import Group

OBJECTIVE = 0.999
ALLOWED = "0.001"
SLOTH_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
SLOTH_EVERY = "1m"
"""Sloth's groups have no interval: they run at Prometheus' own, which is a minute unless it is set."""
PYRRA_SLO = "api"
PYRRA_TIERS = (
    # Pyrra scales the windows of 28 days to 30 and rounds them to minutes.
    (14, "5m", "1h4m", "2m", "critical"),
    (7, "32m", "6h26m", "16m", "critical"),
    (2, "2h9m", "1d1h43m", "1h4m", "warning"),
    (1, "6h26m", "4d6h51m", "3h13m", "warning"),
)


def plain(routes: Sequence[str]) -> list[Group]:
    """Return the error rate read straight from the counters, with as slow an interval as obsgen's tiles have."""
    expr = "sum by (route) (increase(api_errors_total[30d])) / sum by (route) (increase(api_requests_total[30d]))"
    return [{"name": "plain", "interval": "5m", "rules": [{"record": "route:api_errors:ratio30d", "expr": expr}]}]


def sloth(routes: Sequence[str]) -> list[Group]:
    """Return Sloth's groups: one SLO a route."""
    return [group for route in routes for group in _sloth(route)]


def sloth_name(route: str) -> str:
    """Return what a route's SLO is called."""
    return route.strip("/")


def _sloth(route: str) -> Iterator[Group]:
    name = sloth_name(route)
    id_labels = {"sloth_id": f"api-{name}", "sloth_service": "api", "sloth_slo": name}
    own = ", ".join(f'{label}="{value}"' for label, value in id_labels.items())
    parts = {
        "sli-recordings": _sloth_sli(route, id_labels, own),
        "meta-recordings": _sloth_meta(id_labels, own),
        "alerts": [_sloth_alert("page", own), _sloth_alert("ticket", own)],
    }
    for part, rules in parts.items():
        yield {"name": f"sloth-slo-{part}-api-{name}", "interval": SLOTH_EVERY, "rules": rules}


def _sloth_sli(route: str, id_labels: dict[str, str], own: str) -> list[dict[str, Any]]:
    rules = []
    for window in SLOTH_WINDOWS:
        errors, total = (
            f'(sum(rate({metric}{{route="{route}"}}[{window}])))'
            for metric in ("api_errors_total", "api_requests_total")
        )
        rules.append(_sloth_rule(f"slo:sli_error:ratio_rate{window}", f"{errors} / {total}", id_labels, window))
    short = f"slo:sli_error:ratio_rate5m{{{own}}}[30d]"
    mean = f"sum_over_time({short}) / ignoring (sloth_window) count_over_time({short})"
    return [*rules, _sloth_rule("slo:sli_error:ratio_rate30d", mean, id_labels, "30d")]


def _sloth_rule(record: str, expr: str, id_labels: dict[str, str], window: str = "") -> dict[str, Any]:
    return {"record": record, "expr": expr, "labels": id_labels | ({"sloth_window": window} if window else {})}


def _sloth_meta(id_labels: dict[str, str], own: str) -> list[dict[str, Any]]:
    budget = f"on(sloth_id, sloth_slo, sloth_service) group_left slo:error_budget:ratio{{{own}}}"
    exprs = {
        "slo:objective:ratio": f"vector({OBJECTIVE})",
        "slo:error_budget:ratio": f"vector(1-{OBJECTIVE})",
        "slo:time_period:days": "vector(30)",
        "slo:current_burn_rate:ratio": f"slo:sli_error:ratio_rate5m{{{own}}} / {budget}",
        "slo:period_burn_rate:ratio": f"slo:sli_error:ratio_rate30d{{{own}}} / {budget}",
        "slo:period_error_budget_remaining:ratio": f"1 - slo:period_burn_rate:ratio{{{own}}}",
        "sloth_slo_info": "vector(1)",
    }
    return [_sloth_rule(record, expr, id_labels) for record, expr in exprs.items()]


def _sloth_alert(severity: str, own: str) -> dict[str, Any]:
    tiers = {"page": ((14.4, "5m", "1h"), (6, "30m", "6h")), "ticket": ((3, "2h", "1d"), (1, "6h", "3d"))}
    legs = []
    for factor, *windows in tiers[severity]:
        above = [
            f"max(slo:sli_error:ratio_rate{window}{{{own}}} > ({factor} * {ALLOWED})) without (sloth_window)"
            for window in windows
        ]
        legs.append(f"({' and '.join(above)})")
    return {"alert": "ApiErrors", "expr": " or ".join(legs), "labels": {"sloth_severity": severity}}


def pyrra(routes: Sequence[str]) -> list[Group]:
    """Return Pyrra's groups: one SLO, grouped by the route."""
    labels = {"slo": PYRRA_SLO}
    windows = sorted({window for _, short, long, _, _ in PYRRA_TIERS for window in (short, long)})
    rates = [
        {
            "record": f"api_requests:burnrate{window}",
            "expr": f"sum by (route) (rate(api_errors_total[{window}]))"
            f" / sum by (route) (rate(api_requests_total[{window}]))",
            "labels": labels,
        }
        for window in windows
    ]
    increases = [rule for metric in ("api_requests", "api_errors") for rule in _pyrra_increase(metric, labels)]
    return [
        # The interval follows from the length of the window.
        {"name": f"{PYRRA_SLO}-increase", "interval": "2m30s", "rules": increases},
        {"name": PYRRA_SLO, "interval": "30s", "rules": [*rates, *map(_pyrra_alert, PYRRA_TIERS)]},
    ]


def _pyrra_increase(metric: str, labels: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "record": f"{metric}:increase30d",
            "expr": f"sum by (route) (increase({metric}_total[30d]))",
            "labels": labels,
        },
        {"alert": "SLOMetricAbsent", "expr": f"absent({metric}_total) == 1", "labels": labels},
    ]


def _pyrra_alert(tier: tuple[int, str, str, str, str]) -> dict[str, Any]:
    factor, short, long, hold, severity = tier
    above = [
        f'api_requests:burnrate{window}{{slo="{PYRRA_SLO}"}} > ({factor} * (1-{OBJECTIVE}))' for window in (short, long)
    ]
    labels = {"slo": PYRRA_SLO, "short": short, "long": long, "severity": severity}
    return {"alert": "ErrorBudgetBurn", "expr": " and ".join(above), "for": hold, "labels": labels}


def pyrra_error_rate(route: str) -> str:
    """Return how Pyrra's pages ask for the error rate of a route."""
    own = f'{{slo="{PYRRA_SLO}", route="{route}"}}'
    return f"sum(api_errors:increase30d{own} or vector(0)) / sum(api_requests:increase30d{own})"


def anchored(routes: Sequence[str]) -> list[Group]:
    """Return budgets made of tiles as obsgen's are, each counted by Prometheus' own exact `increase`."""
    bad, total = (
        f"sum by (route) (increase({metric}_total[5m] anchored))" for metric in ("api_errors", "api_requests")
    )
    tiles = [
        {"record": "anchored:total:increase5m", "expr": total},
        {"record": "anchored:bad:increase5m", "expr": f"{bad} or anchored:total:increase5m * 0"},
    ]
    ratio = "sum_over_time(anchored:bad:increase5m[30d]) / sum_over_time(anchored:total:increase5m[30d])"
    return [
        {"name": "anchored-5m", "interval": "5m", "rules": tiles},
        {"name": "anchored-15m", "interval": "15m", "rules": [{"record": "anchored:ratio30d", "expr": ratio}]},
    ]
