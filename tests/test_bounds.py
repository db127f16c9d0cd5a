"""Buckets are found in whatever notation a client library wrote their bounds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.utils import floatToGoString

from obsgen.promql import Histogram
from obsgen.promql.bounds import notations
from obsgen.promql.text import render

# What Python, Go, Node, Java and Prometheus 3 write, from their own runs.
WRITTEN = {
    0.005: ("0.005", "0.005", "0.005", "0.005", "0.005"),
    0.00005: ("5e-05", "5e-05", "0.00005", "5.0E-5", "5e-05"),
    0.00000005: ("5e-08", "5e-08", "5e-8", "5.0E-8", "5e-08"),
    1: ("1.0", "1", "1", "1.0", "1.0"),
    250: ("250.0", "250", "250", "250.0", "250.0"),
    100_000: ("100000.0", "100000", "100000", "100000.0", "100000.0"),
    1_000_000: ("1e+06", "1e+06", "1000000", "1000000.0", "1e+06"),
    3_600_000: ("3.6e+06", "3.6e+06", "3600000", "3600000.0", "3.6e+06"),
    86_400_000: ("8.64e+07", "8.64e+07", "86400000", "8.64E7", "8.64e+07"),
}


@pytest.mark.parametrize("bound", WRITTEN)
def test_what_every_client_writes_fits(bound: float) -> None:
    assert set(WRITTEN[bound]) <= set(notations(bound))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_notation_is_the_same_number(bound: float) -> None:
    assert {float(text) for text in notations(bound)} == {bound}


@given(st.floats(min_value=1e-12, max_value=1e15))
def test_whatever_the_python_client_writes_fits(bound: float) -> None:
    assert floatToGoString(bound) in notations(bound)  # type: ignore[no-untyped-call]


def test_a_selector_fits_all_notations_of_its_bucket() -> None:
    waits = Histogram(name="wait_ms", title="Wait", help="Wait.", source=None, buckets=(2.5, 3_600_000))
    assert render(waits.bucket(3_600_000)) == r'wait_ms_bucket{le=~"3600000|3600000\\.0|3.6e\\+06"}'.replace(
        "3.6e", r"3\\.6e"
    )
    assert render(waits.bucket(2.5)) == 'wait_ms_bucket{le="2.5"}'
    assert render(waits.bucket(math.inf)) == 'wait_ms_bucket{le="+Inf"}'
