"""VectoBeat's services as they expose the contract's metrics: what each of them says at a moment."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from definitions import api, automation, concierge, lavalink, shards
from definitions.sources import BOT
from obsgen.promql import Histogram, Label
from obsgen.promql.metric import Metric
from tests.world.traffic import Flow, Timeline, noise, share_below

MINUTE, HOUR = 60.0, 3600.0

SHARDS = 12
SLOW_SHARD = 7
NODES = {"eu": ("eu-1", "eu-2"), "us": ("us-1", "us-2"), "apac": ("apac-1", "apac-2")}
REGIONS = tuple(NODES)
FAILED_NODE = "eu-2"
FAILING_ROUTE = api.CRITICAL_ROUTES[0]
ORDINARY_ROUTES = (
    "/api/blog",
    "/api/blog/[id]",
    "/api/blog/[id]/comments",
    "/api/bot/automation-actions",
    "/api/bot/metrics",
    "/api/concierge",
    "/api/concierge/[ticketId]/messages",
    "/api/control-panel/automation",
    "/api/control-panel/branding/assets/[assetId]",
    "/api/control-panel/lavalink/nodes",
    "/api/control-panel/lavalink/nodes/[id]",
    "/api/control-panel/lavalink/nodes/[id]/sessions",
    "/api/control-panel/server-settings/[guildId]/automation/rules",
    "/api/control-panel/server-settings/[guildId]/automation/rules/[ruleId]",
    "/api/forum/threads/[threadId]/posts",
    "/api/stripe/webhook",
    "/api/success-pod/requests/[requestId]/status",
)
FRAGILE_ROUTE = "/api/forum/threads/[threadId]/posts"
"""A route with errors all the time: it spends most of its budget, and not more."""
REFUSED = {"400": 0.015, "404": 0.008}
"""The share of the requests that are answered with each of these statuses: of the others, most are 200."""
FAILING_ACTION = str(automation.ACTION.values[0])

Value = Callable[[float], float]


@dataclass(frozen=True)
class Line:
    """A series.

    Attributes:
        name: as it is exposed.
        labels: those that the exporter sets.
        value: what it says at a time, in Unix seconds.
    """

    name: str
    labels: Mapping[str, str]
    value: Value


@dataclass(frozen=True)
class Family:
    """A metric with all its series."""

    metric: Metric
    lines: Sequence[Line]


def families(born: float, timeline: Timeline) -> tuple[Family, ...]:
    """Return all metrics of the contract.

    Args:
        born: when counting began, in Unix seconds.
        timeline: the incidents. What begins later counts, too.
    """
    return (
        *_shards(born),
        *_latencies(timeline),
        *_nodes(timeline),
        *_actions(born, timeline),
        *_requests(born, timeline),
        *_tickets(born, timeline),
    )


def is_up(job: str, at: float, timeline: Timeline) -> bool:
    """Return whether the exporter of a job answers."""
    return job != BOT.job or not timeline.active("bot-down", at)


def _family(metric: Metric, values: Mapping[tuple[str, ...], Value]) -> Family:
    """Return a metric whose series differ by the values of its labels, in their order."""
    return Family(metric, [Line(metric.name, _named(metric.labels, key), value) for key, value in values.items()])


def _named(labels: Sequence[Label], values: Sequence[str]) -> dict[str, str]:
    return {label.name: value for label, value in zip(labels, values, strict=True)}


def _counted(flow: Flow, share: float = 1.0) -> Value:
    return lambda at: math.floor(share * flow.total(at))


def _shards(born: float) -> Iterator[Family]:
    def guilds(number: int) -> Value:
        base = 980 + 9 * (number * 5 % SHARDS)
        return lambda at: base + math.floor((at - born) / 86_400 * 1.5 + 4 * math.sin(at / HOUR / 7 + number))

    numbers = range(SHARDS)
    yield _family(shards.GUILDS, {(str(n), REGIONS[n % len(REGIONS)]): guilds(n) for n in numbers})
    yield _family(shards.FAILOVERS, {(): _counted(Flow(1 / (40 * HOUR), swing=0, born=born))})


def _latencies(timeline: Timeline) -> Iterator[Family]:
    def latency(number: int) -> Value:
        def value(at: float) -> float:
            if number == SLOW_SHARD and timeline.active("slow-shard", at):
                return 900 + 15 * noise(at, number)
            return 62 + 3 * (number % 5) + 6 * math.sin(at / HOUR + number) + 8 * noise(at, number)

        return value

    yield _family(shards.LATENCY, {(str(n),): latency(n) for n in range(SHARDS)})


def _nodes(timeline: Timeline) -> Iterator[Family]:
    pairs = [(region, node) for region, nodes in NODES.items() for node in nodes]

    def failed(node: str, at: float) -> bool:
        return node == FAILED_NODE and timeline.active("node-down", at)

    def players(place: int, region: str, node: str) -> Value:
        flow = Flow(90 - 8 * place, peak=19 + 8 * REGIONS.index(region))
        return lambda at: 0 if failed(node, at) else math.floor(flow.pace(at) + 3 * noise(at, place))

    def latency(place: int, node: str) -> Value:
        # A node that does not answer costs the check its time-out.
        return lambda at: 5000.0 if failed(node, at) else 38 + 14 * place + 9 * noise(at, place)

    def health(node: str) -> Value:
        return lambda at: float(not failed(node, at))

    yield _family(lavalink.PLAYERS, {(r, n): players(place, r, n) for place, (r, n) in enumerate(pairs)})
    yield _family(lavalink.LATENCY, {(r, n): latency(place, n) for place, (r, n) in enumerate(pairs)})
    yield _family(lavalink.HEALTH, {(r, n): health(n) for r, n in pairs})


def _actions(born: float, timeline: Timeline) -> Iterator[Family]:
    flows = {
        str(action): Flow(240 / HOUR / (1 + place), born=born) for place, action in enumerate(automation.ACTION.values)
    }

    def failed(action: str, flow: Flow) -> Value:
        def value(at: float) -> float:
            more = timeline.during("automation-failing", flow, at) if action == FAILING_ACTION else 0.0
            return math.floor(0.004 * flow.total(at)) + math.floor(0.3 * more)

        return value

    yield _family(automation.ACTIONS, {(action,): _counted(flow) for action, flow in flows.items()})
    yield _family(automation.FAILED, {(action,): failed(action, flow) for action, flow in flows.items()})
    yield Family(
        automation.DURATION,
        [
            line
            for place, (action, flow) in enumerate(flows.items())
            for line in _histogram(automation.DURATION, (action,), _counted(flow), median=60.0 * 3**place, spread=0.9)
        ],
    )


def _histogram(
    metric: Histogram, values: Sequence[str], count: Value, *, median: float, spread: float, late: Value | None = None
) -> Iterator[Line]:
    """Yield the series of a histogram.

    Args:
        metric: the histogram.
        values: of its labels.
        count: how many observations there have been.
        median: of what is observed.
        spread: the standard deviation of its logarithm.
        late: how many there have been besides, each within the last bucket but one.
    """
    more = late or (lambda at: 0.0)
    labels = _named(metric.labels, values)
    last = sorted(metric.buckets)[-2]
    for bound in sorted(metric.buckets):
        share = share_below(bound, median, spread)

        def below(at: float, share: float = share, all_: bool = bound >= last) -> float:
            return math.floor(share * count(at)) + (more(at) if all_ else 0.0)

        yield Line(f"{metric.name}_bucket", labels | {"le": _bound(bound)}, below)
    mean = median * math.exp(spread * spread / 2)
    yield Line(f"{metric.name}_bucket", labels | {"le": "+Inf"}, lambda at: count(at) + more(at))
    yield Line(f"{metric.name}_sum", labels, lambda at: mean * count(at) + last * more(at))
    yield Line(f"{metric.name}_count", labels, lambda at: count(at) + more(at))


def _bound(bound: float) -> str:
    """Return a bucket's bound as Prometheus 3 writes it, so that what is scraped continues the history."""
    text = f"{bound:g}"
    return text if "e" in text or "." in text else f"{text}.0"


def _requests(born: float, timeline: Timeline) -> Iterator[Family]:
    requests: dict[tuple[str, ...], Value] = {}
    errors: dict[tuple[str, ...], Value] = {}
    for place, route in enumerate((*api.CRITICAL_ROUTES, *ORDINARY_ROUTES)):
        flow = Flow(0.8 / (1 + place % 9) ** 0.7, swing=0.3 + 0.05 * (place % 8), peak=16 + place % 6, born=born)
        # By a half at most they spend what the objectives allow.
        usual = 0.0008 if route == FRAGILE_ROUTE else 0.0001 * (1 + place % 5)
        answers = _answers(route, usual, flow, timeline)
        requests |= {(route, status): value for status, value in answers.items()}
        errors[(route,)] = _sum([value for status, value in answers.items() if status.startswith("5")])
    yield _family(api.REQUESTS, requests)
    yield _family(api.ERRORS, errors)


def _sum(values: Sequence[Value]) -> Value:
    return lambda at: sum(value(at) for value in values)


def _answers(route: str, usual: float, flow: Flow, timeline: Timeline) -> dict[str, Value]:
    """Return the counter of each status of a route, of whose requests a share usually fails."""
    shares = REFUSED | {"500": usual} | ({"401": 0.006} if "control-panel" in route else {})

    def failed(at: float) -> float:
        return 0.6 * timeline.during("api-5xx", flow, at) if route == FAILING_ROUTE else 0.0

    def other(share: float) -> Value:
        return lambda at: math.floor(share * (flow.total(at) - failed(at)))

    def error(share: float) -> Value:
        return lambda at: math.floor(share * (flow.total(at) - failed(at)) + failed(at))

    good = other(1 - sum(shares.values()))
    values = {status: error(share) if status == "500" else other(share) for status, share in shares.items()}
    return {"200": good, **values}


def _tickets(born: float, timeline: Timeline) -> Iterator[Family]:
    flow = Flow(4 / HOUR, swing=0.8, peak=13, born=born)
    # By the time a ticket takes to get into each of the states.
    after = dict(zip(map(str, concierge.STATUS.values), (0.0, 12 * MINUTE, 2 * HOUR), strict=True))

    def entered(delay: float) -> Value:
        return lambda at: math.floor(flow.total(at - delay))

    def violations(at: float) -> float:
        """Return how many tickets were too late: three as an incident begins, and one more every ten minutes."""
        spans = timeline.of("sla-violations")
        return float(sum(3 + (min(end, at) - begin) // (10 * MINUTE) for begin, end in spans if begin <= at))

    yield _family(concierge.REQUESTS, {(state,): entered(delay) for state, delay in after.items()})
    yield _family(concierge.VIOLATIONS, {(): violations})
    answered = entered(12 * MINUTE)
    response = concierge.RESPONSE_TIME
    lines = _histogram(response, (), answered, median=12 * MINUTE * 1000, spread=0.6, late=violations)
    yield Family(response, list(lines))
