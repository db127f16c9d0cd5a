"""What a browser shows of every dashboard while six incidents go on: no panel is in error or empty, no title is cut."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from obsgen.grafana.settings import environment
from tests.browser.page import Visit, browser, visit
from tests.conftest import ROOT
from tests.world.grafana import connect
from tests.world.running import ALL, world

URL, TOKEN, SCREENSHOTS = "OBSGEN_TEST_GRAFANA_URL", "OBSGEN_TEST_GRAFANA_TOKEN", "OBSGEN_TEST_SCREENSHOTS"
DASHBOARDS = sorted(path.stem for path in (ROOT / "generated/grafana/dashboards").glob("*.json"))
WIDTHS = (1600, 1280)

pytestmark = pytest.mark.skipif(not os.environ.get(URL), reason=f"{URL} names no Grafana")


@dataclass(frozen=True)
class House:
    """A Grafana that shows a world, and a browser."""

    browser: Browser
    shell: dict[str, str]
    prometheus_url: str
    keep: Path

    def visit(self, uid: str, width: int, theme: str = "dark") -> Visit:
        """Open a dashboard and keep a screenshot of it."""
        where = environment(None, self.shell, "http://127.0.0.1:3000", ROOT / "pyproject.toml")
        path = self.keep / f"{uid}-{width}-{theme}.png"
        return visit(self.browser, f"{where.url}/d/{uid}", dict(where.headers()), width=width, theme=theme, keep=path)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    shell = {"GRAFANA_URL": os.environ[URL], "GRAFANA_TOKEN": os.environ.get(TOKEN, "")}
    keep = Path(os.environ.get(SCREENSHOTS) or tmp_path_factory.mktemp("screenshots"))
    with world(ALL) as made, browser() as opened:
        connect(shell, made.prometheus_url, made.alertmanager_url)
        yield House(opened, shell, made.prometheus_url, keep)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("uid", DASHBOARDS)
def test_every_panel_is_drawn_and_named(house: House, uid: str, width: int) -> None:
    seen = house.visit(uid, width)

    rows = json.loads((ROOT / f"generated/grafana/dashboards/{uid}.json").read_text())["panels"]
    panels = [panel for row in rows for panel in (row, *row.get("panels", ())) if panel["type"] != "row"]
    assert sorted(panel.title for panel in seen.panels) == sorted(panel["title"] for panel in panels)
    assert [panel.title for panel in seen.panels if panel.error] == []
    assert [panel.title for panel in seen.panels if panel.empty] == []
    assert [panel.title for panel in seen.panels if panel.cut] == []
    assert seen.complaints == []


def test_the_overview_says_what_is_wrong_first(house: House) -> None:
    seen = house.visit("vectobeat-overview", 1280, "light")

    first = seen.panels[0]
    assert first.title == "Firing alerts"
    for name in ("LavalinkNodeDown", "ApiBudgetBurnsFast", "VectobeatBotDown"):
        assert name in first.text
    assert "Watchdog" not in first.text


def test_without_its_data_source_nothing_looks_fine(house: House) -> None:
    connect(house.shell, "http://127.0.0.1:9", None)
    try:
        seen = house.visit("vectobeat-overview", 1280)
    finally:
        connect(house.shell, house.prometheus_url, None)

    assert len(seen.panels) >= 5
    assert [panel.title for panel in seen.panels if not panel.error] == []
    said = {panel.title: panel.text.casefold().splitlines() for panel in seen.panels}
    assert [title for title, lines in said.items() if not any(line.startswith("no data") for line in lines)] == []
