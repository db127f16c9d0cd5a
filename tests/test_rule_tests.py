"""Rule tests for promtool: they look where every version of it sees the same."""

from __future__ import annotations

from typing import Any

import pytest

from obsgen.index import Index
from obsgen.model import Alert, Catalog, Domain, Firing, Project, Proof, Recording, Runbook, Team, warning
from obsgen.promql import Counter, Gauge, Source, increase
from obsgen.promql.tree import Expr
from obsgen.render.rule_tests import rule_tests
from obsgen.render.rules import rule_files

APP = Source(name="app", title="App", job="app", interval="30s")
HEAT = Gauge(name="heat", title="Heat", help="", source=APP)
HITS = Counter(name="hits_total", title="Hits", help="", source=APP)
RECORDED = Recording(name="app:hits:increase5m", expr=increase(HITS, "5m"), title="Hits", help="")
BOOK = Runbook(meaning="m", impact="i", diagnosis=("d",), mitigation=("m",))


def looks(expr: Expr, *proofs: Proof) -> list[list[tuple[str, int]]]:
    """Return when promtool looks at an alert, and how many it has to find, for each of its proofs that is exported."""
    alert = Alert(
        name="A", expr=expr, fires=warning(above=0), summary="S.", description="d", runbook=BOOK, proofs=proofs
    )
    team = Team(name="us", title="Us")
    url = "https://docs.example.org"
    project = Project(name="p", title="P", description="", owner=team, docs_url=url, grafana_url=url)
    domain = Domain(name="d", title="D", description="", metrics=(HEAT, HITS), recordings=(RECORDED,), alerts=(alert,))
    index = Index(Catalog(project=project, domains=(domain,)))
    tests: list[dict[str, Any]] = rule_tests(index, rule_files(index))["d"]["tests"]
    return [[(look["eval_time"], len(look["exp_samples"])) for look in test["promql_expr_test"]] for test in tests]


def test_an_instant_value_is_looked_at_just_before_and_at_each_change() -> None:
    proof = Proof("P.", {HEAT: "0x3 1x5 0x6"}, Firing(since="2m", until="5m"))

    assert looks(HEAT, proof) == [[("1m30s", 0), ("2m", 1), ("4m30s", 1), ("5m", 0)]]


@pytest.mark.parametrize("expr", [increase(HITS, "5m"), RECORDED])
def test_with_a_window_it_may_come_and_go_one_evaluation_earlier_or_later(expr: Expr) -> None:
    proof = Proof("P.", {HITS: "0x3 1x30"}, Firing(since="2m", until="7m"))

    assert looks(expr, proof) == [[("1m", 0), ("2m30s", 1), ("6m", 1), ("7m30s", 0)]]


def test_a_series_that_is_forgotten_may_be_so_one_evaluation_earlier_or_later() -> None:
    forgotten = Proof("P.", {HEAT: "1x4 _x20"}, Firing(since="0s", until="7m"))
    ended = Proof("P.", {HEAT: "1x4 stale _x20"}, Firing(since="0s", until="2m30s"))

    assert looks(HEAT, forgotten, ended) == [
        [("30s", 1), ("6m", 1), ("7m30s", 0)],
        [("0s", 1), ("2m", 1), ("2m30s", 0)],
    ]


def test_what_is_too_brief_to_be_seen_for_certain_is_not_asserted() -> None:
    brief = Proof("P.", {HITS: "0x3 1x30"}, Firing(since="2m", until="2m30s"))
    beyond = Proof("P.", {HITS: "0x3 1"}, Firing(since="0s"))

    assert looks(increase(HITS, "5m"), brief, beyond) == [
        [("1m", 0), ("3m", 0)],
        [("30s", 1)],
    ]
