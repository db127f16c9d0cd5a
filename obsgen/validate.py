"""The last look at artifacts, before anything is written: schemas, PromQL, links.

What fails here is a mistake of obsgen, not of a definition: the checks have passed.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from obsgen.errors import ObsgenError
from obsgen.promql import reader
from obsgen.render.links import anchor

SCHEMAS = Path(__file__).parent / "schemas"
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_VARIABLE_QUERY = re.compile(r"label_values\((.*), (\w+)\)")


def schema_text(kind: str) -> str:
    """Return the JSON Schema of a kind of artifact: `dashboard`, `rules` or `catalog`."""
    return (SCHEMAS / f"{kind}.schema.json").read_text(encoding="utf-8")


@cache
def _validator(kind: str) -> Any:
    from jsonschema import Draft202012Validator, validators

    schema = json.loads(schema_text(kind))
    fast = validators.extend(Draft202012Validator, {"properties": _properties})  # type: ignore[no-untyped-call]
    return fast(_inlined(schema, schema["$defs"]))


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Return a schema with its references replaced by what they refer to: following them takes a third of the time."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    return {key: _inlined(each, definitions) for key, each in schema.items() if key != "$defs"}


_TEXT = {"type": "string", "minLength": 1}
_PLAIN = {str: {"type": "string"}, bool: {"type": "boolean"}, int: {"type": "integer"}, float: {"type": "number"}}


def _properties(validator: Any, properties: Any, instance: Any, _: Any) -> Iterator[Any]:
    """Check the properties of an object as jsonschema does, without its detour for plain texts and numbers."""
    for name, schema in properties.items() if isinstance(instance, dict) else ():
        if name not in instance:
            continue
        value = instance[name]
        if schema != _PLAIN.get(type(value)) and not (schema == _TEXT and value and isinstance(value, str)):
            yield from validator.descend(value, schema, path=name, schema_path=name)


def fits_schema(kind: str, name: str, data: Any) -> None:
    """Check plain data against the schema of its kind.

    Raises:
        ObsgenError: it does not fit; the message says where.
    """
    for error in _validator(kind).iter_errors(data):
        raise ObsgenError(f"{name} breaks the {kind} schema at {error.json_path}: {error.message}")


def is_promql(name: str, expressions: Iterator[str]) -> None:
    """Parse the PromQL of an artifact.

    Raises:
        ObsgenError: an expression does not parse.
    """
    for expr in expressions:
        try:
            reader.parse(expr.replace("$__rate_interval", "5m"))
        except reader.PromQLError as error:
            raise ObsgenError(f"{name} has an expression that is not PromQL ({error}): {expr}") from None


def rule_expressions(file: Mapping[str, Any]) -> Iterator[str]:
    """Yield the expressions of a rule file."""
    for group in file["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]


def dashboard_expressions(dashboard: Mapping[str, Any]) -> Iterator[str]:
    """Yield the expressions of a dashboard: of its panels, its variables and its annotations."""
    for panel in dashboard["panels"]:
        for each in (panel, *panel.get("panels", ())):
            for target in each.get("targets", ()):
                yield target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        if "expr" in annotation:
            yield annotation["expr"]
    for variable in dashboard["templating"]["list"]:
        found = _VARIABLE_QUERY.fullmatch(variable.get("definition", ""))
        if found:
            yield found[1]


def links_hold(pages: Mapping[str, str], docs_url: str, others: Mapping[str, str]) -> None:
    """Check that every link into the docs leads to a page, and to a heading on it.

    Args:
        pages: the pages of the docs, by their path.
        docs_url: where the docs are published.
        others: the texts of other artifacts, by their path, with links into the docs.

    Raises:
        ObsgenError: a link is dead.
    """
    plain = {path: _FENCE.sub("", text) for path, text in pages.items()}
    anchors = {path: {anchor(title) for title in _HEADING.findall(text)} for path, text in plain.items()}

    def look(place: str, target: str, page: str, heading: str) -> None:
        if page not in pages or (heading and heading not in anchors[page]):
            raise ObsgenError(f"{place} links to {target}, which is not there")

    for path, text in plain.items():
        for target in _LINK.findall(text):
            if "://" not in target:
                file, _, heading = target.partition("#")
                page = posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path
                look(f"docs/{path}", target, page, heading)
    # Only the links that obsgen makes: what people write may lead to other pages of the same site.
    made = r"(?:runbook_url|docs_url|url)\"?: \"?" + re.escape(docs_url.rstrip("/"))
    into_docs = re.compile(made + r"/([^\s\"'#]+)#?([^\s\"']*)")
    for path, text in others.items():
        for found in into_docs.finditer(text):
            # Grafana fills in the name of an alert: each has a runbook.
            if "${__data." in found[1]:
                continue
            look(path, f"{found[1]}#{found[2]}", found[1], found[2])


_DEFINED = re.compile(r'\{\{-? *define "([^"]+)"')
_USED = re.compile(r'\{\{-? *template "([^"]+)"')


def has_templates(name: str, config: Any, templates: str) -> None:
    """Check that every template that a configuration or a template calls is defined, and nothing else is called.

    Alertmanager reads the texts of a configuration only at the moment of an alert: they may call templates, which it
    reads when it starts, and do nothing else.

    Raises:
        ObsgenError: a template is not there, or a text does more than calling one.
    """
    known = set(_DEFINED.findall(templates))
    for text in (text for text in _texts(config) if "{{" in text):
        called = re.fullmatch(r'\{\{ template "([^"]+)" \. \}\}', text)
        if not called or called[1] not in known:
            raise ObsgenError(f"{name} has the text {text!r}, which no template file defines")
    for called_by_template in _USED.findall(templates):
        if called_by_template not in known:
            raise ObsgenError(f"the template {called_by_template!r} is called, and not defined")


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    for each in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from _texts(each)
