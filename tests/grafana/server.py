"""The socket before a Grafana, real or not, with weather of its own: what goes wrong on the way, and when."""

from __future__ import annotations

import email.utils
import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from tests.grafana.double import Reply, Request

Backend = Callable[[Request], Reply]
Weather = Callable[[Request], "str | None"]
"""Says for each request what goes wrong with it: a name of `FAULTS`; None for nothing."""
PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"

BEFORE = ("429", "429 date", "500", "502", "503", "504", "reset")
"""Faults of requests that Grafana never gets."""
AFTER = ("lost", "cut", "late 502")
"""Faults of answers to what Grafana has done."""
FAULTS = (*BEFORE, *AFTER)


class Server:
    """A socket on loopback.

    Args:
        backend: answers.
        weather: what goes wrong.
        latency: seconds before each answer.
    """

    def __init__(self, backend: Backend, weather: Weather | None = None, latency: float = 0.0) -> None:
        self.backend = backend
        self.weather = weather
        self.latency = latency
        self.zips = False
        self.requests: list[Request] = []
        self.open = 0
        self.most_open = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def handle_request(self) -> None:
                outer.handle(self)

            do_GET = do_POST = do_PUT = do_DELETE = handle_request  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                """Print nothing."""

        class Sockets(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Print nothing: clients may be killed."""

        self._server = Sockets(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.01), daemon=True)

    def encrypt(self, certificate: Path) -> None:
        """Speak TLS, with a certificate and its key."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = self.url.replace("http://", "https://")

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        request = Request(handler.command, handler.path, dict(handler.headers), body)
        with self._lock:
            self.requests.append(request)
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            # One at a time, so that the weather of a run can be told beforehand.
            fault = self.weather(request) if self.weather else None
        try:
            self._answer(handler, request, fault, time.monotonic() + self.latency)
        finally:
            with self._lock:
                self.open -= 1

    def _answer(self, handler: BaseHTTPRequestHandler, request: Request, fault: str | None, at: float) -> None:
        if fault == "reset":
            return _reset(handler)
        if fault == "drip":
            return _drip(handler)
        if fault in BEFORE or fault in ("redirect", "login page"):
            return _send(handler, _weathered(fault))
        reply = self.backend(request)
        # What the double itself takes is a part of the latency.
        time.sleep(max(0.0, at - time.monotonic()))
        if fault == "lost":
            return _reset(handler)
        if fault == "late 502":
            reply = Reply(502, PAGE, {"Content-Type": "text/html"})
        _send(handler, reply, cut=fault == "cut", zipped=self.zips)

    def asked(self, method: str, path: str = "") -> list[Request]:
        """Return the requests with a method, and a path that begins so."""
        return [r for r in self.requests if r.method == method and r.path.startswith(path)]


def _weathered(fault: str) -> Reply:
    page = {"Content-Type": "text/html"}
    if fault == "429":
        return Reply(429, {"message": "too many requests"}, {"Retry-After": "0"})
    if fault == "429 date":
        return Reply(429, PAGE, {"Retry-After": email.utils.formatdate(time.time(), usegmt=True), **page})
    if fault == "500":
        return Reply(500, {"message": "database is locked", "traceID": "0"})
    if fault == "redirect":
        return Reply(302, b"", {"Location": "/login"})
    if fault == "login page":
        return Reply(200, b"<!doctype html><html><title>Sign in</title></html>", page)
    return Reply(int(fault), PAGE, page)


def _send(handler: BaseHTTPRequestHandler, reply: Reply, *, cut: bool = False, zipped: bool = False) -> None:
    body, headers = reply.body, {"Content-Type": "application/json; charset=UTF-8", **reply.headers}
    if zipped and len(body) > 200:
        body, headers = gzip.compress(body, 1), {**headers, "Content-Encoding": "gzip"}
    handler.send_response(reply.status)
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2] if cut else body)
    handler.wfile.flush()
    if cut:
        _reset(handler)


def _drip(handler: BaseHTTPRequestHandler) -> None:
    """Answer a byte at a time, for some seconds."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    try:
        for _ in range(200):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.02)
    except OSError:
        return
    finally:
        _reset(handler)


def _reset(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    try:
        handler.connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def forwarded(url: str) -> Backend:
    """Return a backend that is another server."""
    session = requests.Session()
    session.trust_env = False

    def answer(request: Request) -> Reply:
        headers = {
            k: v for k, v in request.headers.items() if k.lower() not in ("host", "accept-encoding", "connection")
        }
        got = session.request(
            request.method, url + request.target, headers=headers, data=request.body, allow_redirects=False, timeout=60
        )
        kept = {k: v for k, v in got.headers.items() if k in ("Location", "Retry-After", "Content-Type")}
        return Reply(got.status_code, got.content, kept)

    return answer


@contextmanager
def serving(backend: Backend, weather: Weather | None = None) -> Iterator[Server]:
    """Run a server for a while."""
    with Server(backend, weather) as server:
        yield server


def said(reply: requests.Response) -> dict[str, Any]:
    """Return the JSON of an answer that has to be one."""
    assert reply.ok, reply.text
    found: dict[str, Any] = json.loads(reply.content)
    return found
