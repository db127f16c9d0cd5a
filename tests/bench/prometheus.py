"""A real Prometheus for tests: started on loopback, fed by remote write, asked over its API, stopped by its pid."""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
import time
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cramjam
import requests

from obsgen.prove.server import installed, passed_on

BEGIN = 1_704_067_200
"""Where test time begins, in Unix seconds: 2024-01-01, a Monday. Fixed, so that a test gives the same on every day, and
so long ago that its end has passed: since 2.54 Prometheus refuses samples of more than ten minutes ahead."""
APART = 100 * 86_400
"""Seconds between the times of two tests on one server: further than any window reaches back."""
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
"""The marker that Prometheus itself writes when a series ends."""

BATCH = 2_000_000
"""Bytes of a request, before they are compressed."""
CHUNK = 120
"""Samples of a chunk, in which Prometheus stores them."""

Points = tuple[Mapping[str, str], bytes, "array[float]"]
"""A series: its labels, `__name__` among them, its times as `stamps`, and its values."""
Series = Mapping[str, Iterable[tuple[float, float]]]
"""Samples as (seconds after the test's time begins, value), by series in PromQL notation: `up{job="a"}`."""


def direct() -> requests.Session:
    """Return a session that asks no proxy for what is on this machine."""
    session = requests.Session()
    session.trust_env = False
    return session


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    url: str
    folder: Path
    base: int = BEGIN
    session: requests.Session = field(default_factory=direct)

    def push(self, series: Series) -> None:
        """Write samples."""
        self.write(b"".join(_time_series(name, samples, self.base) for name, samples in series.items()))

    def load(self, series: Iterable[Points]) -> int:
        """Write series, however many; return the number of samples.

        The last sample of a long series goes in a request of its own. Until the next one Prometheus keeps the
        transaction of each sample, and looks through all of them whenever it opens a chunk: a hundred times slower.
        """
        waiting: list[bytes] = []
        last: list[Points] = []
        size = total = 0
        for labels, when, values in series:
            end = len(values) - (len(values) > CHUNK)
            waiting.append(encoded(labels, when[: STAMP * end], values[:end]))
            if end < len(values):
                last.append((labels, when[STAMP * end :], values[end:]))
            total += end
            size += len(waiting[-1])
            if size > BATCH:
                self.write(b"".join(waiting))
                size = 0
                waiting.clear()
        if waiting:
            self.write(b"".join(waiting))
        return total + (self.load(last) if last else 0)

    def write(self, body: bytes) -> None:
        """Write series that are `encoded`."""
        answer = self.session.post(
            f"{self.url}/api/v1/write",
            data=bytes(cramjam.snappy.compress_raw(body)),
            headers={"Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"},
            timeout=30,
        )
        assert answer.status_code == 204, answer.text

    def query(self, expr: str, at: float) -> list[dict[str, Any]]:
        """Return the result of an expression at a time."""
        params = {"query": expr, "time": str(self.base + at)}
        return list(self._get("query", params)["result"])

    def range(self, expr: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """Return the result of an expression over a time."""
        params = {"query": expr, "start": str(self.base + start), "end": str(self.base + end), "step": str(step)}
        return list(self._get("query_range", params)["result"])

    def cost(self, expr: str, at: float) -> tuple[int, float]:
        """Return how many samples an expression reads at a time, and the seconds that its evaluation takes."""
        stats = self._get("query", {"query": expr, "time": str(self.base + at), "stats": "all"})["stats"]
        return stats["samples"]["totalQueryableSamples"], stats["timings"]["evalTotalTime"]

    def understands(self, expr: str) -> bool:
        """Return whether the server can evaluate an expression: newer ones know more."""
        return self.session.post(f"{self.url}/api/v1/query", data={"query": expr, "time": str(self.base)}).ok

    def version(self) -> str:
        """Return the server's version; some builds know none."""
        return str(self._get("status/buildinfo", None)["version"] or "of no known version")

    def _get(self, what: str, params: Mapping[str, str] | None) -> dict[str, Any]:
        method = "GET" if params is None else "POST"
        answer = self.session.request(method, f"{self.url}/api/v1/{what}", data=params, timeout=60).json()
        assert answer["status"] == "success", answer
        return dict(answer["data"])


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _time_series(name: str, samples: Iterable[tuple[float, float]], base: int) -> bytes:
    metric, _, rest = name.partition("{")
    labels = dict(part.split("=", 1) for part in rest.rstrip("}").split(",") if part)
    pairs = {"__name__": metric, **{key: value.strip('"') for key, value in labels.items()}}
    pushed = list(samples)
    when = stamps(base + at for at, _ in pushed)
    return encoded(pairs, when, array("d", (value for _, value in pushed)))


STAMP = 6
"""Bytes of a time as `stamps` has it: milliseconds between 1971 and 2109 as a varint."""


def stamps(times: Iterable[float]) -> bytes:
    """Return Unix seconds as remote write has them. Series of one target share their times: encode them once."""
    return b"".join(_varint(round(at * 1000)) for at in times)


def encoded(labels: Mapping[str, str], when: bytes, values: array[float]) -> bytes:
    """Return a series, `__name__` among its labels, for `Prometheus.write`.

    All samples have the same length, so that their bytes can be laid in by column, without a loop over samples.
    """
    pairs = b"".join(_field(1, _field(1, k.encode()) + _field(2, v.encode())) for k, v in sorted(labels.items()))
    sample = b"\x12\x10\x09" + bytes(8) + b"\x10" + bytes(STAMP)
    out = bytearray(sample * len(values))
    for data, at, width in ((values.tobytes(), 3, 8), (when, 12, STAMP)):
        for byte in range(width):
            out[at + byte :: len(sample)] = data[byte::width]
    return _field(1, pairs + bytes(out))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def binary(given: str = "") -> str:
    """Return the server's binary: what is given, else what the environment says, else the one on PATH.

    Raises:
        PrometheusError: what is given is no program.
        SystemExit: there is none.
    """
    found = installed(given)
    if found is None:
        raise SystemExit("no prometheus on PATH; on Debian: apt-get install prometheus")
    return found


@contextlib.contextmanager
def running(
    folder: Path, program: str, config: str = "", flags: Sequence[str] = (), port: int = 0
) -> Iterator[Prometheus]:
    """Start a Prometheus with private storage below a folder, and stop it whatever happens.

    Args:
        folder: where its files are. Started there again, it has the samples that it had.
        program: its binary.
        config: what its configuration says besides.
        flags: further flags for it.
        port: where it listens; one that is free when left out.
    """
    port = port or free_port()
    path = folder / "prometheus.yml"
    path.write_text("storage: {tsdb: {out_of_order_time_window: 60d}}\n" + config)
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={path}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--web.enable-remote-write-receiver",
                "--storage.tsdb.retention.time=10y",
                *flags,
            ],
            stdout=out,
            stderr=out,
            env=passed_on(),
        )
        server = Prometheus(f"http://127.0.0.1:{port}", folder)
        try:
            _wait(server, process, log)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait(server: Prometheus, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(requests.ConnectionError):
            if server.session.get(f"{server.url}/-/ready", timeout=5).ok:
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
