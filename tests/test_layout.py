"""What fits on a panel: the model of Grafana against what Chromium draws with Grafana's own fonts and styles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obsgen.layout import NARROW, WIDE, inter, page, place, text_rows
from obsgen.layout.contents import longest_values, names
from obsgen.layout.legend import bars_fit, below, beside, legend
from obsgen.layout.markdown import height
from obsgen.layout.stat import sizes
from obsgen.layout.table import columns
from obsgen.model import Dashboard, Panel, Query, Row, Stat, Table, Text, TimeSeries
from obsgen.promql import Counter, Gauge, Label, Source, Unit, rate, sum_

APP = Source(name="app", title="App", job="app", interval="30s")
ROUTE = Label("route")
CODE = Label("code", values=("200", "404", "500"))
KIND = Label("kind", values=("read", "write"))
HITS = Counter(name="hits_total", title="Hits", help="Hits.", source=APP, labels=(CODE, KIND))
LOST = Counter(name="lost_total", title="Lost", help="Lost.", source=APP, labels=(ROUTE, CODE))
LONG = (
    "A shard that does not answer is restarted by its supervisor; look at `loopLagMs` of the "
    "[status page](https://example.org/a/very/long/address) first, and **only then** at Discord."
)
RULES = (
    "| Alert | Fires when | For |\n| --- | --- | --- |\n"
    "| [Slow](x.md) | the value is above 250 ms, and it was not before | 2 minutes |\n"
    "| `WithALongNameOfCode` | a \\| b | b |"
)


# Chromium: `getBoundingClientRect` of a span in Inter-Medium and in Inter-Regular, 14 px, letter spacing 0.15 px.
@pytest.mark.parametrize(
    ("text", "medium", "regular"),
    [
        ("Connected shards", 124.8, 123.4),
        ("Gateway heartbeat latency", 183.1, 180.8),
        ("API requests: what is promised", 211.2, 208.8),
        ("Requests in 30 days, by route", 202.3, 200.4),
    ],
)
def test_a_title_is_as_wide_as_chromium_draws_it(text: str, medium: float, regular: float) -> None:
    for measured, is_medium in ((medium, True), (regular, False)):
        assert 0 <= round(inter.width(text, medium=is_medium) - measured, 1) <= 0.01 * measured


def test_code_is_as_wide_as_chromium_draws_it() -> None:
    assert inter.mono("vectobeat_shard_latency_ms") + 16 == pytest.approx(206.6, abs=0.5)


# Chromium: `scrollHeight` of a text panel's content, rendered with marked 16.3 and the styles of Grafana 12.4.3.
@pytest.mark.parametrize(
    ("text", "width", "measured"),
    [
        ("One line.", 900, 22),
        ("One.\n\nTwo.", 900, 60),
        ("One `code` line.", 900, 22),
        ("- a\n- b", 900, 44),
        ("Text\n- a\n- b", 900, 82),
        ("- a\n- b\n\nText", 900, 82),
        ("- a\n\n- b", 900, 44),
        ("- a\n  - b\n  - c\n- d", 900, 88),
        ("1. q\n\n   ```\n   x\n   ```\n2. r", 900, 117),
        ("1. q\n   ```\n   x\n   ```\n2. r", 900, 101),
        ("1. q\n\n   ```\n   x\n   ```", 900, 79),
        ("1. One?\n\n   ```\n   - a\n   ```\n2. Two\n   lazy\n\nEnd", 300, 155),
        ("```\nx\ny\n```\n\nText", 900, 98),
        ("# A\n\nx", 900, 67),
        ("## A\n\nx", 900, 61),
        ("### A\n\nx", 900, 56),
        ("#### A\n\nx", 900, 52),
        ("### A heading that is longer than its panel is wide\n\ntext", 300, 80),
        ("| a | b |\n|---|---|\n| c | d |", 900, 63),
        ("| a | b |\n|---|---|\n| c | d |\n\nx", 900, 101),
        ("> hello\n\nx", 900, 60),
        ("a\n\n---\n\nb", 900, 77),
        ("Line<br>break, well-known snake_case_names *and* a_b", 900, 44),
        (LONG, 300, 66),
        (LONG, 600, 44),
        (f"- {LONG}\n- short", 300, 110),
        (RULES, 900, 94),
        ("| Severity | For | Told |\n|---|---|---|\n| info | at once | webhook dead-mans-switch |", 900, 63),
        (RULES, 300, 314),
    ],
)
def test_a_text_is_as_high_as_chromium_draws_it(text: str, width: int, measured: int) -> None:
    assert height(text, width) == pytest.approx(measured, abs=1)


@given(st.text(alphabet="ab \n-*#|>`_~1.[]()\\<&", max_size=60), st.integers(50, 900))
def test_whatever_the_markdown_it_has_a_height(text: str, width: int) -> None:
    assert height(text, width) >= 0


def test_panels_are_as_wide_as_the_page_leaves_them() -> None:
    # 1280 px less 300 of navigation and 32 of margins; 24 columns with 8 px between two.
    assert NARROW.width(24) == 948
    assert NARROW.width(12) == 470
    assert WIDE.width(24) == 1268
    assert page.Screen(1280, navigation=False).width(24) == 1248
    assert page.columns(470) == 12
    assert page.columns(471) == 13
    assert page.columns(949) is None


def test_a_panel_loses_its_head_its_border_and_mostly_a_padding() -> None:
    assert page.inside(24, 4, titled=True) == (948 - 18, 144 - 58)
    assert page.inside(24, 4, titled=False) == (948 - 18, 144 - 18)
    assert page.inside(24, 4, titled=True, padded=False) == (948 - 2, 144 - 42)


@given(st.integers(1, 40))
def test_rows_are_as_many_as_the_pixels_need(rows: int) -> None:
    assert page.rows(page.pixels(rows)) == rows
    assert page.rows(page.pixels(rows) + 1) == rows + 1


def drawn(*panels: Panel) -> list[tuple[int, int]]:
    [row] = place(Dashboard(uid="u", title="", description="", rows=[Row(title="R", panels=panels)]))
    return [(position.w, position.h) for _, _, position in row.panels]


def test_a_text_gets_the_height_that_it_needs_at_its_width() -> None:
    lines = "\n".join(f"{n}. {LONG}" for n in range(8))

    [(_, high)] = drawn(Text(title="T", markdown=lines))
    [(_, low)] = drawn(Text(title="T", markdown="One line."))
    [(_, narrow), _] = drawn(Text(title="T", markdown=lines, width=6), Stat(title="S", shows=HITS, width=18))

    # One line: 22 px, a head of 40, borders and padding of 18, which is 80 of 106.
    assert low == 3
    assert low < high < narrow
    assert page.pixels(high - 1) < height(lines, page.inside(24, low, titled=True)[0]) + 58 <= page.pixels(high)


def test_panels_beside_a_text_are_as_high_as_it() -> None:
    placed = drawn(Text(title="T", markdown=LONG * 5, width=6), Stat(title="S", shows=HITS, width=18))

    assert placed[0][1] == placed[1][1] > 4


def test_a_text_without_a_title_has_no_head() -> None:
    assert text_rows("One line.", 24, titled=False) == 2


def test_a_text_keeps_a_height_of_its_own() -> None:
    assert drawn(Text(title="T", markdown=LONG * 9, height=4)) == [(24, 4)]


def query(shows: object) -> Query:
    [found] = TimeSeries(title="T", shows=shows).queries  # type: ignore[arg-type]
    return found


def test_names_are_known_where_the_values_of_labels_are() -> None:
    by_code = sum_(rate(HITS, "5m"), by=[CODE])

    assert names(query(by_code)) == ["200", "404", "500"]
    assert names(query(Query(expr=by_code, legend="HTTP {{code}}"))) == ["HTTP 200", "HTTP 404", "HTTP 500"]
    assert names(query(sum_(HITS.where(CODE.equals("500")), by=[CODE]))) == ["500"]
    assert names(query(HITS)) == [f"{code} {kind}" for code in CODE.values for kind in KIND.values]
    assert names(query(sum_(HITS))) == [""]
    assert names(query(LOST)) is None
    assert names(query(Query(expr=LOST, legend=[CODE]))) == ["200", "404", "500"]


def test_a_value_is_a_state_or_as_long_as_its_unit_gets() -> None:
    up = Gauge(name="up_state", title="Up", help="Up.", source=APP, unit=Unit.STATE, states={0: "failed", 1: "healthy"})
    panel = Stat(title="S", shows=(up, HITS))

    assert longest_values(panel, panel.queries[0]) == ["failed", "healthy"]
    assert longest_values(panel, panel.queries[1]) == ["12,345,678"]


# Computed with `BigValueLayout.tsx` and `squares.ts` of Grafana 12.4.3.
def test_a_stat_is_as_large_as_its_panel_allows() -> None:
    usual = sizes(["12.3 hours"], [""], *page.inside(6, 4, titled=True, padded=False))
    wide = sizes(["12.3 hours"], [""], *page.inside(8, 4, titled=True, padded=False))
    two = sizes(["12.3 hours"], ["One", "Two"], *page.inside(6, 6, titled=True, padded=False))

    longest = inter.width("12.3 hours", medium=True, spaced=False)
    assert usual.value == pytest.approx((229.0 - 2 * 12) / (longest + 2) * 14)
    assert wide.value == pytest.approx((308.667 - 2 * 12) / (longest + 2) * 14, abs=1)
    assert usual.name == 0 < two.name <= 0.7 * two.value


# Chromium: 20 items of 75.7 px in a list of 600 px are three lines of 70.3 px with padding of 8.
def test_a_legend_below_is_as_high_as_chromium_draws_it() -> None:
    assert below([f"shard {n}" for n in range(20)], 600) == pytest.approx(78.3, abs=0.5)
    assert below(["shard 0"], 600) == pytest.approx(31.4, abs=0.5)


# Chromium: a table with two figures and five rows.
def test_a_legend_beside_is_as_large_as_chromium_draws_it() -> None:
    width, tall = beside([f"shard {n}" for n in range(5)], ("Last *", "Max"))

    assert tall == pytest.approx(143, abs=1.5)
    # Its figures there are shorter than the longest.
    assert 187 <= width <= 220


def test_a_legend_stands_below_as_long_as_it_leaves_the_graph_its_height() -> None:
    few, many, far_too_many = ([f"/api/route/{n}" for n in range(number)] for number in (4, 9, 90))

    found = legend(few, 400, 240), legend(many, 300, 240), legend(far_too_many, 400, 240)

    assert [each and each.placement for each in found] == ["bottom", "right", None]
    assert found[0] is not None
    assert not found[0].table
    assert legend(few, 400, 240, ("Max",)) != found[0]


def test_bars_need_room_for_their_names_and_themselves() -> None:
    routes = [f"/api/control-panel/guilds/{n}" for n in range(10)]

    assert not bars_fit(routes, 100, 300)
    assert bars_fit(routes, 600, 300)
    assert bars_fit(routes[:2], 300, 120)
    # Ten bars of 16 px and nine gaps of 10.
    assert bars_fit(routes, 600, 250)
    assert not bars_fit(routes, 600, 249)


def test_a_column_is_as_wide_as_its_head_and_its_longest_value() -> None:
    long = Label("path", values=("/", "/api/control-panel/guilds/members"))
    hits = Counter(name="h_total", title="Hits", help="", source=APP, labels=(long, ROUTE))
    made = Table(title="T", by=(long, ROUTE), shows=(Query(expr=sum_(hits, by=(long, ROUTE)), legend="Hits in all"),))

    path, route, number = columns(made)

    assert path.pixels >= inter.width(long.values[1]) + 13
    assert (route.head, route.pixels, route.fixed) == ("Route", 150, False)
    assert number.fixed
    assert number.pixels >= inter.width("Hits in all", medium=True) + 13
