"""`obsgen grafana` as people and CI meet it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from obsgen.cli import main
from obsgen.grafana.api import Grafana
from obsgen.grafana.runs import runs
from tests.grafana.house import House, board


@pytest.fixture
def here(one: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A team whose project folder is the working directory."""
    monkeypatch.chdir(one.folder)
    for name in ("CI", "GITHUB_SHA", "GIT_COMMIT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**one.shell, "CI_COMMIT_SHA": "0123456789ab"}.items():
        monkeypatch.setenv(name, value)
    one.write(board("a", "A"), board("b", "B"), pages={"index.md": "# Docs\n"})
    return one


def run(*arguments: str, said: str | None = None) -> Result:
    return CliRunner().invoke(main, ["grafana", *arguments], input=said)


def plain(here: House, text: str) -> str:
    """Return a text with what differs from test to test taken out."""
    text = text.replace(here.catalog, "team").replace(here.server.url, "http://grafana")
    return re.sub(r"\d{8}-\d{6}", "TIME", re.sub(r"in \d+\.\d s", "in 0.1 s", text))


def test_plan_shows_a_tree(here: House) -> None:
    result = run("plan")

    assert result.exit_code == 1
    assert plain(here, result.stdout) == (
        "Grafana 12.3.0+security-01 at http://grafana (Main Org.): team at 0123456789\n"
        "\n"
        "Team team\n"
        "  + folder Team team (team)\n"
        "  + team A (team-a)\n"
        "  + team B (team-b)\n"
        "\n"
        "Team team docs\n"
        "  + folder Team team docs (team-docs)\n"
        "  + Docs (team-docs-index)\n"
        "\n"
        "5 new; `obsgen grafana sync` does it\n"
    )
    assert here.folders() == {}


def test_sync_changes_and_then_has_nothing_to_do(here: House) -> None:
    first = run("sync", "--yes")
    again = run("sync", "--yes")

    assert (first.exit_code, again.exit_code) == (0, 0)
    assert plain(here, first.stdout).endswith(
        "5 new\n5 done in 0.1 s with 20 requests\nundo it with `obsgen grafana undo TIME-default`\n"
    )
    assert again.stdout.endswith("nothing to do, 3 unchanged\n")
    assert first.stderr == again.stderr == ""
    assert run("plan").exit_code == 0


def test_all_that_may_happen_to_a_dashboard_in_one_plan(here: House) -> None:
    here.write(*(board(name, name.upper()) for name in "abcd"))
    here.save({"uid": here.uid("x"), "title": "Theirs"})
    run("sync", "--yes")
    here.edit(here.uid("b"), title="By hand")
    here.write(board("a", "A", limit=300), board("b", "B", limit=400), board("d", "D"), board("x", "X"))

    result = run("sync", "--yes")

    assert result.exit_code == 1
    tree = re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\d UTC)?", "DAY", plain(here, result.stdout)).split("\n\n")[1]
    assert tree == (
        "Team team\n"
        "  ~ team A (team-a)\n"
        '      panel "Latency": threshold red 250 → 300\n'
        "  ! team B (team-b): somebody has edited it; --overwrite-edits replaces that\n"
        "      edited by anna on DAY:\n"
        "        title team B → By hand\n"
        "      reviewed meanwhile:\n"
        '        panel "Latency": threshold red 250 → 400\n'
        "  x team X (team-x): obsgen did not make it (last saved DAY, by anna); --adopt team-x takes it over\n"
        "  - team C (team-c): it has left generated/"
    )
    assert "1 changed, 1 deleted, 1 edited by hand and kept, 1 refused, 1 unchanged" in result.stdout


def test_titles_of_others_do_nothing_to_a_terminal(here: House) -> None:
    run("sync", "--yes")
    here.edit(here.uid("a"), title="\x1b[2J\nevil\u009b")

    shown = run("plan").stdout
    assert "+\\x1b[2J\n" in shown
    assert "+evil\\x9b\n" in shown
    assert "\x1b" not in shown


def test_sync_asks_first(here: House, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = run("sync")
    assert silent.exit_code == 2
    assert "there is no terminal to ask" in silent.stderr

    monkeypatch.setattr("obsgen.cli.grafana._terminal", lambda: True)
    no = run("sync", said="n\n")
    assert no.exit_code == 1
    assert "Make these 5 changes in " in no.stderr
    assert here.folders() == {}
    assert run("sync", said="y\n").exit_code == 0
    assert len(here.folders()) == 2


def test_in_ci_nothing_is_asked(here: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert run("sync").exit_code == 0
    assert run("plan").exit_code == 0


def test_a_dry_run_writes_nothing(here: House) -> None:
    assert run("sync", "--dry-run").exit_code == 1
    assert all(request.method == "GET" for request in here.server.requests)
    assert not Path(".obsgen").exists()


def test_undo_restores(here: House) -> None:
    run("sync", "--yes")
    here.write(board("a", "A", limit=300), board("b", "B"), pages={"index.md": "# Docs\n"})
    run("sync", "--yes")

    result = run("undo", "--yes")

    assert result.exit_code == 0
    assert '      panel "Latency": threshold red 300 → 250\n' in result.stdout
    assert here.limit(here.uid("a")) == 250
    listed = run("undo", "--list")
    assert listed.exit_code == 0
    assert [line.split()[1] for line in listed.stdout.splitlines()] == ["command", "sync", "sync", "undo"]


def test_json_for_machines(here: House) -> None:
    plan = json.loads(run("plan", "--format", "json").stdout)
    assert plan["error"] is None
    assert plan["grafana"] == {"url": here.server.url, "version": "12.3.0+security-01", "organisation": "Main Org."}
    assert [action["kind"] for action in plan["actions"]] == ["create"] * 5
    assert plan["actions"][0] == {
        "kind": "create",
        "subject": "folder",
        "uid": here.catalog,
        "title": f"Team {here.catalog}",
        "folder": here.catalog,
        "reason": "",
        "changes": [],
        "edit": None,
    }
    result = run("sync", "--yes", "--format", "json")
    done = json.loads(result.stdout)
    assert [each["result"] for each in done["outcomes"]] == ["done"] * 5
    assert done["run"] in json.loads(run("undo", "--list", "--format", "json").stdout)["runs"][0]["run"]
    here.shell.clear()
    failed = run("plan", "--format", "json", "--env", "nope")
    assert failed.exit_code == 2
    assert json.loads(failed.stdout)["error"].startswith("there is no environment 'nope'")


def test_what_fails_is_told_and_the_rest_is_done(here: House) -> None:
    assert here.double is not None
    here.double.denied.add("dashboards:write")

    result = run("sync", "--yes")

    assert result.exit_code == 2
    told = plain(here, result.stderr)
    assert told.startswith("failed  team A (team-a): POST http://grafana/api/dashboards/db: 403, You'll need")
    assert "2 done, 3 failed in 0.1 s with" in plain(here, result.stdout)
    assert "run it again for the rest" in result.stdout
    here.double.denied.clear()
    assert run("sync", "--yes").exit_code == 0


def test_pull_saves_an_edit_as_it_would_be_reviewed(here: House) -> None:
    run("sync", "--yes")
    same = run("pull", here.uid("a"))
    assert (same.exit_code, same.stdout.splitlines()[1:]) == (0, ["  is as it was reviewed"])
    assert not Path(".obsgen/pulled").exists()
    here.edit(here.uid("a"), panels=board("a", limit=300)["panels"])

    result = run("pull", here.uid("a"))

    assert result.exit_code == 1
    assert '  panel "Latency": threshold red 250 → 300\n' in result.stdout
    pulled = Path(f".obsgen/pulled/{here.uid('a')}.json").read_text()
    reviewed = (here.generated / f"grafana/dashboards/{here.uid('a')}.json").read_text()
    differing = [
        (one, other) for one, other in zip(pulled.split("\n"), reviewed.split("\n"), strict=True) if one != other
    ]
    assert [(one.strip(), other.strip()) for one, other in differing] == [('"value": 300', '"value": 250')]
    assert run("pull", "nope").exit_code == 2
    assert f"did you mean '{here.uid('docs-index')}'?" in run("pull", "index").stderr


def test_preview_prints_links_and_goes_away(here: House) -> None:
    result = run("preview", "--name", "pr-1")

    assert result.exit_code == 0
    assert plain(here, result.stdout).endswith("http://grafana/d/team-a-pr-1\nhttp://grafana/d/team-b-pr-1\n")
    assert run("preview", "--name", "pr-1", "--delete").exit_code == 0
    assert here.folders() == {}
    wrong = run("preview", "--name", "pr/1")
    assert wrong.exit_code == 2
    assert "up to 20 letters" in wrong.stderr


def test_undo_leaves_previews_alone_unless_they_are_named(here: House) -> None:
    run("sync", "--yes")
    run("preview", "--name", "pr-1")
    assert run("undo", "--yes").exit_code == 0
    assert here.read(here.uid("a")) is None
    assert here.read(here.uid("a-pr-1")) is not None
    assert "there is no run to undo" in run("undo", "--yes").stderr
    preview = runs(here.backups)[1]
    assert preview.facts.command == "preview"
    assert run("undo", preview.name, "--yes").exit_code == 0
    assert here.read(here.uid("a-pr-1")) is None


def test_ctrl_c_tells_what_is_done(here: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("obsgen.grafana.settings.CONNECTIONS", 1)
    saved = Grafana.save

    def save(*arguments: Any, **named: Any) -> None:
        if len(here.server.asked("POST", "/api/dashboards")) == 2:
            raise KeyboardInterrupt
        saved(*arguments, **named)

    monkeypatch.setattr(Grafana, "save", save)
    result = run("sync", "--yes")

    assert result.exit_code == 2
    assert plain(here, result.stderr) == (
        "obsgen: stopped after 4 of 5 changes\n    run it again for the rest, or `obsgen grafana undo TIME-default`\n"
    )
    monkeypatch.undo()
    monkeypatch.chdir(here.folder)
    for name, value in here.shell.items():
        monkeypatch.setenv(name, value)
    assert run("sync", "--yes").exit_code == 0


def test_a_bug_in_one_dashboard_does_not_stop_the_others(here: House, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = Grafana.save

    def save(self: Grafana, content: Any, *arguments: Any) -> None:
        assert content["uid"] != here.uid("a")
        saved(self, content, *arguments)

    monkeypatch.setattr(Grafana, "save", save)
    result = run("sync", "--yes")

    assert result.exit_code == 2
    assert "failed  team A (team-a): this is a bug of obsgen: AssertionError" in plain(here, result.stderr)
    assert here.read(here.uid("b")) is not None


def test_artifacts_that_cannot_be_pushed_are_told(here: House, tmp_path: Path) -> None:
    assert "has no artifacts of obsgen" in run("plan", "--generated", str(tmp_path / "none")).stderr
    file = here.generated / f"grafana/dashboards/{here.uid('a')}.json"
    file.write_text(file.read_text()[:50])
    broken = run("plan")
    assert broken.exit_code == 2
    assert re.search(r"team-a.json is not JSON: .* line \d", plain(here, broken.stderr))
    here.write(pages={"index.md": "# Docs\n"})
    assert "all that is in Grafana would be deleted" in run("plan").stderr


def test_every_command_helps_with_an_example() -> None:
    for command in ("plan", "sync", "undo", "pull", "preview"):
        shown = run(command, "--help")
        assert shown.exit_code == 0
        assert "Example:" in shown.stdout
        assert "Exit codes:" in re.sub(r"\s+", " ", shown.stdout)
