"""Small forms of names and durations."""

from __future__ import annotations

import re

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


def camel(name: str) -> str:
    """Return a name as CamelCase: `lavalink-node` is `LavalinkNode`."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^a-zA-Z0-9]+", name))


def slug(text: str) -> str:
    """Return a text as lower-case words with dashes between: `Shard Load & Health` is `shard-load-health`."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def titled(name: str) -> str:
    """Return a label's name as people write it: `shard_id` is `Shard id`."""
    return name.replace("_", " ").capitalize()


def duration(seconds: float) -> str:
    """Return seconds as a PromQL duration, to the millisecond: 5400 is `1h30m`."""
    rest, parts = round(seconds * 1_000), []
    for unit, size in _UNITS:
        amount, rest = divmod(rest, size)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"


def spoken(duration: str) -> str:
    """Return a PromQL duration as people say it: `1h30m` is `1 hour 30 minutes`."""
    words = {"y": "year", "w": "week", "d": "day", "h": "hour", "m": "minute", "s": "second", "ms": "millisecond"}
    parts = re.findall(r"(\d+)(ms|[ywdhms])", duration)
    return " ".join(f"{amount} {words[unit]}{'' if amount == '1' else 's'}" for amount, unit in parts if int(amount))


def plain_number(value: float) -> float | int:
    """Return a number without a needless fraction: 250.0 is 250."""
    return int(value) if value.is_integer() else value


def listed(items: list[str]) -> str:
    """Return words as a list in a sentence: `a, b and c`."""
    return f"{', '.join(items[:-1])} and {items[-1]}" if len(items) > 1 else "".join(items)


def outage(seconds: float) -> str:
    """Return how long something lasts, to three figures: 2592 is `43.2 minutes`."""
    for name, size, least in (("days", 86_400, 2), ("hours", 3_600, 2), ("minutes", 60, 1)):
        if seconds >= least * size:
            return f"{seconds / size:.3g} {name}"
    return f"{seconds:.3g} seconds"
