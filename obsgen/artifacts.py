"""All artifacts of a catalog as text, by their path: the renderers called, their data written in one style."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from obsgen import validate
from obsgen.index import Index
from obsgen.model.catalog import Catalog
from obsgen.readiness import PLANNED
from obsgen.render.alertmanager import TEMPLATES, alertmanager
from obsgen.render.catalog import SCHEMA_FILE, catalog
from obsgen.render.docs import docs
from obsgen.render.prometheus import prometheus
from obsgen.render.renames import FILE as RENAMES
from obsgen.render.renames import rename_file, rename_tests
from obsgen.render.rule_tests import rule_tests
from obsgen.render.rules import RULES, rule_files
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
    rules, made = rule_files(index), _origins(index)
    tests = {f"tests/{name}.yml": data for name, data in rule_tests(index, rules).items()}
    if (renames := rename_file(index)) is not None:
        rules, tests = rules | {RENAMES: renames}, tests | {f"tests/{Path(RENAMES).name}": rename_tests(index)}
    files = {}
    for place, data in rules.items():
        path = f"prometheus/{place}"
        validate.fits_schema("rules", path, data)
        validate.is_promql(path, validate.rule_expressions(data))
        files[path] = yaml_text(data, made[place])
    for place, data in tests.items():
        files[f"prometheus/{place}"] = yaml_text(data, made[place])
    return files | _routing(index, [place for place in rules if Path(place).parent.name == RULES])


def _origins(index: Index) -> dict[str, str]:
    """Return what stands above each rule file and its tests: where they come from."""
    catalog = index.catalog
    said = {
        RENAMES: "Made by obsgen from the exposures of the metrics: change those, not this.",
        f"tests/{Path(RENAMES).name}": "Made by obsgen from the exposures of the metrics.",
    }
    for domain in catalog.domains:
        made = f"Made by obsgen from {domain.at.name}: change that, not this."
        tested = f"Made by obsgen from the proofs in {domain.at.name}. `obsgen prove` runs all of them."
        said |= {f"{RULES}/{domain.name}.yml": made, f"tests/{domain.name}.yml": tested}
    for watch, lack in index.readiness.waiting.values():
        waits = f"Not loaded: waits for {lack.name}, until the catalog says that it is there."
        said[f"{PLANNED}/{watch.source.name}.yml"] = f"Made by obsgen from {watch.at.name}. {waits}"
    return said


def _routing(index: Index, rules: Iterable[str]) -> dict[str, str]:
    """Return the configurations of Alertmanager and Prometheus, where the catalog says how alerts get to people.

    Args:
        index: the catalog's cross-references.
        rules: paths of the rule files to load, relative to Prometheus' configuration.
    """
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
