"""The command as people and CI meet it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from obsgen.cli import main
from tests.conftest import ROOT

GREENHOUSE = ROOT / "tests/catalogs/greenhouse"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(GREENHOUSE, tmp_path / "definitions", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def change_threshold(folder: Path) -> None:
    path = folder / "definitions/climate.py"
    path.write_text(path.read_text().replace("above=31", "above=29"))


def test_generate_says_what_it_did_and_is_then_content(folder: Path) -> None:
    first = run("generate")
    again = run("generate")

    assert first.exit_code == again.exit_code == 0
    lines = first.stdout.splitlines()
    assert "new      generated/prometheus/rules/climate.yml" in lines
    assert lines[-1] == f"generated: {len(lines) - 1} files, {len(lines) - 1} new"
    assert again.stdout == f"generated: {len(lines) - 1} files, all current\n"
    assert first.stderr == again.stderr == ""


def test_one_changed_threshold_moves_alert_panel_docs_and_catalog_together(folder: Path) -> None:
    run("generate")
    change_threshold(folder)
    before = {path: path.read_bytes() for path in (folder / "generated").rglob("*") if path.is_file()}

    result = run("generate", "--check")

    assert result.exit_code == 1
    assert {path: path.read_bytes() for path in (folder / "generated").rglob("*") if path.is_file()} == before
    head, *_ = result.stdout.split("\n\n")
    assert head.splitlines() == [
        "changed  generated/catalog.json",
        "changed  generated/docs/alerts.md",
        "changed  generated/docs/runbooks/BedTooHot.md",
        "changed  generated/grafana/dashboards/greenhouse-climate.json",
        "changed  generated/prometheus/rules/climate.yml",
    ]
    assert "-    expr: greenhouse_air_celsius > 31\n+    expr: greenhouse_air_celsius > 29\n" in result.stdout
    assert '-                "value": 31\n+                "value": 29\n' in result.stdout
    assert "-| warning | the value is above 31 °C | 17 minutes | webhook bell |\n" in result.stdout
    assert result.stdout.endswith("5 changed; run `obsgen generate`\n")


def test_check_tells_missing_and_stale_files(folder: Path) -> None:
    run("generate")
    (folder / "generated/docs/index.md").unlink()
    (folder / "definitions/water.py").unlink()
    house = folder / "definitions/house.py"
    house.write_text(house.read_text().replace("receivers=[CHAT, PIPES,", "receivers=[CHAT,"))

    result = run("generate", "--check")

    assert result.exit_code == 1
    assert "missing  generated/docs/index.md" in result.stdout
    assert "stale    generated/prometheus/rules/water.yml" in result.stdout
    assert (folder / "generated/prometheus/rules/water.yml").exists()


def test_check_is_content_with_what_is_current(folder: Path) -> None:
    run("generate")

    assert run("generate", "--check").exit_code == 0


def test_changes_are_told_to_machines_too(folder: Path) -> None:
    run("generate")
    change_threshold(folder)

    result = run("generate", "--check", "--format", "json")

    assert result.exit_code == 1
    assert {"path": "prometheus/rules/climate.yml", "kind": "changed"} in json.loads(result.stdout)["changes"]


def test_a_failure_is_told_to_machines_too(folder: Path) -> None:
    (folder / "file").write_text("")

    result = run("generate", "--output", "file/out", "--format", "json")

    assert result.exit_code == 2
    assert "file is a file, and the artifacts need a folder" in json.loads(result.stdout)["error"]


def test_what_definitions_print_does_not_disturb_the_json(folder: Path) -> None:
    with (folder / "definitions/climate.py").open("a") as file:
        file.write("print('hello')\n")

    result = run("generate", "--format", "json")

    assert json.loads(result.stdout)["error"] is None
    assert "hello" in result.stderr


def test_a_second_catalog_does_not_overwrite_the_first(folder: Path) -> None:
    run("generate")

    result = run("generate", "--definitions", str(ROOT / "definitions"))

    assert result.exit_code == 2
    assert "holds the artifacts of the catalog 'greenhouse', not of 'vectobeat'" in result.stderr
    assert "--output DIR" in result.stderr
    assert "Traceback" not in result.stderr


def test_another_output_folder(folder: Path) -> None:
    assert run("generate", "--output", "elsewhere/deep").exit_code == 0
    assert (folder / "elsewhere/deep/catalog.json").exists()
    assert not (folder / "generated").exists()


def test_an_output_that_cannot_be_written_is_told(folder: Path) -> None:
    (folder / "file").write_text("")

    result = run("generate", "--output", "file/out")

    assert result.exit_code == 2
    assert "file is a file, and the artifacts need a folder" in result.stderr


@pytest.mark.parametrize("command", [[], ["generate"]])
def test_help_has_an_example(command: list[str]) -> None:
    result = run(*command, "--help")

    assert result.exit_code == 0
    assert "Example:" in result.stdout


def test_help_imports_nothing_heavy() -> None:
    heavy = ("grafanalib", "jsonschema", "yaml", "promql_parser", "obsgen.model")
    code = f"import sys, obsgen.cli; print([m for m in {heavy!r} if m in sys.modules])"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_module_can_be_run() -> None:
    result = subprocess.run([sys.executable, "-m", "obsgen", "--version"], capture_output=True, text=True, check=True)

    assert result.stdout.startswith("obsgen, version") or "version" in result.stdout


def test_bytes_do_not_depend_on_the_hash_seed(folder: Path) -> None:
    made = []
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "obsgen", "generate", "-o", f"out{seed}"]
        subprocess.run(command, check=True, capture_output=True, env={"PYTHONHASHSEED": seed, "PATH": ""})
        root = folder / f"out{seed}"
        made.append({p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()})

    assert made[0] == made[1]


def test_generate_works_the_same_from_a_folder_of_another_name(folder: Path) -> None:
    run("generate")
    (folder / "definitions").rename(folder / "elsewhere")

    assert run("generate", "--definitions", "elsewhere/", "--check").exit_code == 0


def test_the_help_of_every_command_has_an_example_on_lines_of_its_own() -> None:
    def commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        yield words
        for name, command in group.commands.items():
            yield from commands(command, (*words, name)) if isinstance(command, click.Group) else [(*words, name)]

    for words in commands(main):
        shown = run(*words, "--help").stdout
        assert re.search(rf"^  Example:\n(    obsgen {' '.join(words)}\b.*\n)+", shown, re.MULTILINE), words
        assert "\\b" not in shown


def ended(redirection: str, *arguments: str) -> tuple[int, str]:
    """Return the exit code of the command in a shell that leads its output elsewhere, and what it says on stderr."""
    command = " ".join([sys.executable, "-m", "obsgen", *arguments, redirection])
    made = subprocess.run(["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True)
    return made.returncode, made.stderr


@pytest.mark.parametrize("arguments", [["generate"], ["generate", "--format", "json"], ["generate", "--help"]])
def test_a_full_disk_under_the_report_is_one_message(folder: Path, arguments: list[str]) -> None:
    assert ended("> /dev/full", *arguments) == (
        2,
        "obsgen: the report cannot be written: No space left on device\n",
    )


@pytest.mark.parametrize("arguments", [["generate"], ["generate", "--help"]])
def test_a_reader_that_has_left_ends_the_command_as_it_does_any_other(folder: Path, arguments: list[str]) -> None:
    assert ended("| exec 0<&-", *arguments) == (141, "")


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_do_not_stop_the_work(folder: Path, redirection: str) -> None:
    assert ended(redirection, "generate") == (0, "")
    assert (folder / "generated/catalog.json").exists()


def test_a_standard_error_that_takes_nothing_ends_in_a_failure(folder: Path) -> None:
    (folder / "definitions/climate.py").write_text("X = HETA\n")

    assert ended("2> /dev/full", "generate") == (2, "")
