"""Grafana's own code, running: once for each of its versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reads import FOLDERS, Reader, missing, reading

VERSIONS: list[Path | None] = [*FOLDERS] if FOLDERS else [None]


@pytest.fixture(scope="session", params=VERSIONS, ids=lambda folder: folder.parent.name if folder else "missing")
def reads(request: pytest.FixtureRequest) -> Iterator[Reader]:
    """What reads panels: `reads(panel, Frame([1.0]))`."""
    folder: Path | None = request.param
    if folder is None or missing():
        pytest.fail(f"what reads panels is missing: {missing()}")
    with reading(folder) as reader:
        yield reader
