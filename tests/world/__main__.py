"""`python -m tests.world`: a made-up VectoBeat to look at dashboards with."""

from __future__ import annotations

import signal
import time
from threading import Event

import click

from tests.world.running import ALL, INCIDENTS, NONE, fixed, world


@click.command()
@click.option(
    "--incident", type=click.Choice([*INCIDENTS, ALL, NONE]), default=NONE, help="What has gone on for two hours."
)
@click.option("--days", type=click.FloatRange(0.25), default=17.0, show_default=True, help="Length of the history.")
@click.option("--prometheus", default="", metavar="BINARY", help="The one on PATH when left out.")
@click.option("--alertmanager", default="", metavar="BINARY", help="The one on PATH when left out.")
@click.option("--port", default=0, help="Of the switches; the next two are Prometheus' and Alertmanager's.")
def main(incident: str, days: float, prometheus: str, alertmanager: str, port: int) -> None:
    """Run a made-up VectoBeat until Ctrl-C."""
    begun = time.monotonic()
    stopped = Event()

    def stop(number: int, _: object) -> None:
        # Ends the start, too, which may take minutes.
        stopped.set()
        raise SystemExit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)

    def say(text: str) -> None:
        click.echo(f"{time.monotonic() - begun:5.0f} s  {text}")

    if port:
        try:
            fixed(port)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    with world(incident, days, prometheus=prometheus, alertmanager=alertmanager, port=port, say=say) as made:
        say("there it is")
        click.echo(f"Prometheus    {made.prometheus_url}")
        click.echo(f"Alertmanager  {made.alertmanager_url or 'none: no binary on PATH'}")
        click.echo(f"Control       {made.control_url}")
        click.echo(f"    curl -X POST '{made.control_url}/incident/node-down?on=1'")
        click.echo(f"    incidents: {', '.join(INCIDENTS)}, {ALL}")
        stopped.wait()


if __name__ == "__main__":
    main()
