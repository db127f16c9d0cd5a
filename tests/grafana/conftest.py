"""What the tests of `obsgen grafana` share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.grafana.double import P12, Double
from tests.grafana.house import House, house, kinds


@pytest.fixture(params=kinds(), ids=lambda kind: getattr(kind, "name", kind))
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A team with a Grafana of each version; the tests hold for all of them."""
    with house(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def one(tmp_path: Path) -> Iterator[House]:
    """A team with one Grafana: for what no version does otherwise."""
    with house(P12, tmp_path) as made:
        yield made


@pytest.fixture
def state(one: House) -> Double:
    """The state of that Grafana."""
    assert one.double is not None
    return one.double
