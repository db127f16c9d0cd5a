"""An exporter with the real prometheus_client: `exporter.py BOUND...`.

It prints its port. A line of JSON on its standard input says what happens: `{"jobs": 2, "failed": 1, "waits": [[5, 1]]}`.
"""

from __future__ import annotations

import json
import sys

from prometheus_client import Counter, Gauge, Histogram, start_http_server

JOBS = Counter("jobs_total", "Jobs.")
FAILED = Counter("jobs_failed_total", "Jobs that failed.", ["kind"])
READY = Gauge("ready", "Whether a part is ready.", ["part"])
WAIT = Histogram("wait_ms", "Wait.", buckets=[float(bound) for bound in sys.argv[1:]])
READY.labels("well").set(1)
READY.labels("ill").set(0)

server, _ = start_http_server(0, "127.0.0.1")
print(server.server_port, flush=True)  # noqa: T201
for line in sys.stdin:
    work = json.loads(line)
    JOBS.inc(work["jobs"])
    FAILED.labels("timeout").inc(work["failed"])
    for value, times in work["waits"]:
        for _ in range(times):
            WAIT.observe(value)
    print("done", flush=True)  # noqa: T201
