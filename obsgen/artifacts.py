"""All artifacts of a catalog as text, by their path: the renderers called, their data written in one style."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from obsgen import validate
from obsgen.index import Index
from obsgen.model.catalog import Catalog
from obsgen.render.alertmanager import TEMPLATES, alertmanager
from obsgen.render.catalog import SCHEMA_FILE, catalog
from obsgen.render.docs import docs
from obsgen.render.prometheus import prometheus
from obsgen.render.rule_tests import rule_tests
from obsgen.render.rules import rule_files
from obsgen.style import json_text, yaml_text

Json = dict[str, Any]
MESSAGES = Path(__file__).parent / "templates/messages.tmpl"
Step = Callable[[str, int, int], None]


def _silent(name: str, done: int, total: int) -> None:
    """Show nothing."""


def artifacts(expanded: Catalog, step: Step = _silent) -> dict[str, str]:
    """Return the text of every artifact of an expanded catalog that has no problems.

    Args:
        expanded: the catalog.
        step: is called with what is being made, and how many of how many are done, for a progress display.

    Raises:
        ObsgenError: an artifact is malformed: a mistake of obsgen.
    """
    index = Index(expanded)
    step("rendering rules", 0, 0)
    files = _rules(index)
    files |= _dashboards(index, step)
    step("rendering docs", 0, 0)
    pages = docs(index)
    step("rendering the catalog", 0, 0)
    files |= _catalog(index)
    step("checking links", 0, 0)
    validate.links_hold(pages, expanded.project.docs_url, files)
    files |= {f"docs/{path}": text for path, text in pages.items()}
    return dict(sorted(files.items()))


def _rules(index: Index) -> dict[str, str]:
    files = {}
    homes = {domain.name: domain for domain in index.catalog.domains}
    rules = rule_files(index)
    for place, data in rules.items():
        path, name = f"prometheus/{place}", Path(place).stem
        validate.fits_schema("rules", path, data)
        validate.is_promql(path, validate.rule_expressions(data))
        files[path] = yaml_text(data, f"Made by obsgen from {homes[name].at.name}: change that, not this.")
    for name, data in rule_tests(index, rules).items():
        said = f"Made by obsgen from the proofs in {homes[name].at.name}. `obsgen prove` runs all of them."
        files[f"prometheus/tests/{name}.yml"] = yaml_text(data, said)
    return files | _routing(index, rules)


def _routing(index: Index, rules: Mapping[str, Json]) -> dict[str, str]:
    """Return the configurations of Alertmanager and Prometheus, where the catalog says how alerts get to people."""
    project = index.catalog.project
    if project.routing is None:
        return {}
    config = alertmanager(index, project.routing)
    validate.has_templates("alertmanager/alertmanager.yml", config, MESSAGES.read_text(encoding="utf-8"))
    scraped = prometheus(index, project.routing, rules)
    kept = f"Start it with --storage.tsdb.retention.time={project.retention}."
    made = f"Made by obsgen from {project.at.name}"
    return {
        "alertmanager/alertmanager.yml": yaml_text(config, f"{made} and the teams: change those, not this."),
        f"alertmanager/{TEMPLATES}": MESSAGES.read_text(encoding="utf-8"),
        "prometheus/prometheus.yml": yaml_text(scraped, f"{made} and the sources: change those, not this. {kept}"),
    }


def _dashboards(index: Index, step: Step) -> dict[str, str]:
    # grafanalib takes longer to import than a small catalog to render: only this needs it.
    from obsgen.render.dashboards import dashboards

    files = {}
    total = len(index.catalog.dashboards)
    for done, (uid, data) in enumerate(dashboards(index)):
        step("rendering dashboards", done, total)
        path = f"grafana/dashboards/{uid}.json"
        validate.fits_schema("dashboard", path, data)
        validate.is_promql(path, validate.dashboard_expressions(data))
        files[path] = json_text(data, sort_keys=True)
    return files


def _catalog(index: Index) -> dict[str, str]:
    data = catalog(index)
    validate.fits_schema("catalog", "catalog.json", data)
    return {"catalog.json": json_text(data), SCHEMA_FILE: validate.schema_text("catalog")}
