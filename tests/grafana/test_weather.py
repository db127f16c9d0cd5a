"""Bad weather: what goes wrong on the way to Grafana is told clearly, or does not matter."""

from __future__ import annotations

import email.utils
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from obsgen.grafana.apply import Result
from obsgen.grafana.errors import GrafanaError
from obsgen.grafana.plan import Choices
from obsgen.grafana.transport import Patience
from tests.grafana.double import P9, TOKEN, Double, Reply, Request
from tests.grafana.house import HASTY, House, board, done
from tests.grafana.server import FAULTS, Server, Weather

BOARDS = [board(name) for name in "abcdef"]


def once(fault: str, fits: Callable[[Request], bool]) -> Weather:
    """Return weather in which one fitting request goes wrong."""
    left = [fault]
    return lambda request: left.pop() if left and fits(request) else None


def stormy(seed: int, share: float = 0.2) -> Weather:
    """Return weather in which a share of obsgen's requests goes wrong, in all ways."""
    dice = random.Random(seed)
    return lambda _: dice.choice(FAULTS) if dice.random() < share else None


def saves(home: House, uid: str) -> int:
    """Return how many versions a dashboard has."""
    found = home.read(uid)
    assert found is not None
    return int(found["dashboard"]["version"])


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_one_fault_anywhere_changes_nothing(home: House, fault: str, method: str) -> None:
    home.write(board("a"), board("b"))
    home.sync()
    home.write(board("a", limit=300), board("c"))
    home.server.weather = once(fault, lambda request: request.method == method)

    assert done(home.sync()) == 3

    home.server.weather = None
    assert home.plan().actions == ()
    assert saves(home, home.uid("a")) == 2
    assert saves(home, home.uid("c")) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_folder_is_made_once_whatever_the_answer(home: House, fault: str) -> None:
    home.write(board("a"))
    home.server.weather = once(fault, lambda request: request.path == "/api/folders" and request.writes)

    assert done(home.sync()) == 2
    home.server.weather = None
    assert home.plan().actions == ()


@pytest.mark.parametrize("seed", range(3))
def test_a_storm_of_faults_leaves_nothing_twice_and_nothing_out(home: House, seed: int) -> None:
    home.write(*BOARDS)
    home.server.weather = stormy(seed)
    for _ in range(8):
        try:
            came = home.sync()
        except GrafanaError:
            continue
        if all(outcome.result is Result.DONE for outcome in came):
            break
    home.server.weather = None

    assert home.plan().actions == ()
    assert [saves(home, home.uid(each["uid"])) for each in BOARDS] == [1] * len(BOARDS)


def test_what_fails_fails_alone_and_comes_with_the_next_run(home: House) -> None:
    home.write(*BOARDS)
    bad = home.uid("c").encode()
    home.server.weather = lambda request: "500" if request.writes and bad in request.body else None

    outcomes = home.sync()

    failed = [o for o in outcomes if o.result is not Result.DONE]
    assert [o.action.uid for o in failed] == [home.uid("c")]
    assert "500, database is locked" in failed[0].reason
    home.server.weather = None
    assert done(home.sync()) == 1


def test_a_folder_that_cannot_be_made_is_told_for_all_that_is_to_be_in_it(one: House) -> None:
    one.write(board("a"), board("b"))
    one.server.weather = lambda request: "500" if request.path == "/api/folders" and request.writes else None

    outcomes = one.sync()

    assert [o.result for o in outcomes] == [Result.FAILED, Result.LEFT, Result.LEFT]
    assert "its folder is not there" in outcomes[1].reason
    assert one.server.asked("POST", "/api/dashboards") == []


def test_somebody_who_saves_between_plan_and_write_is_not_overwritten(home: House) -> None:
    home.write(board("a"), board("b"))
    home.sync()
    home.write(board("a", limit=300))
    session = home.session()
    plan = session.plan(Choices())
    home.edit(home.uid("a"), title="Meanwhile A")
    home.edit(home.uid("b"), title="Meanwhile B")

    outcomes = session.apply(plan, "sync", home.backups)[1]

    assert [o.result for o in outcomes] == [Result.LEFT, Result.LEFT]
    assert all("somebody has saved it meanwhile" in o.reason for o in outcomes)
    assert (home.read(home.uid("b")) or {})["dashboard"]["title"] == "Meanwhile B"


def test_somebody_who_makes_it_meanwhile_is_not_overwritten(home: House) -> None:
    home.write(board("a"))
    home.sync()
    home.write(board("a"), board("b"))
    session = home.session()
    plan = session.plan(Choices())
    home.save({"uid": home.uid("b"), "title": "Theirs"}, home.catalog)

    outcomes = session.apply(plan, "sync", home.backups)[1]

    assert [o.result for o in outcomes] == [Result.LEFT]
    assert (home.read(home.uid("b")) or {})["dashboard"]["title"] == "Theirs"


@pytest.mark.parametrize("form", ["7", "date"])
def test_both_forms_of_retry_after_are_waited_for(one: House, form: str) -> None:
    waited: list[float] = []
    told = "7" if form == "7" else email.utils.formatdate(time.time() + 7, usegmt=True)
    replies = iter([Reply(429, {"message": "slow down"}, {"Retry-After": told})])
    backend = one.server.backend
    one.server.backend = lambda request: next(replies, None) or backend(request)
    one.patience = replace(HASTY, sleep=waited.append)
    one.write(board("a"))

    one.plan()

    (pause,) = waited
    assert 5.5 <= pause <= 7.1


def test_a_server_that_asks_for_too_long_a_wait_is_told_at_once(one: House) -> None:
    one.server.backend = lambda _: Reply(429, {"message": "quota"}, {"Retry-After": "3600"})
    one.write(board("a"))

    with pytest.raises(GrafanaError, match="come back after 3600 s"):
        one.plan()


def test_pauses_double_and_are_drawn_at_random() -> None:
    waited: list[float] = []
    patience = Patience(base=1, longest=8, sleep=waited.append)
    for failures in range(1, 7):
        for _ in range(50):
            patience.pause(failures)
    longest = [max(waited[n : n + 50]) for n in range(0, 300, 50)]
    assert all(top / 2 < seen <= top for seen, top in zip(longest, (1, 2, 4, 8, 8, 8), strict=True))
    assert len(set(waited)) > 290


def test_a_server_that_is_not_there_is_told_after_three_tries(one: House) -> None:
    one.write(board("a"))
    one.shell["GRAFANA_URL"] = "http://127.0.0.1:9"

    with pytest.raises(GrafanaError, match=r"http://127.0.0.1:9: nothing listens there \(connection refused\)"):
        one.plan()


def test_a_server_that_is_being_started_is_waited_for_and_that_is_told(one: House) -> None:
    replies = iter([Reply(503, b"<html><title>starting</title></html>")] * 5)
    backend = one.server.backend
    one.server.backend = lambda request: next(replies, None) or backend(request)
    one.write(board("a"))
    said: list[str] = []
    session = one.session()
    session.tell(lambda words, *_: said.append(words))

    assert len(session.plan(Choices()).actions) == 2
    waits = [words for words in said if words.startswith("waiting: ")]
    assert len(waits) == 3
    assert "503 with a web page, 'starting'" in waits[0]


def test_a_server_that_goes_down_does_not_hold_up_the_rest(one: House) -> None:
    one.write(*[board(f"b{n}") for n in range(60)])
    one.sync()
    one.write(*[board(f"b{n}", limit=300) for n in range(60)])
    written = itertools.count()
    down: list[bool] = []

    def weather(request: Request) -> str | None:
        if request.writes and next(written) == 10:
            down.append(True)
        return "reset" if down else None

    one.server.weather = weather
    one.server.requests.clear()
    outcomes = one.sync()

    failed = [o for o in outcomes if o.result is Result.FAILED]
    assert len(failed) >= 40
    assert all("the connection broke" in o.reason for o in failed)
    # Not eight tries for each of the dashboards: those on their way, and then none.
    assert len(one.server.requests) < 60 + 5 + 10 * 2 + 8 * 2 * 9
    one.server.weather = None
    done(one.sync())
    assert one.plan().actions == ()


PAGES = {
    "redirect": "redirected to /login; obsgen does not follow",
    "login page": "200 with a web page, 'Sign in', which is not Grafana's API",
    "502": "502 with a web page, '502 Bad Gateway'",
    "cut": "the connection broke in the middle of the answer",
}


@pytest.mark.parametrize("fault", PAGES)
def test_what_is_not_grafanas_answer_is_told(one: House, fault: str) -> None:
    one.write(board("a"))
    one.server.weather = lambda _: fault

    with pytest.raises(GrafanaError) as told:
        one.plan()
    assert PAGES[fault] in str(told.value)


def test_answers_may_be_zipped(one: House) -> None:
    one.server.zips = True
    one.write(board("a"))
    assert done(one.sync()) == 2
    assert one.plan().actions == ()


def test_truncated_json_is_read_again(one: House) -> None:
    one.write(board("a"))
    backend = one.server.backend
    first = iter([Reply(200, b'{"database": "ok", "vers')])
    one.server.backend = lambda request: next(first, None) or backend(request)

    assert len(one.plan().actions) == 2


def test_a_dripping_answer_ends_in_time(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("obsgen.grafana.transport.ANSWER_SECONDS", 0.3)
    one.write(board("a"))
    one.server.weather = lambda _: "drip"
    begun = time.monotonic()

    with pytest.raises(GrafanaError, match="takes longer than"):
        one.plan()

    assert time.monotonic() - begun < 3


def test_the_token_is_not_sent_along_a_redirect(one: House) -> None:
    other = Double(P9)
    with Server(other) as elsewhere:
        one.server.backend = lambda request: Reply(307, b"", {"Location": f"{elsewhere.url}{request.target}"})
        one.write(board("a"))
        with pytest.raises(GrafanaError, match="redirected to http://127"):
            one.plan()
        assert elsewhere.requests == []


def test_a_server_that_repeats_the_token_does_not_get_it_into_a_message(one: House) -> None:
    one.write(board("a"))
    one.server.backend = lambda request: Reply(401, {"message": f"no such token: {request.headers['Authorization']}"})

    with pytest.raises(GrafanaError) as told:
        one.plan()
    assert one.token not in str(told.value)
    assert "401, no such token: Bearer ***" in str(told.value)
    assert one.token not in repr(one.session().environment)


def test_a_password_of_netrc_does_not_replace_the_token(
    one: House, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path_factory.mktemp("home") / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    one.write(board("a"))

    assert len(one.plan().actions) == 2


def test_no_more_requests_at_once_than_connections_and_folders_one_by_one(one: House) -> None:
    one.write(*[board(f"b{n}") for n in range(40)], pages={"index.md": "# Docs\n"})
    one.server.latency = 0.005

    assert done(one.sync()) == 43
    assert 2 < one.server.most_open <= 8


def test_a_run_that_is_killed_can_be_run_again_and_undone(one: House) -> None:
    one.write(*BOARDS)
    one.sync()
    before = {each["uid"]: one.read(one.uid(each["uid"])) for each in BOARDS}
    one.write(*(board(each["uid"], limit=300) for each in BOARDS))
    written = itertools.count()
    running: list[subprocess.Popen[bytes]] = []

    def weather(request: Request) -> str | None:
        if request.writes and next(written) == 3:
            running[0].kill()
        return None

    one.server.weather = weather
    one.server.latency = 0.03
    (one.folder / "pyproject.toml").write_text("[tool.obsgen.grafana.default]\nconnections = 2\n")
    command = [sys.executable, "-m", "obsgen", "grafana", "sync", "--yes"]
    running.append(
        subprocess.Popen(command, cwd=one.folder, env={**os.environ, **one.shell}, stdout=subprocess.DEVNULL)
    )
    assert running[0].wait() == -signal.SIGKILL
    one.server.weather, one.server.latency = None, 0.0
    time.sleep(0.1)
    changed = [uid for uid in before if one.limit(one.uid(uid)) == 300]
    assert 1 <= len(changed) < 6

    one.undo()
    assert [one.limit(one.uid(uid)) for uid in before] == [250] * 6
    assert done(one.sync()) == 6
    assert one.plan().actions == ()


def test_a_denied_write_names_the_permission(one: House) -> None:
    assert one.double is not None
    one.write(board("a"))
    one.double.denied.add("dashboards:write")

    outcomes = one.sync()

    assert outcomes[1].result is Result.FAILED
    assert "403, You'll need additional permissions. Permissions needed: dashboards:write" in outcomes[1].reason


def test_a_certificate_of_an_own_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is for these tests alone."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    certificate = Path(__file__).parent / "certificates/localhost.pem"
    state = Double(P9)
    server = Server(state)
    server.encrypt(certificate)
    with server:
        home = House(tmp_path, server, TOKEN, TOKEN, "team", state)
        home.write(board("a"))
        with pytest.raises(GrafanaError, match="its certificate is not trusted: name the authority's file as ca_cert"):
            home.plan()
        home.shell["GRAFANA_CA_CERT"] = str(certificate)
        assert len(home.plan().actions) == 2
        home.shell["GRAFANA_URL"] = server.url.replace("https://", "http://")
        with pytest.raises(GrafanaError):
            home.plan()


def test_a_proxy_of_the_shell_is_used(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", one.server.url)
    monkeypatch.setenv("no_proxy", "localhost")
    one.shell["GRAFANA_URL"] = "http://grafana.example.org"
    one.write(board("a"))

    assert len(one.plan().actions) == 2
    assert one.server.requests[0].target.startswith("http://grafana.example.org/api/health")
