"""Rules that the benchmark evaluates over time that has passed: they record what the rule manager would have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.bench.past import Past, rules_of
from tests.bench.pods import NEVER, Period
from tests.bench.prometheus import Prometheus, binary, running

pytestmark = pytest.mark.real

LOOKS = Period(1800, 3600)
BEFORE = Period(LOOKS.begin - 300, LOOKS.end)
"""With the five minutes that the rules read back."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One for all tests: each records under names of its own."""
    with running(tmp_path_factory.mktemp("prometheus"), binary()) as started:
        yield started


def group(*rules: tuple[str, str], name: str = "own") -> dict[str, Any]:
    return {"name": name, "interval": "1m", "rules": [{"record": record, "expr": expr} for record, expr in rules]}


def recorded(server: Prometheus, groups: Sequence[dict[str, Any]], name: str, idle: Period = NEVER) -> list[float]:
    """Return what a rule recorded, one value for each evaluation."""
    rules = rules_of(groups)
    Past(server, rules, [LOOKS], [idle]).record()
    (rule,) = (each for each in rules if each.record == name)
    first, last = rule.at(rule.number(BEFORE.begin)), rule.at(rule.number(BEFORE.end))
    found = server.range(f"last_over_time({name}[1s])", first, last, 60)
    return [float(value) for each in found for _, value in each["values"]]


def test_every_evaluation_sees_the_one_before(server: Prometheus) -> None:
    found = recorded(server, [group(("own:count", "last_over_time(own:count[5m]) + 1 or vector(1)"))], "own:count")
    assert found == list(range(1, len(found) + 1))
    assert len(found) == 36


def test_no_evaluation_sees_itself_and_windows_end_where_the_server_says(server: Prometheus) -> None:
    server.push({"steady": [(60 * n, 1) for n in range(10)]})
    fit = float(server.query("count_over_time(steady[5m])", 540)[0]["value"][1]) - 1
    found = recorded(server, [group(("own:seen", "count_over_time(own:seen[5m]) or vector(0)"))], "own:seen")
    assert found[:4] == [0, 1, 2, 3]
    assert set(found[6:]) == {fit}


def test_the_first_evaluation_after_a_gap_finds_nothing_before_it(server: Prometheus) -> None:
    server.push({"seen": [(15 * n, 2.5 * n) for n in range(250)]})
    grown = "(seen - seen offset 1m) and on () last_over_time(own:grown[90s]) or (seen - seen offset 5m)"
    groups = [group(("own:grown", f"sum({grown})"))]
    (rule,) = rules_of(groups)
    missed = rule.number(2400)
    found = recorded(server, groups, "own:grown", Period(rule.at(missed), rule.at(missed + 4)))
    before = missed - rule.number(LOOKS.begin - 90)
    after = rule.number(LOOKS.end) - missed - 4
    assert [round(each) for each in found] == [50, *[10] * (before - 1), 50, *[10] * after]


def test_rules_that_read_each_other_settle_together(server: Prometheus) -> None:
    rules = (
        # The first cannot see yet what the second will make of it; the second sees what the first has just recorded.
        ("own:first", "last_over_time(own:second[5m]) + 1 or vector(0)"),
        ("own:second", "last_over_time(own:first[5m]) * 2"),
    )
    expected = [0.0]
    found = recorded(server, [group(*rules)], "own:first")
    while len(expected) < len(found):
        expected.append(expected[-1] * 2 + 1)
    assert found == expected


def test_what_others_read_of_such_a_rule_is_there(server: Prometheus) -> None:
    groups = [
        group(("late:sum", "sum_over_time(read:count[10m])"), name="late"),
        group(("read:count", "last_over_time(read:count[5m]) * 0 + 1 or vector(1)")),
    ]
    assert set(recorded(server, groups, "late:sum")[10:]) == {10}


def test_a_rule_that_reads_itself_as_it_stands_is_refused(server: Prometheus) -> None:
    with pytest.raises(AssertionError, match="give it a window"):
        recorded(server, [group(("bare:count", "bare:count + 1 or vector(1)"))], "bare:count")
