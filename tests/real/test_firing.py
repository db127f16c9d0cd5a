"""The list of firing alerts: what its query finds on a real Prometheus, while alerts fire, while none does, and without
any rules."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

import pytest

from obsgen.index import Index
from obsgen.model import Alert, AlertList, Dashboard, Stat, info
from obsgen.prometheus import Prometheus
from obsgen.promql import Gauge, Label, Source, max_
from obsgen.prove.server import running
from obsgen.render.dashboards import dashboards
from tests.small import BELL, alert, board, catalog

pytestmark = pytest.mark.real

ROUTE = Label("route")
APP = Source(name="app", title="App", job="app", interval="30s")
HEAT = Gauge(name="heat", title="Heat", help="H.", source=APP, labels=(ROUTE,))
LOAD = Gauge(name="load", title="Load", help="H.", source=APP)


def rules() -> tuple[Alert, ...]:
    hot = alert("Hot", max_(HEAT, by=[ROUTE]))
    return hot, alert("Loaded", LOAD), alert("Warm", HEAT), replace(alert("Odd", LOAD), fires=info(above=1))


def query(*, everything: bool = True) -> str:
    """Return the query of the list on a dashboard that is filtered by route, for the routes a and b."""
    shown: Dashboard = replace(board(AlertList(everything=everything), Stat(shows=HEAT)), filters=(ROUTE,))
    made = catalog([HEAT, LOAD], alerts=rules(), dashboards=[shown], watchdog=BELL)
    [(_, dashboard)] = dashboards(Index(made))
    [panel] = [each for each in dashboard["panels"] if each["type"] == "table"]
    return str(panel["targets"][0]["expr"]).replace("$route", "(a|b|a;b)")


def fires(server: Prometheus, name: str, severity: str, *, state: str = "firing", **labels: str) -> None:
    """Write what Prometheus writes of an alert."""
    own = {"alertname": name, "severity": severity, "catalog": "p", "domain": "app", **labels}
    now = time.time()
    server.push(
        {
            tuple(sorted({"__name__": "ALERTS", "alertstate": state, **own}.items())): [(now, 1.0)],
            tuple(sorted({"__name__": "ALERTS_FOR_STATE", **own}.items())): [(now, now - 60)],
        }
    )


def rows(server: Prometheus, expr: str) -> list[tuple[str, str, str]]:
    found: Iterable[dict[str, str]] = (each["metric"] for each in server.instant(expr, time.time() + 1))
    return sorted((row["severity"], row["alertname"], " ".join(row.get("where", "").split())) for row in found)


def test_the_worst_comes_first_and_each_says_where() -> None:
    with running() as server:
        fires(server, "Watchdog", "info", domain="alerting")
        fires(server, "Hot", "critical", route="a")
        fires(server, "Hot", "critical", route="c")
        fires(server, "Hot", "warning", route="b", state="pending")
        fires(server, "Loaded", "critical", instance="app:1", job="app")
        fires(server, "Odd", "info", instance="app:1", job="app")
        for instance in ("app:1", "app:2"):
            fires(server, "Warm", "critical", route="a;b", instance=instance, job="app")
        fires(server, "Hot", "critical", catalog="other", route="a")

        assert rows(server, query()) == [
            ("1 critical", "Hot", "a"),
            ("1 critical", "Loaded", "app:1"),
            ("1 critical", "Warm", "a;b app:1"),
            ("1 critical", "Warm", "a;b app:2"),
            ("3 info", "Odd", "app:1"),
        ]
        [since] = {round(time.time() - float(each["value"][1]) / 1000) for each in server.instant(query())}
        assert 60 <= since < 70


def test_nothing_fires_is_not_nothing_known() -> None:
    with running() as server:
        assert rows(server, query()) == [("unknown", "Watchdog", "")]
        fires(server, "Watchdog", "info", domain="alerting")

        assert rows(server, query()) == rows(server, query(everything=False)) == [("ok", "Watchdog", "")]
