"""No secret is printed or stored, whatever is in an address and whatever a server says; and no terminal is harmed.

`OBSGEN_TEST_EXAMPLES` makes more random ones.
"""

from __future__ import annotations

import base64
import json
import os
import random
import string
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import click
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from obsgen.cli import main
from obsgen.errors import Problem
from obsgen.grafana.settings import Environment, SettingsError, environment
from obsgen.grafana.transport import Transport
from obsgen.prometheus import Prometheus, PrometheusError
from obsgen.report import Document, Lines, say
from obsgen.secrets import HIDDEN, forget, keep, storable
from obsgen.style import columns
from tests.grafana.double import LOGINS, P11, P12, TOKEN, Json, Reply, Request, source
from tests.grafana.house import HASTY, House, board, house
from tests.grafana.server import Server

EXAMPLES = int(os.environ.get("OBSGEN_TEST_EXAMPLES", "20"))
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
PRINTABLE = string.ascii_letters + string.digits + string.punctuation + " "
BEGIN, END = "Kq7vX", "Zw9jY"
"""No part of a secret may be seen: neither how it begins nor how it ends."""
secrets = st.text(PRINTABLE, max_size=30).map(lambda text: f"{BEGIN}{text}{END}")
ATTACK = "\x1b]0;owned\x07\x9b2J\x1b[31m\r\n\x00"
RAW = ("\x1b]", "\x07", "\x9b", "\x1b[31m\r", "\r", "\x00")


def see_nothing(printed: str, stored: str = "") -> None:
    """Fail where a part of a secret was printed or stored, or something printed that acts on a terminal."""
    assert [part for part in (BEGIN, END) if part in printed + stored] == []
    assert [raw for raw in RAW if raw in printed] == []


# Addresses.


def addresses(secret: str) -> list[str]:
    """Return addresses with a password as people write them, most of them wrong."""
    host = "127.0.0.1:1"
    return [
        f"{scheme}{secret_of}@{host}{path}"
        for scheme in ("http://", "https:/", "//", "", "ftp://", "HTTPS://")
        for secret_of in (f"ann:{secret}", secret)
        for path in ("", "/grafana?a=b", "/[x")
    ] + [f"http://ann:{secret}@[::1", f"http://ann:{secret}@{host}:port", f"http://ann:12/{secret}@{host}"]


@given(secrets, st.sampled_from(["shell", "table", "both"]))
@BOUNDED
def test_an_address_of_grafana_hides_its_password(secret: str, where: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pyproject.toml"
        for url in addresses(secret):
            table = {"shell": "", "table": f"url = {json.dumps(url)}", "both": "url = 'https://other.example.org'"}
            file.write_text(f"[tool.obsgen.grafana.x]\n{table[where]}\n")
            shell = {"GRAFANA_TOKEN": "x"} | ({} if where == "table" else {"GRAFANA_URL": url})
            with pytest.raises(SettingsError) as error:
                environment(None, shell, "", file)
            see_nothing(str(error.value))
            assert "127.0.0.1" in str(error.value) or "[::1" in str(error.value)


@given(secrets)
@BOUNDED
def test_an_address_of_prometheus_hides_its_password(secret: str) -> None:
    for url in [*addresses(secret), f"http://ann:{quote(secret, safe='')}@127.0.0.1:1"]:
        with pytest.raises(PrometheusError) as error:
            Prometheus(url).instant("up")
        see_nothing(str(error.value))


def test_every_command_that_takes_an_address_hides_its_password() -> None:
    url = f"http://ann:{BEGIN}/#?[{END}@127.0.0.1:1"
    for command in (["slo", "--format", "json"], ["prove"], ["slo", "backfill", "--from", "1h"]):
        result = CliRunner().invoke(main, [*command, "--prometheus", url])
        assert result.exit_code == 2
        assert "'http://***@127.0.0.1:1' has characters before its @" in result.output
        see_nothing(result.output)
    result = CliRunner().invoke(main, ["grafana", "undo"], env={"GRAFANA_URL": url, "GRAFANA_TOKEN": "x"})
    assert "'http://***@127.0.0.1:1' has a password in it" in result.output
    see_nothing(result.output)


def test_a_password_in_the_address_of_prometheus_is_sent() -> None:
    secret = "a/b:c#d?e[f@g%41 h"
    with Server(lambda request: Reply(200, {"status": "success", "data": {"result": []}})) as server:
        Prometheus(server.url.replace("//", f"//ann:{quote(secret, safe='')}@")).instant("up")
        sent = {name.lower(): value for name, value in server.requests[0].headers.items()}["authorization"]
    assert base64.b64decode(sent.removeprefix("Basic ")).decode() == f"ann:{secret}"


@given(secrets, st.sampled_from([200, 400, 404, 500]), st.booleans(), st.integers(0, 90))
@BOUNDED
def test_prometheus_repeats_its_password(secret: str, status: int, structured: bool, before: int) -> None:
    forget()

    def echo(request: Request) -> Reply:
        text = "x" * before + secret + ATTACK + secret
        said: Any = {"status": "error", "error": text, "data": [text]} if structured else text.encode()
        return Reply(status, said)

    with Server(echo) as server:
        there = Prometheus(server.url.replace("//", f"//ann:{quote(secret, safe='')}@"))
        for work in (lambda: there.instant("up"), lambda: there.push({(("a", "b"),): [(0, 1.0)]}), there.reload):
            try:
                work()
            except PrometheusError as error:
                for report in (Lines(), Document()):
                    see_nothing(printed(report.failed, error))


def printed(work: Callable[..., None], *arguments: Any) -> str:
    """Return what a report prints."""
    command = click.Command("x", callback=lambda: work(*arguments))
    result = CliRunner().invoke(command, color=True)
    assert result.exception is None
    return result.output


def test_whatever_is_printed_does_nothing_to_a_terminal() -> None:
    keep(f"{BEGIN}{END}")
    text = f"one{ATTACK}\n    two {BEGIN}{END}"
    for said in (
        printed(lambda: say(text, fg="red")),
        printed(lambda: say(columns(("a", "b"), [(text, "1")]))),
        printed(Lines().rejected, [Problem("x", text)]),
    ):
        see_nothing(said)
        assert "one\\x1b]0;owned\\x07\\x9b2J\\x1b[31m\\r" in said
        assert f"    two {HIDDEN}" in said


# What a Grafana says.


class Team:
    """A team with a Grafana that says what it likes."""

    def __init__(self, home: House, token: str) -> None:
        assert home.double is not None
        self.home, self.double, self.token = home, home.double, token
        self.says: Callable[[Request, Reply], Reply] = lambda _, reply: reply
        home.server.backend = lambda request: self.answer(request)
        reads = {"list": [{"type": "datasource", "query": "prometheus", "name": "ds"}]}
        home.write(board("a", "A"), board("b", "B"), board("c", "C", templating=reads), pages={"index.md": "# Docs\n"})

    def answer(self, request: Request) -> Reply:
        reply = self.double(request)
        person = request.headers.get("User-Agent", "").startswith("person")
        return reply if person else self.says(request, reply)

    def run(self, *arguments: str) -> str:
        """Run a command, look at all that it prints and at what is stored by then, and return what it prints."""
        folders = ["--backups", str(self.home.backups)] if arguments[0] in ("sync", "undo", "preview") else []
        artifacts = [] if arguments[0] == "undo" else ["--generated", str(self.home.generated)]
        shell = {**self.home.shell, "GRAFANA_TOKEN": self.token, "CI_COMMIT_SHA": "0123456789ab"}
        call = ["grafana", *arguments, *folders, *artifacts]
        opened: list[Transport] = []

        def hasty(chosen: Environment, _: object) -> Transport:
            opened.append(Transport(chosen, HASTY))
            return opened[-1]

        with patch("obsgen.grafana.session.Transport", hasty):
            result = CliRunner().invoke(main, call, env=shell, color=True)
        for each in opened:
            # A command leaves that to the end of its process.
            each._session.close()
        files = [path for path in (self.home.folder / ".obsgen").rglob("*") if path.is_file()]
        see_nothing(result.output, "\n".join(f"{path}\n{path.read_text()}" for path in files))
        return result.output

    def all(self) -> str:
        """Run all commands, after edits, and return what they print."""
        pull = ["pull", self.home.uid("a"), "-o", str(self.home.folder / ".obsgen/pulled.json")]
        calls = [["plan"], ["plan", "--format", "json"], pull, [*pull, "--format", "json"]]
        calls += [["sync", "--yes", "--overwrite-edits"], ["undo", "--yes", "--format", "json"], ["undo", "--list"]]
        calls += [["preview", "--name", "x"], ["sync", "--yes", "--format", "json"]]
        return "\n".join(self.run(*call) for call in calls)


@contextmanager
def team(token: str, profile: Any = P12) -> Iterator[Team]:
    """Run a team's Grafana for a while, with a token."""
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.dict(LOGINS, {token: LOGINS[TOKEN]}),
        house(profile, Path(folder)) as home,
    ):
        home.person.headers["User-Agent"] = "person"
        yield Team(home, token)


def texts(said: Any, change: Callable[[str], str]) -> Any:
    """Return JSON with its texts changed."""
    if isinstance(said, str):
        return change(said)
    if isinstance(said, dict):
        return {key: texts(value, change) for key, value in said.items()}
    return [texts(each, change) for each in said] if isinstance(said, list) else said


def at(path: str, *keys: str) -> Callable[[Any], Callable[[Request, Reply], Reply]]:
    """Return what puts a text into the answers of a path, at some keys."""

    def put(said: Any, text: Any) -> Any:
        if isinstance(said, list):
            return [put(each, text) for each in said]
        if isinstance(said, dict):
            return {k: text if k in keys else put(v, text) for k, v in said.items()}
        return said

    return lambda text: (
        lambda request, reply: (
            Reply(reply.status, put(reply.said, text), reply.headers) if request.path.startswith(path) else reply
        )
    )


def instead(path: str, reply: Callable[[str], Reply], method: str = "GET") -> Any:
    """Return what answers with something else."""
    return lambda text: (
        lambda request, given: reply(text) if request.path.startswith(path) and request.method == method else given
    )


SPOTS: dict[str, Callable[[str], Callable[[Request, Reply], Reply]]] = {
    "version": at("/api/health", "version"),
    "organisation": at("/api/org", "name"),
    "title": at("/api/dashboards/uid/", "title"),
    "tags": at("/api/dashboards/uid/", "tags"),
    "quotes": lambda text: at("/api/dashboards/uid/", "description")(json.dumps(text)),
    "key": lambda text: at("/api/dashboards/uid/", "description")({text: "x"}),
    "editor": at("/api/dashboards/uid/", "updatedBy", "updated"),
    "query": at("/api/dashboards/uid/", "expr"),
    "folder": at("/api/folders", "title"),
    "list": instead("/api/search", lambda text: Reply(200, {"x": text, text: "x"})),
    "long list": instead("/api/search", lambda text: Reply(200, "x" * 30 + text)),
    "error": instead("/api/dashboards/uid/", lambda text: Reply(400, {"message": text, "status": text})),
    "text": instead("/api/folders", lambda text: Reply(400, ("x" * 30 + text).encode())),
    "page": instead("/api/folders", lambda text: Reply(403, f"<html><title>{text}</title>".encode())),
    "redirect": instead("/api/org", lambda text: Reply(302, b"", {"Location": f"https://x/?t={line(text)}"})),
    "odd redirect": instead("/api/org", lambda text: Reply(302, b"", {"Location": f"http://[::1{line(text)}"})),
    "refused write": instead("/api/dashboards/db", lambda text: Reply(403, {"message": text}), "POST"),
    "data source": at("/api/datasources", "name"),
    "data sources": instead("/api/datasources", lambda text: Reply(200, [source(text, text), source("b", text)])),
}


def line(text: str) -> str:
    """Return a text that fits into a header."""
    return text.replace("\r", "").replace("\n", "").replace("\x00", "")


@pytest.mark.parametrize("spot", SPOTS)
def test_a_token_is_hidden_wherever_grafana_repeats_it(spot: str) -> None:
    token = f"{BEGIN}'\"\\<&>/% {END}"
    with team(token) as made:
        made.run("sync", "--yes")
        made.home.edit(made.home.uid("b"), description="by hand")
        made.says = SPOTS[spot](f"{ATTACK}{token}{ATTACK}")
        said = made.all()
    assert HIDDEN in said
    assert "this is a bug" not in said


def test_what_is_provisioned_or_of_others_is_named_without_harm() -> None:
    token = f"{BEGIN}{END}"
    for profile in (P11, P12):
        with team(token, profile) as made:
            made.run("sync", "--yes")
            made.home.edit(made.home.uid("a"), tags=[f"obsgen:{ATTACK}{token}"], title=f"{ATTACK}{token}")
            made.home.edit(made.home.uid("b"), description="by hand")
            made.double.boards[made.home.uid("b")].provisioned = f"{ATTACK}{token}.json"
            said = made.all()
            assert f"it belongs to obsgen:\\x1b]0;owned\\x07\\x9b2J\\x1b[31m\\r\\n\\x00{HIDDEN}" in said
            assert f"it is provisioned from \\x1b]0;owned\\x07\\x9b2J\\x1b[31m\\r\\n\\x00{HIDDEN}.json" in said


@given(secrets, st.integers(0, 10**9), st.sampled_from([0.01, 0.1, 1.0]), st.booleans())
@settings(BOUNDED, max_examples=max(1, EXAMPLES // 2))
def test_a_token_is_hidden_in_whatever_grafana_says(token: str, seed: int, share: float, attacks: bool) -> None:
    dice = random.Random(seed)
    forms = [token, json.dumps(token)[1:-1], quote(token, safe=""), repr(token)]

    def echo(request: Request, reply: Reply) -> Reply:
        def change(text: str) -> str:
            if dice.random() >= share:
                return text
            attack = ATTACK if attacks else ""
            return dice.choice(["", text, "x" * dice.randrange(90)]) + attack + dice.choice(forms) + attack

        return Reply(dice.choice([reply.status] * 9 + [400, 500]), texts(reply.said, change), reply.headers)

    with team(token) as made:
        made.run("sync", "--yes")
        made.home.edit(made.home.uid("b"), description=token)
        made.says = echo
        made.all()


# What is stored.


def test_an_undo_restores_what_a_short_or_public_password_is_a_part_of() -> None:
    """A backup without the word "admin" in it would be worth nothing."""
    with house(P12, Path(tempfile.mkdtemp())) as home:
        for password in ("red", home.catalog):
            home.shell["GRAFANA_PASSWORD"] = password
            home.write(board("a", "A"))
            home.sync(edits=True)
            home.write(board("a", "A", limit=300))
            home.sync()
            home.undo()
            assert home.limit(home.uid("a")) == 250


def test_a_secret_stays_in_a_file_only_where_it_is_short_or_public() -> None:
    keep("sesame", "open-sesame", "open-house")
    said: Json = {"open-sesame": ["open-sesame!", "sesame", "open-house", 3]}
    assert storable(said, lambda: ["the open-house"]) == {"***": ["***!", "sesame", "open-house", 3]}
