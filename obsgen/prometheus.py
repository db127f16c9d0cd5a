"""A running Prometheus: samples in, results out."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

import requests

from obsgen.errors import ObsgenError
from obsgen.remote_write import HEADERS, Labels, Samples, body
from obsgen.secrets import address, excerpt, keep_address, redacted
from obsgen.style import printable

MOST_POINTS = 10_000
"""Steps of one range query: Prometheus refuses more than 11,000."""
_ADVICE = {
    "too far in the future": "its clock is wrong, since all proofs lie before 2020: set it",
    "out of order": "start it with storage.tsdb.out_of_order_time_window: 250y in its configuration",
    "out of bounds": "start it with storage.tsdb.out_of_order_time_window: 250y in its configuration",
    "too old": "start it with storage.tsdb.out_of_order_time_window: 250y in its configuration",
    "duplicate": "it has other samples at the times of the proofs: start it with an empty storage",
}
"""What helps, by what Prometheus says when it refuses samples."""


class PrometheusError(ObsgenError):
    """Prometheus cannot be started, or does not do what it is asked for."""


class Prometheus:
    """A running Prometheus.

    Args:
        url: where it is.
        folder: where its files are, if it is obsgen's own.

    Raises:
        PrometheusError: that is no address.
    """

    def __init__(self, url: str, folder: Path | None = None) -> None:
        keep_address(url)
        self.name = address(url.rstrip("/"))
        """For messages: a password in the address is none of theirs."""
        self.url, login = _parted(url.rstrip("/"), self.name)
        self.folder = folder
        # A proxy does not reach this machine's own addresses, whatever the environment says.
        host = urlsplit(self.url).hostname or ""
        self._proxies = {"no_proxy": host} if _is_loopback(host) else None
        self._session = requests.Session()
        self._session.auth = login
        for proxy in getproxies().values():
            keep_address(proxy)
        self._session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=16))

    def push(self, series: Mapping[Labels, Samples]) -> None:
        """Write samples.

        Raises:
            PrometheusError: Prometheus does not take them.
        """
        if not series:
            return
        answer = self._ask("POST", "/api/v1/write", data=body(series), headers=HEADERS)
        if answer.status_code == 404:
            raise PrometheusError(f"{self.name} takes no samples: start it with --web.enable-remote-write-receiver")
        if not answer.ok:
            said = answer.text.strip()
            advice = next((f"\n    {text}" for sign, text in _ADVICE.items() if sign in said), "")
            raise PrometheusError(
                f"{self.name} does not take samples: it answers {answer.status_code}, {excerpt(said, 200)}{advice}"
            )

    def range(self, expr: str, start: float, end: float, step: float) -> list[tuple[dict[str, str], Samples]]:
        """Return the series of an expression at every step from start to end (Unix seconds, both included).

        Raises:
            PrometheusError: Prometheus cannot evaluate it.
        """
        found: dict[Labels, tuple[dict[str, str], list[tuple[float, float]]]] = {}
        while start <= end:
            last = min(end, start + step * (MOST_POINTS - 1))
            params = {"query": expr, "start": f"{start:.3f}", "end": f"{last:.3f}", "step": f"{step:.3f}"}
            for each in self.get("query_range", params)["result"]:
                key = tuple(sorted(each["metric"].items()))
                samples = found.setdefault(key, (each["metric"], []))[1]
                samples.extend((float(at), float(value)) for at, value in each["values"])
            start = last + step
        return list(found.values())

    def instant(self, expr: str, at: float | None = None) -> list[dict[str, Any]]:
        """Return the series of an expression at a time, now when left out.

        Raises:
            PrometheusError: Prometheus cannot evaluate it.
        """
        params = {"query": expr} | ({} if at is None else {"time": f"{at:.3f}"})
        return list(self.get("query", params)["result"])

    def get(self, what: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Return the data of an answer of Prometheus' API.

        Raises:
            PrometheusError: it is none.
        """
        answer = self._ask("POST", f"/api/v1/{what}", data=params)
        try:
            said = answer.json()
        except ValueError:
            raise PrometheusError(
                f"{self.name} is no Prometheus: it answered {excerpt(answer.text.strip(), 80)}"
            ) from None
        if said.get("status") != "success":
            raise PrometheusError(
                f"Prometheus refuses {params.get('query', what)}: {printable(redacted(str(said.get('error', said))))}"
            )
        return dict(said["data"])

    def retention(self) -> str:
        """Return how long it keeps its data, as it says it: `15d`, `15d or 50GB`; empty where it does not say."""
        try:
            return str(self._ask("GET", "/api/v1/status/runtimeinfo").json()["data"]["storageRetention"])
        except (ValueError, KeyError, TypeError):
            return ""

    def reload(self) -> None:
        """Make it read its rules again.

        Raises:
            PrometheusError: it does not take them.
        """
        answer = self._ask("POST", "/-/reload")
        if not answer.ok:
            raise PrometheusError(
                f"Prometheus does not take the rules: {printable(redacted(answer.text.strip())[:300])}"
            )

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that its own rules have raised."""
        return list(self._ask("GET", "/api/v1/alerts").json()["data"]["alerts"])

    def ready(self) -> bool:
        """Return whether it answers."""
        with contextlib.suppress(requests.RequestException):
            return self._session.get(f"{self.url}/-/ready", timeout=5, proxies=self._proxies).ok
        return False

    def _ask(self, method: str, path: str, **what: Any) -> requests.Response:
        try:
            return self._session.request(method, self.url + path, timeout=120, proxies=self._proxies, **what)
        except requests.RequestException as error:
            raise PrometheusError(
                f"Prometheus at {self.name} does not answer: {printable(redacted(_reason(error)))}"
            ) from None


def _parted(url: str, name: str) -> tuple[str, tuple[str, str] | None]:
    """Return a URL without its user info, and that. What requests says of a URL has all of it in it.

    Raises:
        PrometheusError: it cannot be used.
    """
    scheme, _, rest = url.partition("://")
    info, at, place = rest.rpartition("@")
    try:
        parts = urlsplit(f"{scheme}://{place}")
        wrong = scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:
        wrong = True
    if wrong or not place.isprintable() or re.search(r"[?#\s]", place):
        raise PrometheusError(f"{name!r} is not the address of a Prometheus\n    write http://localhost:9090")
    if not at:
        return url, None
    if re.search(r"[/?#\[\]\s]", info):
        hint = "percent-encode the characters / ? # [ ] and spaces in the user and the password: / is %2F"
        raise PrometheusError(f"the address {name!r} has characters before its @ that have a meaning there\n    {hint}")
    user, _, password = info.partition(":")
    return f"{scheme}://{place}", (unquote(user), unquote(password))


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def _reason(error: requests.RequestException) -> str:
    """Return why a request failed, without the layers around it."""
    inner = error.args[0] if error.args else error
    text = str(getattr(inner, "reason", inner))
    return text.rsplit(": ", 1)[-1].split("] ")[-1].rstrip(")") if "refused" in text or "resolve" in text else text
