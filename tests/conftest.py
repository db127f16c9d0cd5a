"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from obsgen.expand import expand
from obsgen.load import load
from obsgen.model import Catalog
from obsgen.prometheus import Prometheus
from obsgen.prove.server import installed, running
from tests.alertmanager import binary

ROOT = Path(__file__).parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files from what is made now")


def _missing() -> str:
    """Return which real servers are missing, as Debian calls their packages."""
    found = {"prometheus": installed(), "prometheus-alertmanager": binary()}
    return " and ".join(package for package, path in found.items() if path is None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs real servers where one is missing; in CI a missing server is a failure."""
    if not _missing() or os.environ.get("CI"):
        return
    real = [item for item in items if item.get_closest_marker("real")]
    if real:
        config.hook.pytest_deselected(items=real)
        items[:] = [item for item in items if item not in real]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out, and how to get it."""
    if _missing() and not os.environ.get("CI"):
        terminalreporter.line(f"left out the tests with real servers: {_missing()} not on PATH (apt-get install it)")


@pytest.fixture(scope="session")
def vectobeat() -> Catalog:
    """VectoBeat's catalog, expanded."""
    loaded = load(ROOT / "definitions")
    assert loaded.catalog is not None, loaded.problems
    return expand(loaded.catalog)


@pytest.fixture(scope="session")
def server() -> Iterator[Prometheus]:
    """A running Prometheus."""
    with running() as started:
        yield started
