"""What of `prove` needs no Prometheus: notation, states, changes of rules, and what is said when there is none."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from obsgen.cli import main
from obsgen.errors import DefinitionError
from obsgen.model import Catalog
from obsgen.promql import Counter, Gauge, Source, events, increase, max_
from obsgen.promql.notation import Mark, exported, length, split, values
from obsgen.promql.text import render
from obsgen.prove.mutants import changed
from obsgen.prove.rules import Rule, Rules
from obsgen.prove.run import Times, states
from tests.conftest import ROOT
from tests.double import answering

APP = Source(name="app", title="App", job="app", interval="30s")
HEAT = Gauge(name="heat", title="Heat", help="", source=APP)
HITS = Counter(name="hits_total", title="Hits", help="", source=APP)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 2.5 -3", [1, 2.5, -3]),
        ("1x2", [1, 1, 1]),
        ("0+10x3", [0, 10, 20, 30]),
        ("-2-0.5x2", [-2, -2.5, -3]),
        ("_ _x2 1", [Mark.MISSING] * 3 + [1]),
        ("1 stale", [1, Mark.STALE]),
        ("1e3 .5", [1000, 0.5]),
        ("Infx1 -Inf", [math.inf, math.inf, -math.inf]),
    ],
)
def test_the_notation_is_that_of_rule_tests(text: str, expected: list[float | Mark]) -> None:
    assert values(text) == expected


def test_nan_is_a_value() -> None:
    assert [math.isnan(value) for value in values("NaNx1") if not isinstance(value, Mark)] == [True, True]
    assert exported("NaNx2 80x4 Infx1") == "NaN NaN NaN 80x4 +Inf +Inf"


@pytest.mark.parametrize("text", ["1+2x", "1,2", "x5", "0x", "1 + 2", "__", "_x", "staled", "--1", ""])
def test_what_is_not_in_the_notation_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError):
        values(text)


WHOLE = st.integers(-1000, 1000)
ITEMS = st.one_of(
    st.just("stale"),
    st.just("_"),
    st.integers(1, 9).map(lambda n: f"_x{n}"),
    WHOLE.map(str),
    st.tuples(WHOLE, WHOLE, st.integers(0, 9)).map(lambda t: f"{t[0]}{t[1]:+}x{t[2]}"),
    st.tuples(WHOLE, st.integers(0, 9)).map(lambda t: f"{t[0]}x{t[1]}"),
)


@given(st.lists(ITEMS, min_size=1, max_size=6), st.data())
def test_a_text_has_as_many_samples_as_it_says_and_can_be_cut_anywhere(items: list[str], data: st.DataObject) -> None:
    text = " ".join(items)
    place = data.draw(st.integers(0, length(text)))

    before, after = split(text, place)

    assert len(values(text)) == length(text)
    assert (values(before) if before else []) + (values(after) if after else []) == values(text)
    assert values(exported(text)) == values(text)


@pytest.mark.parametrize(
    ("hits", "hold", "keep", "expected"),
    [
        ([0, 30, 60], 0, 0, [(0, 90)]),
        ([0, 30, 60], 60, 0, [(60, 90)]),
        ([0, 30, 60], 90, 0, []),
        ([0, 30, 90, 120, 150], 30, 0, [(30, 60), (120, 180)]),
        ([0, 30, 90], 30, 60, [(30, 180)]),  # kept over a gap of one evaluation, and to a minute after the end
        ([0], 0, 90, [(0, 120)]),
        ([0, 30, 60, 90, 120, 150, 180, 210], 60, 0, [(60, None)]),
        ([0], 30, 60, []),  # never fired: nothing to keep
    ],
)
def test_states_of_an_alert(
    hits: list[float], hold: float, keep: float, expected: list[tuple[float, float | None]]
) -> None:
    grid = [30.0 * n for n in range(8)]

    assert list(states(grid, dict.fromkeys(hits, 1.0), hold, keep)) == expected


def test_changes_are_small_and_named() -> None:
    found = {change: render(expr) for change, expr in changed(max_(increase(HITS, "1h")).and_(HEAT.equals(0)) > 0.5)}

    was = "max(increase(hits_total[1h])) and heat == 0"
    assert found == {
        f"{was} > 0.5 -> >=": f"({was}) >= 0.5",
        f"{was} > 0.5 -> 0.55": f"({was}) > 0.55",
        f"{was} > 0.5 -> 0.45": f"({was}) > 0.45",
        "heat == 0 -> !=": "(max(increase(hits_total[1h])) and heat != 0) > 0.5",
        "heat == 0 -> 1": "(max(increase(hits_total[1h])) and heat == 1) > 0.5",
        "heat == 0 -> -1": "(max(increase(hits_total[1h])) and heat == -1) > 0.5",
        "[1h] -> [2h]": "(max(increase(hits_total[2h])) and heat == 0) > 0.5",
        "[1h] -> [30m]": "(max(increase(hits_total[30m])) and heat == 0) > 0.5",
    }


def test_a_window_changes_wherever_it_stands() -> None:
    [double, half] = [render(expr) for change, expr in changed(events(HITS, "1h")) if change.startswith("[")]

    windows = render(events(HITS, "1h")).count("[59m59s999ms:")
    assert "[59m59s999ms:" not in double
    assert "offset 1h)" not in double
    assert double.count("[1h59m59s999ms:") == windows == half.count("[29m59s999ms:") > 0


def test_recordings_come_before_what_reads_them_whatever_their_order() -> None:
    rules = Rules(
        [Rule("c", "a + b", 30, {"a": 300, "b": 300}), Rule("b", "a", 30, {"a": 300}), Rule("a", "x", 30, {})]
    )

    assert [rule.name for rule in rules.needed(["c"])] == ["a", "b", "c"]
    assert rules.needed(["x"]) == ()


def test_no_proof_can_see_the_samples_of_another() -> None:
    times = Times()
    first = times.take({"a", "up"}, {"a"}, back=3600, length=500)
    reader = times.take({"a"}, {"b"}, back=40 * 86_400, length=100)
    writer = times.take({"c"}, {"up"}, back=0, length=100)
    stranger = times.take({"x", "up"}, {"x"}, back=3600, length=10**9)

    assert reader - 40 * 86_400 > first + 500
    assert writer > first + 500
    assert stranger - 3600 > writer + 100
    assert times.take({"y"}, {"y"}, back=3600, length=1) == first


def test_without_a_prometheus_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("OBSGEN_PROMETHEUS", raising=False)
    for form in ("text", "json", "junit"):
        result = CliRunner().invoke(main, ["prove", "-d", str(ROOT / "definitions"), "--format", form])

        assert result.exit_code == 2
        assert "apt-get install prometheus" in result.output
        assert "Traceback" not in result.output


def test_a_name_that_nothing_has_is_told() -> None:
    result = CliRunner().invoke(main, ["prove", "-d", str(ROOT / "definitions"), "ShardLatencyHi"])

    assert result.exit_code == 2
    assert "did you mean 'ShardLatencyHigh'?" in result.output


def test_definitions_with_problems_are_not_proven(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["prove", "-d", str(tmp_path), "--format", "json"])

    assert result.exit_code == 1
    assert json.loads(result.stdout)["problems"][0]["check"] == "no-definitions"


def test_a_prometheus_that_takes_no_samples_says_what_it_needs() -> None:
    arguments = ["prove", "-d", str(ROOT / "definitions"), "LavalinkNodeDown", "--prometheus"]

    with answering({"/-/ready": (200, "")}) as closed:
        result = CliRunner().invoke(main, [*arguments, closed])

    assert result.exit_code == 2
    assert "--web.enable-remote-write-receiver" in result.output
    assert "there is no Prometheus at" in CliRunner().invoke(main, [*arguments, "http://127.0.0.1:1"]).output


def test_every_alert_and_every_level_of_vectobeat_has_proofs(vectobeat: Catalog) -> None:
    for alert in vectobeat.alerts:
        fired = {firing.severity for proof in alert.proofs for firing in proof.firings}
        assert len(alert.levels) == 1 or fired == {level.severity for level in alert.levels}, alert.name
        assert any(proof.quiet for proof in alert.proofs) or alert.name == "Watchdog", alert.name
