"""Every kind of mistake in a definition: one clear message at its line, all of them in one run, nothing written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from obsgen.checks import CHECKS
from obsgen.cli import main

PROJECT = """
from obsgen.model import Project, Team

PROJECT = Project(
    name="bad", title="Bad", description="", owner=Team(name="us", title="Us"),
    docs_url="https://docs.example.org", grafana_url="https://grafana.example.org",
)
"""

HEAD = """
from functools import partial
from obsgen.model import *
from obsgen.promql import *

APP = Source(name="app", title="App", job="app", interval="30s")
ROUTE, CODE, SHADE = Label("route"), Label("code", values=("200", "500")), Label("shade")
HITS = Counter(name="hits_total", title="Hits", help="Hits.", source=APP, labels=(ROUTE, CODE))
HEAT = Gauge(name="heat", title="Heat", help="Heat.", source=APP, labels=(ROUTE,))
BAD = Counter(name="bad_total", title="Bad", help="Bad.", source=APP, labels=(ROUTE, CODE))
WAIT = Histogram(name="wait", title="Wait", help="Wait.", source=APP, buckets=(1, 2))
renamed = partial(Exposure, status=Status.RENAMED, name="old")
BOOK = Runbook(meaning="m", impact="i", diagnosis=("d",), mitigation=("m",))
WATCH = SourceWatch(source=APP, key=HEAT, still_after=None, impact="i", restart="r")


# partial() has no frame of its own: a mistake is found at the line that calls it.
PROOFS = (Proof("Fires.", {HEAT: "1x9"}, Firing(since="0s")), Proof("Is quiet.", {HEAT: "_x9"}))
alert = partial(Alert, name="A", expr=HEAT, fires=info(), summary="S.", description="d", runbook=BOOK, proofs=PROOFS)



def proven(severity):  # for an alert with several levels
    return Proof("Fires.", {HEAT: "1x9"}, Firing(since="0s", severity=severity)), PROOFS[1]


budget = partial(ErrorBudget, name="b", title="B", help="H.", sli=Events(total=HITS, bad=BAD), by=[ROUTE], impact="I.",
                 window="7d", mitigation=["M."], objectives=[Objective(0.99)])
board = partial(Dashboard, uid="board", title="T", description="D")
PANEL = Row(title="R", panels=[Stat(shows=HEAT)])


def row(*panels):
    return [Row(title="R", panels=panels)]


"""

TAIL = """

DOMAIN = Domain(
    name="bad", title="Bad", description="",
    metrics=vars().get("METRICS", (HITS, BAD, HEAT, WAIT)), watches=vars().get("WATCHES", (WATCH,)),
    budgets=vars().get("BUDGETS", ()), inhibitions=vars().get("INHIBITIONS", ()), notify=vars().get("NOTIFY"),
    alerts=vars().get("ALERTS", ()), recordings=vars().get("RECORDINGS", ()), dashboards=vars().get("BOARDS", ()),
)
"""


def routed(notify: str, more: str = "", receivers: str = "CHAT") -> str:
    """Return definition lines with an alert and receivers, for a project with a routing."""
    return (
        "CHAT = Slack(name='chat', channel='#a', url_file='/x')\n"
        "BELL, MAIL = Webhook(name='bell', url='http://x.org'), Email(name='m', to='a@b.org')\n"
        f"TWIN = Webhook(name='chat', url='http://y.org')\nNOTIFY = {notify}\nRECEIVERS = [{receivers}]\n"
        f"ALERTS = (alert({more}),)"
    )


def hours(**given: object) -> str:
    """Return a definition line with times of the week."""
    fields = {"weekdays": ["monday"], "begin": "08:00", "end": "09:00", "location": "UTC"} | given
    return f"X = Hours(name='h', {', '.join(f'{name}={value!r}' for name, value in fields.items())})  # <-"


def named(kind: str, name: str, unit: str, more: str = "") -> str:
    """Return definition lines with a metric besides the usual ones, on the marked line."""
    return (
        f"X = {kind}(name='{name}', title='X', help='X', source=APP, unit=Unit.{unit}, {more})  # <-\n"
        "METRICS = (HITS, BAD, HEAT, WAIT, X)"
    )


def proving(given: str) -> str:
    """Return definition lines with an alert that has one proof more, on the marked line."""
    return f"ALERTS = (alert(proofs=(*PROOFS,\n    Proof('P.', {given}),  # <-\n)),)"


NESTED = "X = HEAT\nfor n in range(500):\n    X = max_(X)\n"
"""Definition lines with an expression that no program should have to read."""

# check id: definition lines, the one at fault marked, and what is said about it
CASES: dict[str, list[tuple[str, str]]] = {
    "duplicate-name": [
        (
            'AGAIN = Counter(name="hits_total", title="", help="", source=APP)  # <-\n'
            "METRICS = (HITS, BAD, HEAT, WAIT, AGAIN)",
            "metric or recording 'hits_total' is defined twice",
        ),
        (
            "COUNT = Counter(name='wait_count', title='', help='', source=APP)  # <-\n"
            "METRICS = (HITS, BAD, HEAT, WAIT, COUNT)",
            "metric 'wait_count' is defined twice",
        ),
        (
            'ONE = alert(name="Same")\nTWO = alert(name="Same")  # <-\nALERTS = (ONE, TWO)',
            "alert 'Same' is defined twice",
        ),
        (
            "ONE = board(rows=row(Stat(shows=HEAT)))\nTWO = board(rows=ONE.rows)  # <-\nBOARDS = (ONE, TWO)",
            "dashboard uid 'board' is defined twice",
        ),
    ],
    "bad-name": [
        (
            'ALERTS = (alert(name="too hot"),)  # <-',
            "'too hot' is no alert name",
        ),
        (
            f'BOARDS = (board(uid="{"x" * 41}", rows=[PANEL]),)  # <-',
            "is no dashboard uid",
        ),
    ],
    "reserved-name": [
        (
            'SLOW = Histogram(name="slow", title="", help="", source=APP, labels=[Label("le")], buckets=(1,))  # <-\n'
            "METRICS = (HITS, BAD, HEAT, WAIT, SLOW)",
            "slow declares the label 'le'",
        )
    ],
    "label-value": [
        (
            "QUOTED = Label('q', values=('a\"b',))  # <-\n"
            "METRICS = (HITS, BAD, HEAT, WAIT, Gauge(name='q', title='', help='', source=APP, labels=[QUOTED]))",
            "the value 'a\"b' of label 'q' has quotes, braces or line breaks",
        ),
        (
            "ALERTS = (alert(expr=HEAT.where(ROUTE.equals('{{ $x }}'))),)  # <-",
            "the value '{{ $x }}' of label 'route'",
        ),
        ("ALERTS = (alert(expr=HEAT.where(ROUTE.one_of('a\\nb'))),)  # <-", "the value 'a\\nb' of label 'route'"),
    ],
    "misleading-name": [
        (named("Gauge", "wait_ms", "SECONDS"), "wait_ms has Unit.SECONDS, and its name says 'ms'"),
        (named("Histogram", "wait_seconds", "MILLISECONDS", "buckets=(1,)"), "and its name says 'seconds'"),
        (named("Gauge", "used_bytes", "NONE"), "used_bytes has no unit, and its name says 'bytes'"),
        (named("Counter", "sent_bytes_total", "COUNT"), "sent_bytes_total has Unit.COUNT, and its name says 'bytes'"),
        (named("Counter", "wait_seconds_sum", "COUNT"), "wait_seconds_sum has Unit.COUNT, and its name says 'seconds'"),
        (named("Gauge", "full_ratio", "PERCENT"), "full_ratio has Unit.PERCENT, and its name says 'ratio'"),
        (named("Gauge", "full_percent", "RATIO"), "full_percent has Unit.RATIO, and its name says 'percent'"),
        (named("Gauge", "air_celsius", "COUNT"), "air_celsius has Unit.COUNT, and its name says 'celsius'"),
        (named("Gauge", "age_minutes", "SECONDS"), "age_minutes has Unit.SECONDS, and its name says 'minutes'"),
        (named("Counter", "tries", "COUNT"), "the counter tries has no _total at its end"),
        (named("Gauge", "players_total", "COUNT"), "the gauge players_total has _total at its end, as only counters"),
        (
            named("Gauge", "players_total", "COUNT", "misnomer='So.'").replace("_total", ""),
            "players has a misnomer, and its name says what it is",
        ),
        (
            "RECORDINGS = (Recording(name='used_ratio', expr=sum_(HEAT), title='U', help='U', unit=Unit.BYTES),)  # <-",
            "used_ratio has Unit.BYTES, and its name says 'ratio'",
        ),
    ],
    "undeclared-series": [
        (
            'GONE = Gauge(name="gone", title="", help="", source=APP)  # <-\n'
            "ALERTS = (alert(expr=GONE), alert(name='B', expr=GONE))",
            "no domain declares gone, which is read by alert A and 1 more",
        )
    ],
    "rate-of-gauge": [
        ('ALERTS = (alert(expr=rate(HEAT, "5m")),)  # <-', "rate() needs a counter, and heat is a gauge"),
        ('ALERTS = (alert(expr=increase(HEAT, "5m")),)  # <-', "increase() needs a counter, and heat is a gauge"),
    ],
    "seldom-recorded": [
        (
            "SEEN = Recording(name='all:seen', expr=max_(HEAT), title='S', help='H', interval='15m')\n"
            "RECORDINGS = (SEEN,)\nALERTS = (alert(expr=SEEN, fires=info(above=5)),)  # <-",
            "alert A is evaluated every 30s and reads all:seen, which has a sample every 15m",
        ),
        (
            "SLOW = Source(name='slow', title='Slow', job='slow', interval='10m')\n"
            "COLD = Gauge(name='cold', title='C', help='C', source=SLOW)\nMETRICS = (HITS, BAD, HEAT, WAIT, COLD)\n"
            "RECORDINGS = (Recording(name='all:cold', expr=max_(COLD), title='C', help='C'),)  # <-",
            "recording all:cold is evaluated every 30s and reads cold, which has a sample every 10m",
        ),
        (
            "SEEN = Recording(name='all:seen', expr=max_(HEAT), title='S', help='H', interval='15m')\n"
            "RECORDINGS = (SEEN,)\nALERTS = (alert(expr=SEEN, fires=info(above=5), interval='15m'),)  # <-",
            "alert A is evaluated every 15m and reads all:seen, which has a sample every 15m",
        ),
    ],
    "quantile-of-counter": [
        (
            'ALERTS = (alert(expr=histogram_quantile(0.9, HITS, window="5m")),)  # <-',
            "a histogram is needed, and hits_total is a counter",
        ),
        (
            'ALERTS = (alert(expr=histogram_quantile(95, WAIT, window="5m")),)  # <-',
            "the quantile 95 is not from 0 to 1",
        ),
    ],
    "bare-histogram": [
        (
            "ALERTS = (alert(expr=WAIT, fires=info(above=1)),)  # <-",
            "reads the histogram wait as if it had values of its own",
        )
    ],
    "unknown-label": [
        (
            'ALERTS = (alert(expr=sum_(HEAT, by=[Label("rout")])),)  # <-',
            "sum(..., by=...) uses the label 'rout', which is not there",
        ),
        ("ALERTS = (alert(expr=HEAT.where(CODE.equals('200'))),)  # <-", "heat.where(...) uses the label 'code'"),
        ('ALERTS = (alert(expr=raw("sum by (rout) ({x})", x=HEAT)),)  # <-', "aggregates by the label 'rout'"),
        ("ALERTS = (alert(expr=HEAT.unless(HITS, on=[CODE])),)  # <-", "unless(..., on=...) uses the label 'code'"),
    ],
    "unknown-value": [
        ("ALERTS = (alert(expr=HITS.where(CODE.equals('50'))),)  # <-", "hits_total never has code='50'")
    ],
    "unmatched-labels": [
        ("ALERTS = (alert(expr=sum_(HITS, by=[CODE]) / sum_(HEAT, by=[ROUTE])),)  # <-", "{code} and {route}")
    ],
    "open-window": [("ALERTS = (alert(expr=rate(HITS)),)  # <-", "alert A leaves the window over hits_total open")],
    "not-promql": [
        (
            'ALERTS = (alert(expr=raw("topk({x}", x=HEAT)),)  # <-',
            "alert A is not PromQL for Prometheus",
        ),
        ('ALERTS = (alert(expr=raw("{x}[5m]", x=HEAT)),)  # <-', "a range or a text is no result"),
        (
            'ALERTS = (alert(expr=raw("sort_by_label({x})", x=HEAT)),)  # <-',
            "sort_by_label() is not in Prometheus 2.42",
        ),
        ("ALERTS = (alert(expr=scalar(HEAT), fires=info(above=5)),)  # <-", "alert A is not PromQL for Prometheus"),
        ('ALERTS = (alert(expr=raw("{x} / heta", x=HEAT)),)  # <-', "the text of raw() names the metric 'heta'"),
        (
            'ALERTS = (alert(expr=raw("{y} + 1", x=HEAT)),)  # <-',
            "the template of raw('{y} + 1') is broken",
        ),
    ],
    "alert-text": [
        (
            'ALERTS = (alert(description=f"{CODE.value}"),)  # <-',
            "the text of A uses the label 'code', which its expression does not keep",
        ),
        (
            'ALERTS = (alert(summary="{{ $value }}", ),)  # <-',
            "the summary of A is '{{ $value }}'",
        ),
        (
            'ALERTS = (alert(description="{{ nobody }}"),)  # <-',
            "the text of A has the template {{ nobody }}",
        ),
        (
            "ALERTS = (alert(description=THRESHOLD),)  # <-",
            "the text of A speaks of a threshold, and a level has none",
        ),
        ('ALERTS = (alert(description="{{ open"),)  # <-', "the text of A has a {{ or }} without its other half"),
        (
            'ALERTS = (alert(description=f"{VALUE} % are left.", unit=Unit.PERCENT),)  # <-',
            "the text of A says its unit twice: the value is in '%' already",
        ),
        (
            'ALERTS = (alert(description=f"Above {THRESHOLD}s.", fires=info(above=5), unit=Unit.SECONDS),)  # <-',
            "the text of A says its unit twice: the value is in 's' already",
        ),
    ],
    "alert-levels": [
        (
            "ALERTS = (alert(fires=(), ),)  # <-",
            "alert A never fires",
        ),
        (
            "WORSE = critical(above=5)  # <-\n"
            "ALERTS = (alert(fires=(warning(above=6), WORSE), proofs=proven(Severity.WARNING)),)",
            "alert A is critical at 5, before it is warning at 6",
        ),
        (
            "ALERTS = (alert(fires=(info(above=5), info(above=6)), proofs=proven(Severity.INFO)),)  # <-",
            "alert A has two levels of severity info",
        ),
    ],
    "alert-labels": [
        (
            "OWNED = Gauge(name='owned', title='', help='', source=APP, labels=[Label('team')])\n"
            "METRICS = (HITS, BAD, HEAT, WAIT, OWNED)\nALERTS = (alert(expr=OWNED),)  # <-",
            "alert A keeps the label 'team', which every alert rule sets itself",
        )
    ],
    "impossible-threshold": [
        (
            "FULL = Gauge(name='full', title='', help='', source=APP, unit=Unit.RATIO)\n"
            "METRICS = (HITS, BAD, HEAT, WAIT, FULL)\nALERTS = (alert(expr=FULL, fires=critical(above=95)),)  # <-",
            "alert A compares a ratio, which is 0 to 1, with 95",
        ),
        (
            "PART = sum_(rate(HITS.where(CODE.equals('500')), '5m')) / sum_(rate(HITS, '5m'))\n"
            "ALERTS = (alert(expr=PART, fires=critical(above=5)),)  # <-",
            "alert A compares a ratio, which is 0 to 1, with 5",
        ),
        (
            "ALERTS = (alert(unit=Unit.RATIO, fires=critical(above=5)),)  # <-",
            "alert A compares a ratio, which is 0 to 1, with 5",
        ),
        (
            "OPEN = Gauge(name='open', title='', help='', source=APP, states={0: 'shut', 1: 'open'})\n"
            "METRICS = (HITS, BAD, HEAT, WAIT, OPEN)\nALERTS = (alert(expr=OPEN, fires=critical(equals=7)),)  # <-",
            "alert A waits for 7, which is no state of open",
        ),
    ],
    "silent-state": [
        (
            "OPEN = Gauge(name='open', title='', help='', source=APP, states={0: 'shut', 1: 'open'})\n"
            "METRICS = (HITS, BAD, HEAT, WAIT, OPEN)\nALERTS = (alert(expr=OPEN, fires=critical(equals=0)),)  # <-",
            "alert A waits for open to be 0: a value that is no state of it is silent",
        ),
    ],
    "alert-on-counter": [
        ("ALERTS = (alert(expr=HITS, fires=info(above=5)),)  # <-", "alert A compares the counter hits_total")
    ],
    "unwatched-source": [
        (
            "WATCHES = ()\nALERTS = (alert(),)  # <-",
            "alert A reads heat, and nothing tells when its source is gone",
        ),
        (
            "WATCHES = ()\nALERTS = (alert(name='A0'),  # <-\n    *(alert(name=f'A{n}') for n in range(1, 9)))",
            "alert A0 and 8 more read heat, and nothing tells when its source is gone",
        ),
    ],
    "panel-identity": [
        ("BOARDS = (board(rows=row(Stat(shows=HEAT), Stat(shows=HEAT))),)  # <-", "board has two panels called 'Heat'"),
        ("BOARDS = (board(rows=row(Stat(shows=sum_(HEAT)))),)  # <-", "shows no single metric, so it needs a title"),
    ],
    "empty-panel": [
        ('BOARDS = (board(rows=row(TimeSeries(title="Nothing"))),)  # <-', "panel 'Nothing' of board shows nothing")
    ],
    "unknown-filter": [
        (
            "BOARDS = (board(filters=[SHADE], rows=[PANEL]),)  # <-",
            "dashboard board filters by 'shade', which nothing on it carries",
        ),
        ("BOARDS = (board(filters=[ROUTE, ROUTE], rows=[PANEL]),)  # <-", "has two variables called 'route'"),
    ],
    "title-does-not-fit": [
        (
            "LONG = Stat(shows=HEAT, title='Slowest shard of all the regions', width=6)  # <-\n"
            "BOARDS = (board(rows=row(LONG, TimeSeries(shows=HEAT, title='H', width=18))),)",
            "the title 'Slowest shard of all the regions' of board is cut at 1280 px: it needs 215 px and has 131",
        ),
    ],
    "text-does-not-fit": [
        (
            "BOARDS = (board(rows=row(Text(title='T', markdown='a\\n\\nb\\n\\nc\\n\\nd', height=4))),)  # <-",
            "the text 'T' of board is cut at 1280 px: it needs height=6 and has 4",
        ),
    ],
    "table-does-not-fit": [
        (
            "COLUMNS = [Query(expr=max_(HEAT, by=[ROUTE]), legend=f'Heat of the route, {n}') for n in range(6)]\n"
            "BOARDS = (board(rows=row(Table(title='T', by=[ROUTE], shows=COLUMNS))),)  # <-",
            "the columns of table 'T' of board do not fit at 1280 px: they need 1133 px and have 930",
        ),
    ],
    "stat-does-not-fit": [
        (
            "BOARDS = (board(rows=row(Stat(shows=HEAT, title='H', height=2))),)  # <-",
            "a value like '-12.3 Mil' in stat 'H' of board would be written 8 px high at 1280 px",
        ),
        (
            "STEP = Label('step', values=[f'step {n}' for n in range(40)])\n"
            "WORK = Gauge(name='work', title='Work', help='W.', source=APP, labels=(STEP,))\n"
            "METRICS, WATCHES = (HITS, BAD, HEAT, WAIT, WORK), (WATCH,)\n"
            "BOARDS = (board(rows=row(Stat(shows=WORK, title='H'))),)  # <-",
            "40 values in stat 'H' of board would be written",
        ),
    ],
    "names-do-not-fit": [
        (
            "STEP = Label('step', values=[f'/api/control-panel/{n}' for n in range(40)])\n"
            "WORK = Gauge(name='work', title='Work', help='W.', source=APP, labels=(STEP,))\n"
            "METRICS = (HITS, BAD, HEAT, WAIT, WORK)\n"
            f"BOARDS = (board(rows=row({panel}(shows=WORK, title='H', width=12), Stat(shows=HEAT, width=12))),)  # <-",
            message,
        )
        for panel, message in (
            ("TimeSeries", "the legend of 'H' of board does not show its 40 series at 1280 px: it needs "),
            (
                "BarGauge",
                "bar gauge 'H' of board cuts its 40 bars or their names at 1280 px, as '/api/control-panel/10'",
            ),
        )
    ],
    "lost-legend": [
        (
            'BOARDS = (board(rows=row(TimeSeries(shows=sum_(HITS, by=[CODE]), title="T", legend=(ROUTE,)))),)  # <-',
            "the legend of 'T' uses the label 'route', which is not there",
        )
    ],
    "odd-text": [
        (
            'HEAVY = Gauge(name="heavy", title="Two\\nlines", help="", source=APP)  # <-\n'
            "METRICS = (HITS, BAD, HEAT, WAIT, HEAVY)",
            "the title 'Two\\nlines' has a line break",
        ),
        ("BOARDS = (board(title=' ', rows=[PANEL]),)  # <-", "a title is empty"),
        ("BOARDS = (board(description='```', rows=[PANEL]),)  # <-", "opens a block of code with ```"),
        ("BOARDS = (board(description='[see](../there.md)', rows=[PANEL]),)  # <-", "a text links to '../there.md'"),
    ],
    "table-columns": [
        (
            'BOARDS = (board(rows=row(Table(title="T", by=[ROUTE], shows=HEAT))),)  # <-',
            "a column of table 'T' has the labels",
        ),
        (
            "T = Table(title='T', by=[ROUTE], shows=sum_(HEAT, by=[ROUTE]), sort_by='-Heet')  # <-\n"
            "BOARDS = (board(rows=row(T)),)",
            "table 'T' is sorted by '-Heet', which heads none of its columns",
        ),
    ],
    "short-retention": [
        ("BUDGETS = (budget(window='30d'),)  # <-", "the window of budget b is 30d, and Prometheus keeps its")
    ],
    "silent-budget": [
        (
            "BUDGETS = (budget(window='7d', objectives=[Objective(0.5)]),)  # <-",
            "budget b has no critical burn rate: with an objective of 0.5 in 7d the lowest usual one, 2.8, takes 140%",
        ),
    ],
    "renamed-partner": [
        (
            "OLD = Gauge(name='warm', title='W', help='W', source=APP, labels=(ROUTE,), exposure=renamed())\n"
            "METRICS = (HITS, BAD, HEAT, WAIT, OLD)\nALERTS = (alert(expr=OLD - HEAT),)  # <-",
            "one side of '-' is renamed today and the other is not",
        ),
        (
            "OLD = Gauge(name='warm', title='W', help='W', source=APP, labels=(ROUTE,), exposure=renamed())\n"
            "METRICS = (HITS, BAD, HEAT, WAIT, OLD)\n"
            "WARM = Recording(name='all:warm', expr=avg_over_time(OLD, '5m'), title='W', help='W')\n"
            "RECORDINGS, ALERTS = (WARM,), (alert(expr=HEAT.unless(WARM)),)  # <-",
            "one side of 'unless' is renamed today and the other is not",
        ),
    ],
    "slow-source": [
        (
            "RARE = Source(name='rare', title='Rare', job='rare', interval='3m')\n"
            "ALL = Counter(name='all_total', title='All', help='All.', source=RARE, labels=(ROUTE,))\n"
            "METRICS = (HITS, BAD, HEAT, WAIT, ALL)\n"
            "WATCHES = (WATCH, SourceWatch(source=RARE, key=ALL, still_after=None, impact='i', restart='r'))\n"
            "BUDGETS = (budget(sli=Events(total=ALL, bad=BAD)),)  # <-",
            "budget b counts minutes of Rare, which is scraped every 3 minutes",
        ),
    ],
    "unproven-alert": [
        ("ALERTS = (alert(proofs=()),)  # <-", "alert A has no proofs"),
        ("ALERTS = (alert(proofs=PROOFS[:1]),)  # <-", "alert A has no proof that it stays quiet"),
        ("ALERTS = (alert(proofs=PROOFS[1:]),)  # <-", "alert A has no proof that it fires"),
    ],
    "proof-series": [
        (proving("{Gauge(name='gone', title='', help='', source=APP): '1'}"), "no domain declares gone, which a proof"),
        (proving("{HEAT.where(CODE.equals('200')): '1'}"), "a proof gives heat the label 'code', which it does not"),
        (proving("{HITS.where(CODE.equals('50')): '1'}"), "a proof gives hits_total code='50', a value that it never"),
        (proving("{HEAT.where(ROUTE.matches('a.*')): '1'}"), "a proof gives heat with route=~'a.*': no series has"),
        (proving("{WAIT: '1'}"), "the proof 'P.' gives wait as a whole"),
        (proving("{HEAT: '1', HEAT.where(JOB.equals('app')): '1'}"), "the proof 'P.' gives one series twice"),
        (
            "HOT = Recording(name='all:hot', expr=sum_(HEAT), title='H', help='H')\nRECORDINGS = (HOT,)\n"
            + proving("{HOT: '1'}"),
            "the proof 'P.' gives all:hot, which is recorded",
        ),
    ],
    "proof-firing": [
        (proving("{HEAT: '1x9'}, Firing(since='0s', severity=Severity.CRITICAL)"), "expects critical, which is none"),
        (proving("{HEAT: '1x9'}, Firing(since='45s')"), "expects A to change at 45s, when it is not evaluated"),
        (proving("{HEAT: '1x9'}, Firing(since='1h')"), "expects A to change at 1h, after its end at 4m30s"),
        (proving("{HEAT: '1x9'}, Firing(since='0s', labels={SHADE: 'x'})"), "expects A with the label 'shade'"),
        (
            "BUDGETS = (budget(proofs=[\n    Proof('P.', {HEAT: '1'}, of='Bee'),  # <-\n]),)",
            "a proof of budget b is of 'Bee', which is no alert and not recorded",
        ),
        (
            "ALERTS = (alert(fires=(info(above=5), warning(above=6)), proofs=PROOFS),)",
            "a proof of A does not say which of its levels fires",
        ),
    ],
    "proof-sample": [
        (
            "RECORDINGS = (Recording(name='all:hot', expr=sum_(HEAT), title='H', help='H', proofs=[\n"
            "    Proof('P.', {HEAT: '1x9'}, records=Sample(value=1, at='1h')),  # <-\n]),)",
            "expects a sample at 1h, after 4m30s",
        ),
        (
            "RECORDINGS = (Recording(name='all:hot', expr=sum_(HEAT), title='H', help='H', proofs=[\n"
            "    Proof('P.', {HEAT: '1x9'}, records=Sample(value=1, at='1m', labels={ROUTE: 'a'})),  # <-\n]),)",
            "expects all:hot with the labels ['route']",
        ),
        (proving("{HEAT: '1x9'}, records=Sample(value=1, at='1m')"), "expects a sample of A, which is not recorded"),
    ],
    "unrouted-alert": [
        (
            routed("Notify(critical=[CHAT], warning=[])", "fires=[warning(above=5)]"),
            "nobody is told of A when it is warning",
        ),
    ],
    "idle-receiver": [
        (routed("Notify(critical=[CHAT], warning=[])", "", "CHAT, BELL"), "no alert reaches webhook bell"),
        (routed("Notify(critical=[CHAT], warning=[], info=[BELL])"), "to which domain bad leads, is not among the"),
        (routed("Notify(critical=[CHAT], warning=[], info=[MAIL])", "", "CHAT, MAIL"), "mail to a@b.org needs a mail"),
        (
            routed("Notify(critical=[CHAT], warning=[], info=[TWIN])", "", "CHAT, TWIN"),
            "there are two receivers named 'chat'",
        ),
    ],
    "blind-silence": [
        (
            "ONE, TWO = alert(), alert(name='B', fires=critical())\n"
            "ALERTS = (ONE, TWO)\nINHIBITIONS = (Inhibition(source=ONE, targets=[TWO], reason=''),)  # <-",
            "A would silence B, which is more severe",
        ),
        (
            "ONE, TWO = alert(), alert(name='B')\nALERTS = (ONE, TWO)\n"
            "THERE = Inhibition(source=ONE, targets=[TWO], reason='')  # <-\n"
            "INHIBITIONS = (THERE, Inhibition(source=TWO, targets=[ONE], reason=''))",
            "A silences B silences A: nobody would be told of any of them",
        ),
        (
            "ONE, TWO = alert(), alert(name='B')\nALERTS = (ONE, TWO)\n"
            "INHIBITIONS = (Inhibition(source=ONE, targets=[TWO], same=[SHADE], reason=''),)  # <-",
            "an inhibition compares 'shade', which its targets do not all have",
        ),
        (
            "ONE = alert(fires=critical())\nALERTS, BUDGETS = (ONE,), (budget(),)\n"
            "INHIBITIONS = (Inhibition(source=ONE, targets=[BUDGETS[0]], same=[CODE], reason=''),)  # <-",
            "an inhibition compares 'code', which its targets do not all have",
        ),
        (
            "ONE = alert(fires=critical())\nALERTS = (ONE,)\n"
            "INHIBITIONS = (Inhibition(source=ONE, targets=[WATCH], reason=''),)  # <-",
            "an inhibition names AppStandsStill, and there is no such alert",
        ),
    ],
    "late-silence": [
        (
            "STILL = alert(name='B', expr=changes(HEAT, '10m').equals(0), fires=info(hold='5m'))\n"
            "ALERTS = (alert(fires=info(hold='14m')), STILL)\n"
            "INHIBITIONS = (Inhibition(source=STILL, targets=[ALERTS[0]], reason=''),)  # <-",
            "B fires 15m after its cause at the earliest, and A, which it silences, after 14m",
        ),
        (
            "ONE, TWO = alert(fires=info(hold='1m')), alert(name='B', fires=info(hold='30s'))\nALERTS = (ONE, TWO)\n"
            "INHIBITIONS = (Inhibition(source=ONE, targets=[TWO], reason=''),)  # <-",
            "A fires 1m after its cause at the earliest, and B, which it silences, after 30s",
        ),
    ],
    "unheard-alert": [
        (
            "DAY = Hours(name='day', weekdays=['monday:friday'], begin='08:00', end='20:00', location='UTC')\n"
            + routed(
                "Notify(critical=[CHAT], warning=[CHAT], hours=DAY)",
                "fires=[warning(above=5, keep_firing='59h')]",
            ),
            "A may begin and end outside of the hours 'day', and nobody would hear of it when it is warning",
        ),
    ],
    # No check of an expanded catalog: nothing that goes down an expression may read these.
    "deep-expression": [
        (f"{NESTED}ALERTS = (alert(expr=X),)  # <-", "alert A is nested more than 100 deep"),
        (f"{NESTED}BOARDS = (board(rows=row(Stat(shows=X, title='T'))),)  # <-", "panel 'T' of board is nested"),
    ],
    # These are not checks: the definition cannot be built, or its file not be read.
    "definition": [
        ("ALERTS = (alert(expr=HEAT == 0),)  # <-", "the expression of alert A is False, not PromQL"),
        ("METRICS = (HITS, HEAT and WAIT)  # <-", "a PromQL expression has no truth value in Python"),
        ('ALERTS = (alert(fires=critical(above=1, hold="1 min")),)  # <-', "'1 min' is not a duration"),
        ("ALERTS = (alert(fires=critical(above=1, below=2)),)  # <-", "a level has one threshold, not 2"),
        ("ALERTS = (alert(summary=None),)", "summary of Alert(name='A') is None"),
        ("ALERTS = (alert(expr=sum_([HEAT])),)  # <-", "is not a PromQL expression"),
        ("ALERTS = (alert(expr=sum_(HEAT, by=ROUTE)),)  # <-", "the label 'route' stands alone"),
        ("ALERTS = (alert(expr=HEAT.where(ROUTE)),)  # <-", "where() of heat takes conditions on labels"),
        ("ALERTS = (alert(expr=HEAT.where(ROUTE.equals(5))),)  # <-", "value of Matcher is 5"),
        ("ALERTS = (alert(expr=HEAT.where(ROUTE.one_of(['a']))),)  # <-", "the label 'route' is matched with"),
        ("ALERTS = (alert(expr=HEAT.and_(5)),)  # <-", "5 is not a PromQL expression"),
        ("ALERTS = (alert(fires=critical(above=float('nan'))),)  # <-", "a threshold of nan is never reached"),
        ("BOARDS = (board(rows=row(Panel(shows=HEAT))),)  # <-", "a Panel has no kind"),
        ("BOARDS = (board(rows=row(Heatmap(of=HITS))),)  # <-", "of of Heatmap is Counter(name='hits_total'"),
        ("BOARDS = (board(rows=row(Stat(shows=HEAT, width=0))),)  # <-", "a panel of 0 x 4 does not fit"),
        ("ALERTS = (alert(summary='\\ud800.'),)  # <-", "summary of Alert(name='A') is '"),
        ("import dataclasses\nX = dataclasses.replace(HEAT, name='!!')  # <-", "'!!' is not a metric name"),
        ("ALERTS = (alert(expr=HEAT.ago(5)),)  # <-", "5 is not a duration"),
        ("METRICS = HITS", "metrics of Domain(name='bad') is Counter(name='hits_total'"),
        ("OTHER = Source(name='o', title='O', job='o', interval='0s')  # <-", "'0s' is no time at all"),
        (
            "X = Gauge(name='x', title='', help='', source=APP, labels=[CODE], limit=2)  # <-",
            "x cannot be limited to 2 series",
        ),
        (
            "X = Gauge(name='x', title='', help='', source=APP, labels=[ROUTE], limit=0)  # <-",
            "x cannot be limited to 0 series",
        ),
        (
            "X = partial(Agreement, name='x', title='', impact='', diagnosis=(), mitigation=())\n"
            "Y = X(one=HITS, other=BAD, within=5)  # <-",
            "x agrees within 5 of 20 events",
        ),
        (
            "X = partial(Agreement, name='x', title='', impact='', diagnosis=(), mitigation=())\n"
            "Y = X(one=HITS, other=BAD, by=[SHADE])  # <-",
            "x agrees by 'shade', which hits_total does not have",
        ),
        (
            "X = partial(Agreement, name='x', title='', impact='', diagnosis=(), mitigation=())\n"
            "Y = X(one=HITS, other=HEAT.where())  # <-",
            "heat is no counter",
        ),
        (
            "X = Inhibition(source=WATCH, targets=[alert()], lasting='5m', reason='')  # <-",
            "an inhibition by AppStandsStill cannot outlast it",
        ),
        ("X = Proof('X.', {HEAT: '1x9'}, weekday='Monday')  # <-", "'Monday' is no day of the week"),
        (
            "OTHER = Source(name='o', title='O', job='o', interval='1m')\n"
            "WATCHES = (SourceWatch(source=OTHER, key=HEAT, still_after=None, impact='', restart=''),)  # <-",
            "heat tells nothing about O",
        ),
        (
            "HOT = Gauge(name='hot', title='', help='', source=APP, states={'a': 1})  # <-",
            "states of Gauge(name='hot')",
        ),
        ("X = Exposure(status=Status.RENAMED)  # <-", "a renamed metric is called '' today"),
        ("X = Exposure(name='old')  # <-", "tells what a metric is today, and its status is exposed"),
        ("X = Exposure(status=Status.PLANNED, source=APP)  # <-", "its status is planned"),
        ("X = renamed(scale=0)  # <-", "values cannot be multiplied by 0"),
        ("X = renamed(scale=-1)  # <-", "values cannot be multiplied by -1"),
        ("X = renamed(labels={'a': 'b', 'b': 'a'})  # <-", "the labels of old change places"),
        ("X = renamed(labels={'a': 'c', 'b': 'c'})  # <-", "the labels of old change places"),
        ("X = renamed(adds={'a-b': 'c'})  # <-", "'a-b' is not a label name"),
        (
            "X = Gauge(name='old', title='', help='', source=APP, exposure=renamed())  # <-",
            "old is renamed to its own name",
        ),
        (
            "X = Gauge(name='x', title='', help='', source=APP, exposure=renamed(labels={'a': 'b'}))  # <-",
            "old is to have the label 'b', and x has no such label",
        ),
        (
            "TWICE = renamed(labels={'r': 'route'}, adds={'route': '/'})\n"
            "X = Gauge(name='x', title='', help='', source=APP, labels=[ROUTE], exposure=TWICE)  # <-",
            "the label 'route' of x has two sources",
        ),
        (
            "X = Gauge(name='x', title='', help='', source=APP, labels=[Label('renamed')], exposure=renamed())  # <-",
            "x declares the label 'renamed'",
        ),
        (
            "X = Histogram(name='x', title='', help='', source=APP, buckets=[1], exposure=renamed(scale=1000))  # <-",
            "the histogram x is multiplied by 1000",
        ),
        ("BOARDS = (board(rows=row('Stat')),)", "panels of Row is 'Stat'"),
        ('ALERTS = (alert(expr=sum_(HEAT, by=["route"])),)  # <-', "'route' is not a Label"),
        ("BUDGETS = (budget(objectives=[Objective(1)]),)  # <-", "an objective of 1 has no error budget"),
        ("BUDGETS = (budget(objectives=[Objective(0)]),)  # <-", "an objective of 0 is not between 0 and 1"),
        ("BUDGETS = (budget(objectives=[Objective(99.9)]),)  # <-", "an objective of 99.9 is not between 0 and 1"),
        ("BUDGETS = (budget(objectives=()),)  # <-", "budget b promises nothing"),
        (
            "BUDGETS = (budget(objectives=[Objective(0.9), Objective(0.8)]),)  # <-",
            "the objective of 0.9 of budget b leaves nothing to those after it",
        ),
        (
            "BUDGETS = (budget(objectives=[Objective(0.9, where=CODE.equals('200'))]),)  # <-",
            "budget b picks values of 'code', by which it does not count",
        ),
        ("BUDGETS = (budget(window='1h'),)  # <-", "a window of 1h is too short for a budget"),
        (
            "LONG = BurnRate(severity=Severity.CRITICAL, spends=0.5, long='8d', short='1h')\n"
            "BUDGETS = (budget(burn_rates=[LONG]),)  # <-",
            "the window of budget b, 7d, is not longer than its burn window of 8d",
        ),
        (
            "FAST = BurnRate(severity=Severity.CRITICAL, spends=0.5, long='30m', short='5m')\n"
            "BUDGETS = (budget(burn_rates=[FAST]),)  # <-",
            "budget b cannot burn 168 times too fast with an objective of 0.99: 168% of all events",
        ),
        ("X = BurnRate(severity=Severity.INFO, spends=2, long='1h', short='5m')  # <-", "a burn rate spends 2 of the"),
        ("X = BurnRate(severity=Severity.INFO, spends=0.1, long='1h', short='2h')  # <-", "the short window of a burn"),
        ("BUDGETS = (budget(by=[SHADE]),)  # <-", "budget b is by 'shade', which hits_total does not have"),
        (
            "OTHER = Counter(name='o_total', title='O', help='O', source=APP)\n"
            "BUDGETS = (budget(sli=Events(total=HITS, bad=OTHER)),)  # <-",
            "budget b is by 'route', which o_total does not have",
        ),
        ("X = Events(total=HITS)  # <-", "an SLI of events counts either the bad or the good ones"),
        ("X = Events(total=HITS, bad=HEAT)  # <-", "bad of an SLI of events is heat, a gauge, which counts nothing"),
        ("X = Events(total=HITS, bad=HITS)  # <-", "the bad events of an SLI are all its events"),
        (
            "X = Events(total=HITS.where(ROUTE.equals('a')), bad=HITS.where(CODE.equals('500')))  # <-",
            "the bad events of an SLI are no part of its total",
        ),
        ("X = Latency(of=WAIT, within=1.5)  # <-", "wait has no bucket of 1.5"),
        ("X = Latency(of=WAIT.count, within=9)  # <-", "wait has no bucket of 9"),
        ("X = TimeSlices(total=HEAT, good=HEAT)  # <-", "all minutes of an SLI are good ones"),
        ("X = Slack(name='s', channel='#a', url_file='https://hooks.slack.com/x')  # <-", "url_file of s is 'https:"),
        ("X = Slack(name='s', channel='alerts', url_file='/x')  # <-", "'alerts' is no channel of Slack"),
        ("X = PagerDuty(name='p', service='', routing_key_file='abc123')  # <-", "routing_key_file of p is 'abc123'"),
        ("X = Webhook(name='w', url='https://u:p@x.org/')  # <-", "url of w looks as if it held a secret (at x.org)"),
        ("X = Webhook(name='w', url='https://x.org/?token=1')  # <-", "url of w looks as if it held a secret"),
        ("X = Webhook(name='w', url='x.org')  # <-", "url of w is 'x.org'"),
        ("X = Email(name='e', to='nobody')  # <-", "'nobody' is no mail address"),
        ("X = Email(name='E x', to='a@b.org')  # <-", "'E x' is no name for a receiver"),
        (hours(location="Europe/Berlim"), "'Europe/Berlim' is no time zone"),
        (hours(begin="9:00"), "'9:00' is no time of day"),
        (hours(end="01:00"), "h ends at 01:00, before it begins at 08:00"),
        (hours(weekdays=["mon"]), "'mon' are no days of the week"),
        ("X = Notify(critical=['#alerts'], warning=())  # <-", "critical of Notify is '#alerts'"),
        (proving("{HEAT: '0+10y20'}"), "'0+10y20' is not in the notation of series"),
        (proving("{HEAT: '0+1x9999999'}"), "stands for 10,000,000 samples"),
        (proving("{HEAT: ''}"), "a series has no values"),
        (proving("{}"), "the proof 'P.' has no series"),
        (proving("{HEAT: '1'}, Firing(since='soon')"), "'soon' is not a duration"),
        (proving("{HEAT: '1'}, Firing(since='5m', until='1m')"), "a firing ends at 1m, before it begins at 5m"),
    ],
    "import": [
        ("ALERTS = (alert(expr=HETA),)  # <-", "NameError: name 'HETA' is not defined"),
        ("X = Severity.FATAL  # <-", "AttributeError: FATAL"),
        ("from .nowhere import SOMETHING  # <-", "ModuleNotFoundError: No module named 'nowhere'"),
        ("raise SystemExit(3)  # <-", "SystemExit: 3"),
        ("import sys\nsys.exit(0)  # <-", "SystemExit: 0"),
        ("raise KeyboardInterrupt  # <-", "KeyboardInterrupt"),
        (
            "X = HEAT\nfor n in range(500):\n    X = X + n\nALERTS = (alert(expr=X),)  # <-",
            "RecursionError: maximum recursion depth exceeded",
        ),
        (
            f"{NESTED}RECORDINGS = (Recording(name='a:x', expr=X, title='T', help='H'),)  # <-",
            "RecursionError: maximum recursion depth exceeded",
        ),
    ],
    "syntax": [("ALERTS = (alert(\nDOMAIN = ]  # <-", "not Python")],
    "wrong-type": [("", "DOMAIN is 'x', not a Domain")],
}
ALL = [(check, lines, message) for check, cases in CASES.items() for lines, message in cases]


def run(folder: Path, *options: str) -> Result:
    arguments = ["generate", "-d", str(folder / "definitions"), "-o", str(folder / "out"), *options]
    return CliRunner().invoke(main, arguments)


def write(folder: Path, name: str, lines: str, tail: str = TAIL) -> int:
    """Write a definition file and return the number of its marked line."""
    (folder / "definitions").mkdir(exist_ok=True)
    routing = f"from .{name} import RECEIVERS\nfrom obsgen.model import Routing\n" if "RECEIVERS" in lines else ""
    project = PROJECT
    if routing:
        # Somebody who is told of Prometheus itself.
        routing += "from obsgen.model import Notify, Webhook\nDESK = Webhook(name='desk', url='http://desk.org')\n"
        project = project.replace('title="Us")', 'title="Us", notify=Notify(critical=[DESK], warning=[DESK]))')
        given = "    routing=Routing(receivers=[DESK, *RECEIVERS], alertmanagers=()),\n)"
        project = project.rstrip().removesuffix(")") + given
    (folder / "definitions/project.py").write_text(routing + project)
    text = HEAD + lines + tail
    (folder / f"definitions/{name}.py").write_text(text)
    return next((n for n, line in enumerate(text.splitlines(), 1) if line.endswith("# <-")), 0)


@pytest.mark.parametrize(("check", "lines", "message"), ALL, ids=[f"{c}-{n}" for n, (c, _, _) in enumerate(ALL)])
def test_a_mistake_is_told_at_its_line(tmp_path: Path, check: str, lines: str, message: str) -> None:
    line = write(tmp_path, "bad", lines, tail="\nDOMAIN = 'x'\n" if check == "wrong-type" else TAIL)

    result = run(tmp_path)

    assert result.exit_code == 1, result.output
    place = f"bad.py:{line}: " if line else "bad.py:"
    said = [text for text in result.stderr.splitlines() if place in text and f"[{check}]" in text]
    assert len(said) == 1, result.stderr
    assert message in said[0]
    assert "1 problem; nothing was written" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


def test_every_check_has_a_case() -> None:
    assert {each.__name__.replace("_", "-") for each in CHECKS} <= set(CASES)


def test_the_head_of_the_cases_is_without_mistakes(tmp_path: Path) -> None:
    write(tmp_path, "good", "ALERTS = (alert(),)\nBOARDS = (board(rows=row(Stat(shows=HEAT)), filters=[ROUTE]),)")

    assert run(tmp_path).exit_code == 0


def test_all_mistakes_are_told_in_one_run_also_beside_a_broken_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        "first",
        'ALERTS = (alert(expr=rate(HEAT, "5m")), alert(name="B", expr=sum_(HEAT, by=[Label("rout")])))\nWATCHES = ()',
    )
    write(tmp_path, "second", "from .third import ALERTS")
    write(tmp_path, "third", "ALERTS = (HETA,)")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/kept").write_text("as it was")

    result = run(tmp_path)

    assert result.exit_code == 1
    assert "rate-of-gauge" in result.stderr
    assert "unknown-label" in result.stderr
    assert result.stderr.count("NameError: name 'HETA'") == 1, "a file that imports the broken one does not repeat it"
    assert "3 problems" in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["kept"]


def test_problems_are_told_to_machines_too(tmp_path: Path) -> None:
    line = write(tmp_path, "bad", 'ALERTS = (alert(expr=rate(HEAT, "5m")),)  # <-')

    result = run(tmp_path, "--format", "json")

    assert result.exit_code == 1
    [problem] = json.loads(result.stdout)["problems"]
    assert (problem["check"], problem["line"], Path(problem["file"]).name) == ("rate-of-gauge", line, "bad.py")


@pytest.mark.parametrize(("make", "message"), [(True, "has no definition files"), (False, "is not a folder")])
def test_a_folder_without_definitions_says_so(tmp_path: Path, make: bool, message: str) -> None:
    if make:
        (tmp_path / "definitions").mkdir()

    result = run(tmp_path)

    assert result.exit_code == 1
    assert message in result.stderr
    assert "--definitions DIR" in result.stderr


def test_two_projects_or_none_are_a_problem(tmp_path: Path) -> None:
    write(tmp_path, "good", "")
    (tmp_path / "definitions/other.py").write_text(PROJECT.replace('"bad"', '"other"'))
    assert "there are two projects, 'other' and 'bad'" in run(tmp_path).stderr

    (tmp_path / "definitions/other.py").unlink()
    (tmp_path / "definitions/project.py").unlink()
    assert "has a PROJECT [no-project]" in run(tmp_path).stderr


def test_a_change_within_the_same_second_is_seen(tmp_path: Path) -> None:
    """Python's byte-code cache goes by whole seconds and the size of the file."""
    for value in (1, 2, 3):
        write(tmp_path, "good", f"ALERTS = (alert(fires=critical(above={value})),)")
        assert run(tmp_path).exit_code == 0
        assert f"heat > {value}" in (tmp_path / "out/prometheus/rules/bad.yml").read_text()


def test_what_is_right_is_not_refused(tmp_path: Path) -> None:
    """Mixed-case uids, links to other pages of the docs' site, angle brackets, odd files beside the definitions."""
    write(
        tmp_path,
        "good",
        "ALERTS = (alert(description='See https://docs.example.org/index.md. Call `f[0](x)` on <node>.'),)\n"
        "BOARDS = (board(uid='MyBoard', rows=row(\n"
        "    Stat(shows=HEAT), Text(title='T', markdown='See https://docs.example.org/handbook/oncall.html'))),)",
    )
    (tmp_path / "definitions/.#good.py").symlink_to("nowhere")
    (tmp_path / "definitions/folder.py").mkdir()

    result = run(tmp_path)

    assert result.exit_code == 0, result.stderr
    assert "dashboards.md#myboard" in (tmp_path / "out/docs/runbooks/A.md").read_text()
    assert "<node>" not in (tmp_path / "out/docs/metrics/bad.md").read_text()


def test_a_name_that_its_exporter_chose_is_kept_with_the_reason(tmp_path: Path) -> None:
    """Lavalink really calls gauges so, and a part of a summary has its name from the summary."""
    write(
        tmp_path,
        "good",
        "more = partial(Gauge, help='', source=APP)\n"
        "METRICS = (HITS, BAD, HEAT, WAIT,\n"
        "    more(name='lavalink_players_total', title='P', unit=Unit.COUNT, misnomer='Lavalink calls a gauge so.'),\n"
        "    more(name='lavalink_cpu_load_percentage', title='L', unit=Unit.RATIO, misnomer='It is 0 to 1.'),\n"
        "    more(name='started_time_seconds', title='S', unit=Unit.TIMESTAMP),\n"
        "    Counter(name='call_seconds_sum', title='C', help='', source=APP, unit=Unit.SECONDS),\n"
        "    Counter(name='call_seconds_count', title='C', help='', source=APP),\n"
        ")",
    )

    result = run(tmp_path)

    assert result.exit_code == 0, result.stderr
    assert "Its name misleads. Lavalink calls a gauge so." in (tmp_path / "out/docs/metrics/bad.md").read_text()
    assert '"misnomer": "It is 0 to 1."' in (tmp_path / "out/catalog.json").read_text()


def test_what_is_not_known_to_be_a_share_may_have_any_threshold(tmp_path: Path) -> None:
    write(
        tmp_path,
        "good",
        "more = partial(Gauge, help='', source=APP, labels=(ROUTE,))\n"
        "LOAD, CORES = more(name='load1', title='L'), more(name='cores', title='C', unit=Unit.COUNT)\n"
        "USED, LIMIT = (more(name=n, title=n, unit=Unit.BYTES) for n in ('used_bytes', 'limit_bytes'))\n"
        "METRICS = (HITS, BAD, HEAT, WAIT, LOAD, CORES, USED, LIMIT)\n"
        "OFF = Recording(name='route:heat:deviation', expr=HEAT / scalar(avg(HEAT)) - 1, title='O', help='O')\n"
        "RECORDINGS = (OFF,)\n"
        "ALERTS = tuple(alert(name=f'A{n}', expr=expr, fires=info(above=1.5), description=f'{VALUE} of {THRESHOLD}')\n"
        "    for n, expr in enumerate((LOAD / CORES, CORES / LOAD, sum_(HITS) / sum_(BAD), USED / LIMIT, OFF,\n"
        "                              sum_(USED / LIMIT), USED / LIMIT * 100, 1 - HEAT / HEAT.ago('1w'))))",
    )

    assert run(tmp_path).exit_code == 0, run(tmp_path).stderr
    rules = (tmp_path / "out/prometheus/rules/bad.yml").read_text()
    texts = re.findall(r"description: ['\"]?(.*?)['\"]?\n", rules)
    plain, percent = "{{ $value | humanize }} of 1.5", "{{ $value | humanizePercentage }} of 150 %"
    hundred = '{{ $value | printf "%.4g" }}% of 1.5 %'
    assert texts[:8] == [plain, plain, plain, percent, percent, plain, hundred, percent]


def test_a_definition_that_goes_elsewhere_does_not_take_the_output_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "good", "import os\nos.chdir('/')\n")
    monkeypatch.chdir(tmp_path)

    assert CliRunner().invoke(main, ["generate"]).exit_code == 0
    assert (tmp_path / "generated/catalog.json").exists()


def test_a_mistake_in_a_file_that_all_others_import_is_the_only_one_told(tmp_path: Path) -> None:
    """No domain is left then, also where the project can be loaded."""
    write(tmp_path, "first", "")
    (tmp_path / "definitions/sources.py").write_text("from obsgen.promql import Source\n\nAPP = Sourc(name='app')\n")
    for name in ("first", "second"):
        (tmp_path / f"definitions/{name}.py").write_text(f"from .sources import APP\n{HEAD}{TAIL}")

    result = run(tmp_path)

    assert result.exit_code == 1
    assert "sources.py:3: NameError: name 'Sourc' is not defined [import]\n    did you mean 'Source'?" in result.stderr
    assert "1 problem; nothing was written" in result.stderr


@pytest.mark.parametrize("error", ["ValueError('x')", "SystemExit(0)", "KeyboardInterrupt"])
@pytest.mark.parametrize("tail", [TAIL, "\nDOMAIN = X()\n"])
def test_a_value_that_fails_to_say_what_it_is_is_told_by_its_type(tmp_path: Path, error: str, tail: str) -> None:
    write(tmp_path, "bad", f"class X:\n    def __repr__(self): raise {error}\nMETRICS = (X(),)\n", tail)

    result = run(tmp_path)

    assert result.exit_code == 1
    assert re.search(r"bad.py:\d+: .* is a X whose __repr__ fails", result.stderr)
    assert "1 problem; nothing was written" in result.stderr


def test_what_a_definition_raises_while_it_is_read_is_told_at_its_line(tmp_path: Path) -> None:
    """A class of its author's that stands in the catalog runs long after its file was imported."""
    line = write(
        tmp_path,
        "bad",
        "class Odd(Source):\n    @property\n    def live(self):\n        raise SystemExit(0)  # <-\n"
        "ODD = Odd(name='odd', title='Odd', job='odd', interval='30s')\n"
        "X = Gauge(name='x', title='X', help='X', source=ODD)\nMETRICS = (HITS, BAD, HEAT, WAIT, X)\n"
        "WATCHES = (WATCH, SourceWatch(source=ODD, key=X, still_after=None, impact='i', restart='r'))\n"
        "ALERTS = (alert(expr=X),)\n",
    )

    result = run(tmp_path)

    assert result.exit_code == 1, result.output
    assert f"bad.py:{line}: SystemExit: 0 [import]" in result.stderr


def test_what_fails_while_a_part_of_the_catalog_is_missing_does_not_hide_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("a part is missing")

    monkeypatch.setattr("obsgen.checks.check", fail)
    write(tmp_path, "good", "")
    (tmp_path / "definitions/other.py").write_text("X = HETA\n")

    result = run(tmp_path)

    assert result.exit_code == 1
    assert "other.py:1: NameError: name 'HETA' is not defined" in result.stderr
    assert "bug of obsgen" not in result.stderr


def test_ctrl_c_ends_the_run_also_while_a_definition_is_read(tmp_path: Path) -> None:
    write(tmp_path, "slow", "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n")

    result = run(tmp_path)

    assert result.exit_code == 1
    assert "Aborted!" in result.stderr
    assert "problem" not in result.stderr
