"""A Prometheus to prove on: one that obsgen starts for itself and takes away again, or one that is given."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from obsgen.prometheus import Prometheus, PrometheusError

BINARY = "OBSGEN_PROMETHEUS"
"""Environment variable with the path of the Prometheus to start."""
HOW_TO_GET_ONE = (
    "on Debian or Ubuntu: apt-get install prometheus; elsewhere put the binary of "
    "https://prometheus.io/download/ on PATH, name it with --prometheus-binary PATH, or name a running one with "
    "--prometheus URL"
)
_PASSED_ON = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ")
"""Variables that a server sees: there may be secrets in the others."""
PATIENCE = 20.0
"""Seconds for a Prometheus to get ready."""
_CONFIG = "storage: {tsdb: {out_of_order_time_window: 250y}}\nrule_files: [rules/*.yml]\n"
# Ends with its starter, whatever becomes of that: the pipe to it closes, and then Prometheus and its folder go.
_KEEPER = """
exec 3<&0
"$@" <&- 3<&- & pid=$!
{ cat >/dev/null; kill -9 $pid; } <&3 2>/dev/null & watch=$!
wait $pid
: >"$FOLDER/ended"
wait $watch
rm -rf "$FOLDER"
"""


def passed_on() -> dict[str, str]:
    """Return what a server sees of the environment."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def installed(binary: str = "") -> str | None:
    """Return the path of the Prometheus to start, None where there is none.

    Args:
        binary: its path; when left out, that in the environment variable OBSGEN_PROMETHEUS, else the one on PATH.

    Raises:
        PrometheusError: the path that was named is not that of a program.
    """
    named = binary or os.environ.get(BINARY, "")
    found = shutil.which(named or "prometheus")
    if named and not found:
        where = "--prometheus-binary" if binary else BINARY
        raise PrometheusError(f"{where} names {named!r}, which is no executable file\n    name the binary itself")
    return found


@contextlib.contextmanager
def given(url: str) -> Iterator[Prometheus]:
    """Use a Prometheus that runs already.

    Raises:
        PrometheusError: it does not answer.
    """
    server = Prometheus(url)
    if not server.ready():
        raise PrometheusError(f"there is no Prometheus at {server.name}")
    yield server


@contextlib.contextmanager
def running(flags: tuple[str, ...] = (), binary: str = "") -> Iterator[Prometheus]:
    """Start a Prometheus on loopback with a private folder; stop it and remove the folder, whatever happens.

    Args:
        flags: further flags for it.
        binary: its path, as of `installed`.

    Raises:
        PrometheusError: there is none to start, or it does not start.
    """
    program = installed(binary)
    if program is None:
        raise PrometheusError(f"there is no prometheus on PATH to prove the rules on\n    {HOW_TO_GET_ONE}")
    # Another program may take the port between its choice and its use.
    for left in (2, 1, 0):
        folder = Path(tempfile.mkdtemp(prefix="obsgen-prove-"))
        keeper, server = _start(program, folder, flags)
        try:
            if _wait(server, folder):
                with _ended_by_signals():
                    yield server
                return
            said = _log(folder)
        finally:
            _stop(keeper, folder)
        if not left:
            raise PrometheusError(f"Prometheus does not start ({program})\n{said}")


def _start(binary: str, folder: Path, flags: tuple[str, ...]) -> tuple[subprocess.Popen[bytes], Prometheus]:
    (folder / "rules").mkdir()
    (folder / "prometheus.yml").write_text(_CONFIG, encoding="utf-8")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [
        binary,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        "--web.enable-lifecycle",
        "--storage.tsdb.retention.time=99y",
        # The times of the proofs are years apart: without these it would be busy cutting blocks.
        "--storage.tsdb.min-block-duration=99y",
        "--storage.tsdb.max-block-duration=99y",
        "--query.max-samples=200000000",
        *flags,
    ]
    with (folder / "log").open("wb") as log:
        keeper = subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=passed_on() | {"FOLDER": str(folder)},
            start_new_session=True,
        )
    return keeper, Prometheus(f"http://127.0.0.1:{port}", folder)


def _wait(server: Prometheus, folder: Path) -> bool:
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE and not (folder / "ended").exists():
        if server.ready():
            return True
        time.sleep(0.03)
    return False


def _stop(keeper: subprocess.Popen[bytes], folder: Path) -> None:
    assert keeper.stdin is not None
    keeper.stdin.close()
    try:
        keeper.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(keeper.pid, signal.SIGKILL)
        keeper.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _log(folder: Path) -> str:
    said = (folder / "log").read_text(encoding="utf-8", errors="replace").splitlines()
    lines = [line for line in said if "err" in line.lower()] or said
    return "\n".join(f"    {line}" for line in lines[-5:])


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the run as Ctrl-C does, so that what was started is stopped."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    try:
        before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
