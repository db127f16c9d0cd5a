"""`make screenshots`: the pictures of the README, of a made-up VectoBeat with six incidents.

The Grafana at GRAFANA_URL is given the data sources and dashboards first: see `tests.world.grafana`.
"""

from __future__ import annotations

import os

import click

from obsgen.grafana.settings import environment
from tests.browser.page import browser, visit
from tests.conftest import ROOT
from tests.world.grafana import connect
from tests.world.running import ALL, world

FOLDER = ROOT / ".github/screenshots"
PICTURES = {"vectobeat-overview": 1000, "vectobeat-lavalink-nodes": 860, "vectobeat-error-budgets": 820}
"""The dashboards, and how many pixels from the top are shown."""
WIDTH = 1100


def main() -> None:
    """Take the pictures."""
    where = environment(None, os.environ, "http://127.0.0.1:3000", ROOT / "pyproject.toml")
    with world(ALL, say=click.echo) as made, browser() as opened:
        connect(os.environ, made.prometheus_url, made.alertmanager_url)
        for uid, top in PICTURES.items():
            path = FOLDER / f"{uid}.png"
            headers = dict(where.headers())
            visit(opened, f"{where.url}/d/{uid}", headers, width=WIDTH, keep=path, top=top, alone=True)
            click.echo(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
