"""Requests to Grafana that hold in bad weather: limits on time, retries, one clear error for each way to fail.

What only reads is tried again by itself. What writes is tried again here only where Grafana cannot have done it (it
refused to, or was never reached); else `Unsure` is raised, and the writer looks before it writes again.
"""

from __future__ import annotations

import email.utils
import http.client
import http.cookiejar
import json
import os
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests
import urllib3
from requests.adapters import HTTPAdapter

from obsgen.grafana.errors import Down, GrafanaError, Refused, Unsure
from obsgen.grafana.settings import Environment
from obsgen.grafana.state import parsed
from obsgen.secrets import excerpt, keep_address, redacted
from obsgen.style import printable

CONNECT_SECONDS = 10.0
"""Longest time to get a connection."""
READ_SECONDS = 30.0
"""Longest silence of the server."""
ANSWER_SECONDS = 90.0
"""Longest time for the whole of an answer, however steadily it drips."""
LARGEST = 64 * 2**20
"""Bytes of the longest answer that is read."""
TITLED = 2_000
"""Characters of a web page within which its title is looked for."""
SAID = 3
"""Failures of one request after which people are told."""
AGAIN = frozenset({429, 500, 502, 503, 504})
"""Statuses after which a request may be made again."""
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often, and after what pauses, a request is made again.

    The pauses double and are drawn at random up to their length, so that several clients do not come back together.

    Attributes:
        attempts: how often a request is made at most.
        first_contact: how often, as long as no server has ever answered.
        base: seconds of the longest first pause.
        longest: seconds of the longest pause.
        told: seconds of the longest pause that a server may ask for.
        sleep: waits for some seconds.
    """

    attempts: int = 8
    first_contact: int = 3
    base: float = 0.25
    longest: float = 8.0
    told: float = 60.0
    sleep: Callable[[float], None] = field(default=time.sleep, compare=False)

    def pause(self, failures: int, told: float | None = None) -> None:
        """Wait after some failures; as long as the server told, where it did."""
        drawn = random.uniform(0, min(self.longest, self.base * 2.0 ** (failures - 1)))
        self.sleep(drawn if told is None else told + min(drawn, self.base))


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its status, headers and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether Grafana did what it was asked for."""
        return 200 <= self.status < 300

    def told(self) -> float | None:
        """Return the seconds after which the server wants to be asked again; None where it does not say."""
        text = self.headers.get("Retry-After", "").strip()
        if re.fullmatch(r"\d+", text):
            return float(text)
        try:
            at = email.utils.parsedate_to_datetime(text).timestamp()
        except (TypeError, ValueError):
            return None
        return max(0.0, at - time.time())


class Transport:
    """Requests to one Grafana, from as many threads as it has connections.

    Args:
        environment: where it is, and who asks.
        patience: how often a request is made again.
    """

    def __init__(self, environment: Environment, patience: Patience | None = None) -> None:
        self.environment = environment
        self.patience = patience or Patience()
        self.sent = 0
        self.says: Callable[[str], None] = lambda _: None
        """Is told why it takes so long."""
        self._met = False
        self._answered = 0
        self._down = ""
        self._lock = threading.Lock()
        self._headers = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", **environment.headers()}
        self._session = self._prepared()
        self._how: dict[str, Any] = {
            "stream": True,
            "timeout": (CONNECT_SECONDS, READ_SECONDS),
            "allow_redirects": False,
            "verify": self._session.verify,
            "proxies": self._session.proxies,
        }

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """Return the JSON of an answer; asks again while that may help.

        Raises:
            Refused: Grafana says no.
            GrafanaError: there is no answer, or none of Grafana's.
        """
        for failures in range(1, self.patience.attempts + 1):
            answered = self._answered
            try:
                answer = self._send("GET", path, params=params)
                if answer.status not in AGAIN:
                    return self._json("GET", path, answer)
                error: GrafanaError = self._refusal("GET", path, answer)
            except Unsure as broken:
                answer, error = None, broken
            if self._out_of_patience(failures):
                self._raise(error, answered)
            if failures >= SAID:
                self.says(f"waiting: {str(error).splitlines()[0]}")
            self.patience.pause(failures, self._told(answer, error))
        raise error

    def write(self, method: str, path: str, body: Any = None, params: Mapping[str, str] | None = None) -> Any:
        """Return the JSON of the answer to a write; it is not made twice.

        Raises:
            Refused: Grafana says no, and has done nothing.
            Unsure: it may be done or not.
            GrafanaError: there is no answer of Grafana's.
        """
        for failures in range(1, self.patience.attempts + 1):
            answer = self._send(method, path, params=params, body=body)
            if answer.status != 429:
                break
            if not self._out_of_patience(failures):
                self.patience.pause(failures, self._told(answer, self._refusal(method, path, answer)))
        if answer.status >= 500:
            raise Unsure(str(self._refusal(method, path, answer)))
        try:
            return self._json(method, path, answer)
        except _Garbled as error:
            raise Unsure(str(error)) from None

    def _out_of_patience(self, failures: int) -> bool:
        return failures >= (self.patience.attempts if self._met else self.patience.first_contact)

    def _raise(self, error: GrafanaError, answered: int) -> None:
        """Raise an error; when nothing else was answered meanwhile either, Grafana is down for all that follows."""
        if isinstance(error, Unsure):
            if self._answered == answered:
                self._down = str(error)
            raise GrafanaError(str(error)) from None
        raise error

    def _told(self, answer: Answer | None, error: GrafanaError) -> float | None:
        told = answer.told() if answer is not None else None
        if told is not None and told > self.patience.told:
            raise GrafanaError(f"{error}\n    it asks to come back after {told:.0f} s: try again then")
        return told

    def _prepared(self) -> requests.Session:
        session = requests.Session()
        environment = self.environment
        # Read once: requests would look for proxies and passwords before each request.
        session.trust_env = False
        # It would read a Location that is not followed, and fail at one that is no URL.
        session.get_redirect_target = lambda _: None  # type: ignore[method-assign, assignment]
        session.proxies.update(requests.utils.get_environ_proxies(environment.url))
        for proxy in session.proxies.values():
            keep_address(proxy)
        session.verify = environment.ca_cert or os.environ.get("REQUESTS_CA_BUNDLE") or True
        session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=environment.connections, pool_block=True)
        session.mount(environment.url, adapter)
        return session

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None,
        body: Any = None,
    ) -> Answer:
        """Return the answer to a request that is made once.

        Raises:
            Unsure: there is none.
        """
        if self._down:
            raise Down(self._down)
        with self._lock:
            self.sent += 1
        try:
            with self._session.send(self._request(method, path, params, body), **self._how) as response:
                answer = Answer(response.status_code, response.headers, _read(response))
        except _BROKEN as error:
            raise Unsure(f"{self.environment.url}: {printable(redacted(_reason(error)))}") from None
        self._met = True
        if answer.status < 500:
            with self._lock:
                self._answered += 1
        return answer

    def _request(self, method: str, path: str, params: Mapping[str, str] | None, body: Any) -> requests.PreparedRequest:
        """Return a request as it is sent. To let requests prepare it takes as long as to send it."""
        made = requests.PreparedRequest()
        made.method = method
        made.url = self.environment.url + path + (f"?{urlencode(params)}" if params else "")
        made.headers = requests.structures.CaseInsensitiveDict(self._headers)
        made.hooks = requests.hooks.default_hooks()
        made.prepare_cookies({})
        if body is not None:
            made.body = json.dumps(body).encode()
            made.headers["Content-Type"] = "application/json"
            made.headers["Content-Length"] = str(len(made.body))
        return made

    def _json(self, method: str, path: str, answer: Answer) -> Any:
        """Return the JSON of an answer.

        Raises:
            Refused: Grafana says no.
            GrafanaError: the answer is not Grafana's.
        """
        if not answer.ok:
            raise self._refusal(method, path, answer)
        if not answer.body.strip():
            return None
        try:
            return parsed(answer.body)
        except ValueError:
            if answer.body.lstrip()[:1] in (b"{", b"["):
                raise _Garbled(f"{self._asked(method, path)}: the answer ends in the middle of its JSON") from None
            raise GrafanaError(self._foreign(method, path, answer)) from None

    def _refusal(self, method: str, path: str, answer: Answer) -> GrafanaError:
        if 300 <= answer.status < 400:
            return GrafanaError(self._redirected(method, path, answer))
        try:
            said = parsed(answer.body)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            return Refused(self._foreign(method, path, answer), answer.status, foreign=True)
        message = printable(redacted(str(said.get("message") or said.get("title") or "no reason given")))
        reason = str(said.get("status") or said.get("messageId") or said.get("reason") or "")
        text = f"{self._asked(method, path)}: {answer.status}, {message}{_HINTS.get(answer.status, '')}"
        return Refused(text, answer.status, reason)

    def _redirected(self, method: str, path: str, answer: Answer) -> str:
        to = answer.headers.get("Location", "elsewhere")
        hint = "a login stands in front of Grafana's API" if "login" in to else f"is {self.environment.url} right?"
        asked, shown = self._asked(method, path), printable(redacted(to))
        return f"{asked} is redirected to {shown}; obsgen does not follow, to keep its token\n    {hint}"

    def _foreign(self, method: str, path: str, answer: Answer) -> str:
        text = answer.body.decode("utf-8", "replace")
        titled = re.search(r"<title[^>]*>\s*(.*?)\s*</title>", text[:TITLED], re.IGNORECASE | re.DOTALL)
        shown = (
            f"a web page, {excerpt(titled[1], 80)}"
            if titled
            else excerpt(text.strip(), 80)
            if text.strip()
            else "nothing"
        )
        hint = "is the address right, is a login or a proxy in front of Grafana?"
        if answer.status == 413:
            hint = "a proxy in front of Grafana limits the size of requests: raise its limit"
        elif answer.status >= 500:
            hint = "a proxy in front of Grafana does not reach it"
        return f"{self._asked(method, path)}: {answer.status} with {shown}, which is not Grafana's API\n    {hint}"

    def _asked(self, method: str, path: str) -> str:
        return f"{method} {self.environment.url}{path}"


class _Garbled(Unsure):
    """An answer that is cut off."""


_HINTS = {
    401: "\n    the token or password is not valid here: expired, revoked, or of another Grafana or organisation",
    403: "\n    give the service account the role Editor, or the permission that is named",
}


def _read(response: requests.Response) -> bytes:
    """Return the body of an answer, unless it takes too long or is too large."""
    until = time.monotonic() + ANSWER_SECONDS
    parts, size = [], 0
    while part := response.raw.read1(2**18, decode_content=True):
        parts.append(part)
        size += len(part)
        if time.monotonic() > until:
            raise requests.Timeout(f"the answer takes longer than {ANSWER_SECONDS:.0f} s")
        if size > LARGEST:
            raise requests.RequestException(f"the answer is larger than {LARGEST // 2**20} MB")
    return b"".join(parts)


def _reason(error: BaseException) -> str:
    """Return why a request failed, as people say it."""
    text = str(error)
    known = {
        "Name or service not known": "there is no host of this name",
        "Temporary failure in name resolution": "there is no host of this name",
        "nodename nor servname provided": "there is no host of this name",
        "Connection refused": "nothing listens there (connection refused)",
        "CERTIFICATE_VERIFY_FAILED": "its certificate is not trusted: name the authority's file as ca_cert",
        "WRONG_VERSION_NUMBER": "it does not speak TLS: is it http:// instead of https://?",
        "Tunnel connection failed": "the proxy refuses the connection",
        "timed out": "no answer in time",
        "reset by peer": "the connection broke",
        "closed connection without response": "the connection broke",
        "IncompleteRead": "the connection broke in the middle of the answer",
    }
    return next((said for part, said in known.items() if part in text), text or type(error).__name__)
