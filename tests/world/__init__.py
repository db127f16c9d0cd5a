"""A made-up VectoBeat with all its sources, a history and incidents, on a real Prometheus and Alertmanager.

`python -m tests.world` starts it for people and their Grafana, `world()` for tests.
"""

from tests.world.running import INCIDENTS, World, world

__all__ = ["INCIDENTS", "World", "world"]
