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
from obsgen.secrets import forget
from tests import reads
from tests.alertmanager import binary

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def no_secrets() -> None:
    """Let no test know the secrets of another."""
    forget()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files from what is made now")


def _servers() -> str:
    """Return which real servers are missing, as Debian calls their packages, and how to get them."""
    found = {"prometheus": installed(), "prometheus-alertmanager": binary()}
    absent = " and ".join(package for package, path in found.items() if path is None)
    return f"{absent} not on PATH (apt-get install it)" if absent else ""


def _left_out() -> dict[str, str]:
    """Return the markers whose tests cannot run here, with what is missing; none in CI, where that is a failure."""
    needs = {"real": _servers(), "reads": reads.missing()}
    return {} if os.environ.get("CI") else {marker: missing for marker, missing in needs.items() if missing}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs real servers, or Grafana's own code, where that is missing."""
    markers = _left_out()
    left_out = {item for item in items if any(item.get_closest_marker(marker) for marker in markers)}
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out, and how to get it."""
    for marker, missing in _left_out().items():
        terminalreporter.line(f"left out the tests marked {marker}: {missing}")


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
