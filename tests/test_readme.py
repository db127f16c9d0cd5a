"""The README shows what really happens."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from obsgen.cli import main
from tests.conftest import ROOT
from tests.grafana.double import P12
from tests.grafana.house import house

README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("definitions", "generated"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_walk_through_does_what_it_says(folder: Path) -> None:
    [definition] = blocks("python")
    [said] = [block for block in blocks("text") if "queues.yml" in block]
    (folder / "definitions/queues.py").write_text(definition)

    result = CliRunner().invoke(main, ["generate"])

    assert result.stdout == said


def test_the_rule_shown_is_the_one_generated() -> None:
    [shown] = blocks("yaml")
    rules = (ROOT / "generated/prometheus/rules/shards.yml").read_text()

    assert "".join(f"  {line}\n" for line in shown.splitlines()) in rules


def test_the_files_of_the_changed_threshold_are_those_that_change(folder: Path) -> None:
    [said] = [block for block in blocks("text") if "--check" in block]
    path = folder / "definitions/shards.py"
    path.write_text(path.read_text().replace("critical(above=250,", "critical(above=300,"))

    output = CliRunner().invoke(main, ["generate", "--check"]).output

    for line in said.splitlines()[1:]:
        assert line == "..." or line in output.splitlines(), line


def test_the_proof_that_fails_is_one_of_the_proofs() -> None:
    [shown] = [block for block in blocks("text") if "expected:" in block]
    [place] = re.findall(r"definitions/(\w+\.py):(\d+)", shown)
    line = (ROOT / "definitions" / place[0]).read_text().splitlines()[int(place[1]) - 1]

    assert shown.splitlines()[0].split(": ")[1] in line


def test_the_way_of_an_alert_is_the_one_shown(folder: Path) -> None:
    [said] = [block for block in blocks("text") if "obsgen route" in block]

    output = CliRunner().invoke(main, ["route", "LavalinkNodeLatencyHigh", "node=main"]).output

    assert output.startswith("\n".join(said.splitlines()[1:-1]))


def test_the_plan_is_the_one_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [said] = [block for block in blocks("text") if "obsgen grafana plan" in block]
    with house(P12, folder) as home:
        for name, value in {**home.shell, "GITHUB_SHA": "1a2b3c4"}.items():
            monkeypatch.setenv(name, value)
        CliRunner().invoke(main, ["grafana", "sync", "--yes"])
        panels = (home.read("vectobeat-lavalink-nodes") or {})["dashboard"]["panels"]
        [panel] = [panel for panel in panels if panel.get("title") == "Node latency"]
        panel["title"] = "Latency of the nodes"
        panel["fieldConfig"]["defaults"]["unit"] = "s"
        home.edit("vectobeat-lavalink-nodes", panels=panels)
        path = folder / "definitions/shards.py"
        path.write_text(path.read_text().replace("critical(above=250,", "critical(above=300,"))
        CliRunner().invoke(main, ["generate"])
        output = (
            CliRunner().invoke(main, ["grafana", "plan"]).output.replace(home.server.url, "https://grafana.example.org")
        )

    for line in said.splitlines()[1:]:
        told = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "DAY", line.replace("12.3.0", P12.version))
        assert line == "..." or told in re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "DAY", output).splitlines(), line


def test_every_link_leads_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text()):
            assert (ROOT / target).exists(), target


def test_every_room_is_in_the_contributors_table() -> None:
    rooms = {path.stem for path in (ROOT / "obsgen").iterdir() if not path.stem.startswith("_")} - {
        "py",
        "schemas",
        "templates",
    }
    said = set(re.findall(r"`(\w+)/?`", (ROOT / "CONTRIBUTING.md").read_text()))
    assert rooms <= said
