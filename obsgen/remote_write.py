"""Samples as the body of a remote-write request.

Source: the protobuf messages of version 1 (https://prometheus.io/docs/specs/prw/remote_write_spec/), packed with
snappy.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache

import cramjam

Labels = tuple[tuple[str, str], ...]
"""The labels of a series, `__name__` among them, sorted by name."""
Samples = Iterable[tuple[float, float]]
"""(Unix seconds, value)."""

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
"""The marker that Prometheus itself writes when a series ends: a NaN of its own."""
HEADERS = {"Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}

_LABELS, _SAMPLES, _SERIES = 1, 2, 1
_VALUE = b"\x09"
_TIMESTAMP = b"\x10"
_double = struct.Struct("<d").pack


def body(series: Mapping[Labels, Samples]) -> bytes:
    """Return the body of a request that writes samples."""
    written = b"".join(_field(_SERIES, _time_series(labels, samples)) for labels, samples in series.items())
    return bytes(cramjam.snappy.compress_raw(written))


def _time_series(labels: Labels, samples: Samples) -> bytes:
    parts = [_field(_LABELS, _field(1, name.encode()) + _field(2, value.encode())) for name, value in labels]
    parts.extend(_field(_SAMPLES, _VALUE + _double(value) + _stamp(at)) for at, value in samples)
    return b"".join(parts)


@lru_cache(maxsize=200_000)
def _stamp(at: float) -> bytes:
    # A time before 1970 is written as the two's complement of its 64 bits.
    return _TIMESTAMP + _varint(round(at * 1000) & 0xFFFF_FFFF_FFFF_FFFF)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, payload: bytes) -> bytes:
    size = len(payload)
    return bytes((number << 3 | 2,)) + (bytes((size,)) if size < 0x80 else _varint(size)) + payload
