"""A Grafana with a world as its data source and VectoBeat's dashboards.

`python -m tests.world.grafana --control URL` with GRAFANA_URL and GRAFANA_TOKEN, or GRAFANA_USER and GRAFANA_PASSWORD.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import requests

from obsgen.artifacts import artifacts
from obsgen.errors import ObsgenError
from obsgen.grafana.apply import Outcome, Result
from obsgen.grafana.plan import Choices
from obsgen.grafana.pushing import Pushing
from obsgen.grafana.settings import environment
from obsgen.swap import write
from tests.bench.prometheus import direct
from tests.conftest import ROOT
from tests.world.catalog import live_catalog

PROMETHEUS = "obsgen-world"
ALERTMANAGER = "obsgen-world-alertmanager"
TIMEOUT = 30
Json = dict[str, Any]


def sources(prometheus_url: str, alertmanager_url: str | None) -> list[Json]:
    """Return the data sources of a world, as Grafana's API has them."""
    found: list[Json] = [
        {
            "uid": PROMETHEUS,
            "name": PROMETHEUS,
            "type": "prometheus",
            "access": "proxy",
            "url": prometheus_url,
            "isDefault": True,
            "jsonData": {"timeInterval": "30s", "httpMethod": "POST", "alertmanagerUid": ALERTMANAGER},
        }
    ]
    if alertmanager_url is not None:
        found.append(
            {
                "uid": ALERTMANAGER,
                "name": ALERTMANAGER,
                "type": "alertmanager",
                "access": "proxy",
                "url": alertmanager_url,
                "jsonData": {"implementation": "prometheus", "handleGrafanaManagedAlerts": False},
            }
        )
    return found


def connect(
    shell: Mapping[str, str], prometheus_url: str, alertmanager_url: str | None, generated: Path | None = None
) -> list[Outcome]:
    """Give a Grafana the data sources of a world and the artifacts of a folder, docs included; return what was done.

    Done again, it changes only what has changed: the addresses of another world, or other artifacts. Edits by hand are
    overwritten.

    Args:
        shell: where Grafana is and who asks, as obsgen reads it from the shell: `GRAFANA_URL`, and `GRAFANA_TOKEN` or
            `GRAFANA_USER` and `GRAFANA_PASSWORD`. A data source needs the role Admin.
        prometheus_url: of the world's Prometheus.
        alertmanager_url: of its Alertmanager; None without any.
        generated: the folder of the artifacts; those of the world's own catalog, in which no source is only planned,
            when left out.

    Raises:
        ObsgenError: Grafana cannot be reached, or does not take them.
    """
    where = environment(None, shell, "http://127.0.0.1:3000", ROOT / "pyproject.toml")
    with direct() as session:
        session.headers.update(where.headers())
        for source in sources(prometheus_url, alertmanager_url):
            _put(session, where.url, source)
    named = {**shell, "GRAFANA_URL": where.url, "GRAFANA_DATASOURCE": PROMETHEUS}
    with tempfile.TemporaryDirectory(prefix="obsgen-world-") as backups:
        if generated is None:
            generated = Path(backups) / "generated"
            catalog = live_catalog()
            write(generated, catalog.project.name, artifacts(catalog))
        pushing = Pushing(None, generated, named)
        _, outcomes = pushing.apply(pushing.plan(Choices(overwrite_edits=True)), "sync", Path(backups))
    bad = [outcome for outcome in outcomes if outcome.result is not Result.DONE]
    if bad:
        raise ObsgenError(f"Grafana at {where.url} did not take {len(bad)} of {len(outcomes)}: {bad[0]}")
    return outcomes


def _put(session: requests.Session, url: str, source: Json) -> None:
    """Make a data source what it should be: made, or changed where it is there."""
    place = f"{url}/api/datasources"
    there = session.get(f"{place}/uid/{source['uid']}", timeout=TIMEOUT)
    if there.status_code == 404:
        answer = session.post(place, json=source, timeout=TIMEOUT)
    else:
        answer = session.put(f"{place}/uid/{source['uid']}", json=source, timeout=TIMEOUT)
    if not answer.ok:
        raise ObsgenError(
            f"Grafana at {url} does not take the data source {source['uid']}: {answer.text.strip()[:200]}"
        )


@click.command()
@click.option("--control", required=True, metavar="URL", help="The world's control address, as it prints it.")
@click.option("--generated", type=click.Path(path_type=Path, file_okay=False), help="Folder of other artifacts.")
def main(control: str, generated: Path | None) -> None:
    """Show a running world in the Grafana at GRAFANA_URL."""
    with direct() as session:
        status = session.get(control, timeout=TIMEOUT).json()
    try:
        done = connect(os.environ, status["prometheus"], status["alertmanager"], generated)
    except ObsgenError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{len(done)} changes in Grafana")


if __name__ == "__main__":
    main()
