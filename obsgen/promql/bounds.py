"""How client libraries write the bound of a histogram's bucket: the value of its label `le`.

There is no one notation: 3,600,000 is `3.6e+06` from Python and Go, `3600000` from Node and `3600000.0` from Java, and
Prometheus 3 rewrites what it scrapes to `3.6e+06`. A rule that names a bucket has to fit all of them.
"""

from __future__ import annotations

from decimal import Decimal

_JAVA_PLAIN = (1e-3, 1e7)
"""Between these Java's `Double.toString` writes no exponent."""
_NODE_PLAIN = (1e-6, 1e21)
"""Between these JavaScript's `Number.toString` writes no exponent."""
_SHORT = (1e-4, 1e6)
"""Between these Go's `strconv.FormatFloat(x, 'g', -1, 64)`, and Python's client after it, write no exponent."""


def notations(bound: float) -> tuple[str, ...]:
    """Return the texts that stand for a bucket's bound in an exposition or in a Prometheus, each once.

    Args:
        bound: the bound; not infinite (that is `+Inf` everywhere).

    Source: Python's `prometheus_client.utils.floatToGoString`; Go's `strconv` with the format `g`, and OpenMetrics'
    form of it (a point or an exponent), to which Prometheus 3 normalizes; JavaScript's `Number.prototype.toString`;
    Java's `Double.toString`.
    """
    digits, exponent = _decimal(bound)
    sign = "-" if bound < 0 else ""
    plain, scientific = _plain(digits, exponent), _scientific(digits, exponent)
    found = [plain, plain if "." in plain else f"{plain}.0"]
    size = abs(bound)
    # No client writes 0.005 as 5e-03, but other programs do that hand expositions on.
    if size >= _SHORT[1] or 0 < size < 1:
        found.append(scientific)
    if size and not _JAVA_PLAIN[0] <= size < _JAVA_PLAIN[1]:
        found.append(f"{digits[0]}.{digits[1:] or '0'}E{exponent}")
    if size and not _NODE_PLAIN[0] <= size < _NODE_PLAIN[1]:
        found.append(scientific.replace("e-0", "e-"))
    return tuple(dict.fromkeys(sign + text for text in found))


def _decimal(bound: float) -> tuple[str, int]:
    """Return the shortest digits of a number, and the power of ten of the first of them: 0.025 is `25` and -2."""
    # repr() has the shortest digits that mean the same number.
    exact = Decimal(repr(abs(float(bound))))
    return "".join(map(str, exact.as_tuple().digits)).rstrip("0") or "0", exact.adjusted() if exact else 0


def _plain(digits: str, exponent: int) -> str:
    if exponent < 0:
        return f"0.{'0' * (-exponent - 1)}{digits}"
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    return f"{whole}.{rest}" if (rest := digits[exponent + 1 :]) else whole


def _scientific(digits: str, exponent: int) -> str:
    point = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{point}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
