"""The greenhouse: who grows, and what measures."""

from obsgen.model import Project, Team
from obsgen.promql import Source

GROWERS = Team(name="growers", title="Growers")
PLUMBERS = Team(name="plumbers", title="Plumbers")

SENSORS = Source(name="sensor-hub", title="Sensor hub", job="sensors", interval="11s", path="/probe")
PUMPS = Source(name="pump-controller", title="Pump controller", job="pumps", interval="13s")

PROJECT = Project(
    name="greenhouse",
    title="Greenhouse",
    description="Tomatoes under glass.",
    owner=GROWERS,
    docs_url="https://docs.example.org/greenhouse/",
    grafana_url="https://grafana.example.org",
)
