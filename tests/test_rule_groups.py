"""Groups of rules: none larger than Mimir takes, in the order of their dependencies, with names that stay."""

from __future__ import annotations

import re
from typing import Any

import pytest

from obsgen.expand import expand
from obsgen.index import Index
from obsgen.model import Catalog, Domain, ErrorBudget, Events, Objective, Project, Team
from obsgen.promql import Counter, Label, Source
from obsgen.render.rules import LARGEST, in_groups, rule_files

APP = Source(name="app", title="App", job="app", interval="30s")
ROUTE = Label("route")


def budget(number: int) -> ErrorBudget:
    total, bad = (
        Counter(name=f"app{number}_{what}_total", title="T", help="H.", source=APP, labels=(ROUTE,))
        for what in ("hits", "errors")
    )
    return ErrorBudget(
        name=f"app{number}",
        title="B",
        help="H.",
        sli=Events(total=total, bad=bad),
        by=(ROUTE,),
        objectives=(Objective(0.99),),
        impact="I.",
        mitigation=("M.",),
    )


def groups(budgets: int) -> list[dict[str, Any]]:
    """Return the groups of a domain with so many budgets."""
    team = Team(name="t", title="T")
    project = Project(
        name="p", title="P", description="D.", owner=team, docs_url="https://d.example", grafana_url="https://g.example"
    )
    domain = Domain(name="app", title="A", description="D.", budgets=tuple(map(budget, range(budgets))))
    files = rule_files(Index(expand(Catalog(project=project, domains=(domain,)))))
    found: list[dict[str, Any]] = files["rules/app.yml"]["groups"]
    return found


@pytest.fixture(scope="module")
def ten() -> list[dict[str, Any]]:
    return groups(10)


def test_no_group_is_larger_than_mimir_takes_and_groups_are_few(ten: list[dict[str, Any]]) -> None:
    sizes = [len(group["rules"]) for group in ten]
    assert sum(len(group["rules"]) for group in groups(1)) * 10 == sum(sizes)
    assert max(sizes) <= LARGEST == 20
    # As few as there can be would be `sum(sizes) / LARGEST`.
    assert len(ten) <= 2 * sum(sizes) / LARGEST
    assert len(ten) < 70


def test_the_rules_of_a_budget_at_an_interval_stay_in_one_group(ten: list[dict[str, Any]]) -> None:
    for number in range(10):
        one = groups(1)
        for alone in one:
            names = {rule["record"].replace("app0", f"app{number}") for rule in alone["rules"] if "record" in rule}
            holding = [group["name"] for group in ten if names & {rule.get("record") for rule in group["rules"]}]
            assert len(holding) == (1 if names else 0)


def test_a_rule_comes_after_what_it_reads(ten: list[dict[str, Any]]) -> None:
    rules = [rule for group in ten for rule in group["rules"]]
    place = {rule["record"]: number for number, rule in enumerate(rules) if "record" in rule}
    reads = {rule.get("record", rule.get("alert")): set(re.findall(r"[\w:]+", rule["expr"])) for rule in rules}
    for number, rule in enumerate(rules):
        name = rule.get("record", rule.get("alert"))
        # A rule may read its own past, and that of one that reads it.
        before = {read for read in reads[name] & place.keys() if name not in reads[read]}
        assert all(place[read] < number for read in before), name


def test_a_budget_that_is_added_at_the_end_leaves_the_other_groups_as_they_are(ten: list[dict[str, Any]]) -> None:
    eleven = {group["name"]: group for group in groups(11)}
    assert len(eleven) == len(groups(11))
    for group in ten:
        after = eleven[group["name"]]
        assert after["interval"] == group["interval"]
        assert after["rules"][: len(group["rules"])] == group["rules"]


def test_what_is_larger_than_a_group_alone_is_split_in_its_order() -> None:
    def rules(first: int, last: int) -> list[dict[str, Any]]:
        return [{"record": f"r{n}"} for n in range(first, last)]

    found = list(in_groups("g", "1m", [rules(0, 5), rules(5, 50), rules(50, 52)]))

    assert [group["name"] for group in found] == ["g", "g-part2", "g-part3", "g-part4"]
    assert [len(group["rules"]) for group in found] == [5, 20, 20, 7]
    assert [rule for group in found for rule in group["rules"]] == rules(0, 52)
