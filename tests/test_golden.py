"""Whole artifacts of a small catalog, compared byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from obsgen.artifacts import artifacts
from obsgen.checks import check
from obsgen.expand import expand
from obsgen.load import load
from obsgen.model import Catalog

HERE = Path(__file__).parent
GOLDEN = HERE / "golden/greenhouse"


@pytest.fixture(scope="module")
def greenhouse() -> Catalog:
    loaded = load(HERE / "catalogs/greenhouse")
    assert not loaded.problems
    assert loaded.catalog
    return expand(loaded.catalog)


def test_a_catalog_of_another_team_has_no_problems(greenhouse: Catalog) -> None:
    assert [str(problem) for problem in check(greenhouse)] == []


def test_its_artifacts_are_the_golden_ones(greenhouse: Catalog, pytestconfig: pytest.Config) -> None:
    made = {path: text for path, text in artifacts(greenhouse).items() if path != "catalog.schema.json"}
    if pytestconfig.getoption("update_golden"):
        for path in GOLDEN.rglob("*.*"):
            path.unlink()
        for name, text in made.items():
            (GOLDEN / name).parent.mkdir(parents=True, exist_ok=True)
            (GOLDEN / name).write_text(text)
    golden = {p.relative_to(GOLDEN).as_posix(): p.read_text() for p in GOLDEN.rglob("*.*") if p.is_file()}

    assert sorted(made) == sorted(golden), "if meant, run: make golden"
    for name, text in made.items():
        assert text == golden[name], f"{name} changed; if meant, run: make golden"


def test_the_same_definitions_give_the_same_bytes(greenhouse: Catalog) -> None:
    again = load(HERE / "catalogs/greenhouse").catalog
    assert again

    assert artifacts(expand(again)) == artifacts(greenhouse)
