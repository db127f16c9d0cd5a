"""Links to the docs, led to their dashboards where these stand beside: a runbook is needed when the code host is down.

The reviewed JSON links to the docs' home, which works for those who provision the files by themselves. In a table, a
link to the page that a row names, `DOCS/runbooks/${__data.fields.Runbook}.md`, is led there by value mappings, for the
uid of a page is not its name: they make the field `Runbook`, which an override hides, show the uid, and the link reads
what the field shows. Where no field is hidden for that, the link searches for the page.
"""

from __future__ import annotations

import re
from typing import Any

from obsgen.grafana.pages import Pages
from obsgen.grafana.state import Json

_TEMPLATE = re.compile(r"\$\{[^}]+\}")
_FIELD = re.compile(r"\$\{__data\.fields\.(\w+)(\.text)?\}|\$\{__data\.fields\[\"([^\"]+)\"\](\.text)?\}")


class DocsLinks:
    """Leads links to the docs to their dashboards.

    Args:
        pages: the docs.
        owner: the tag of all dashboards of this environment.
    """

    def __init__(self, pages: Pages, owner: str) -> None:
        self.pages = pages
        self.owner = owner
        self._address = re.compile(re.escape(f"{pages.docs_url}/") + r"[^\s()<>\"'\]]+")

    def local(self, content: Json) -> Json:
        """Return a reviewed dashboard whose links to the docs stay in Grafana."""
        panels = [self._panel(panel) for panel in content.get("panels") or ()]
        said = {key: self._urls(value) for key, value in content.items() if key != "panels"}
        return {**said, **({"panels": panels} if "panels" in content else {})}

    def _panel(self, panel: Json) -> Json:
        said: Json = {}
        for key, value in panel.items():
            said[key] = [self._panel(each) for each in value] if key == "panels" else self._urls(value)
        options = said.get("options")
        if panel.get("type") == "text" and isinstance(options, dict) and isinstance(options.get("content"), str):
            # In texts an address without a slash before is below Grafana's own.
            text = self._address.sub(lambda found: self._page(found[0]).removeprefix("/"), options["content"])
            said["options"] = {**options, "content": text}
        return self._rows(said)

    def _urls(self, value: Any) -> Any:
        """Return a value in which the links to pages, however deep, lead to their dashboards."""
        if isinstance(value, list):
            return [self._urls(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            key: self._page(each) if key == "url" and isinstance(each, str) else self._urls(each)
            for key, each in value.items()
        }

    def _page(self, url: str) -> str:
        """Return where a link leads here; the link itself where that is no page of the docs, or more than one."""
        page = self._within(url)
        if page is None or _TEMPLATE.search(page):
            return url
        target = self.pages.target(page)
        return f"/{target}" if target else url

    def _within(self, url: str) -> str | None:
        root = f"{self.pages.docs_url}/"
        return url[len(root) :] if url.startswith(root) else None

    def _rows(self, panel: Json) -> Json:
        """Return a panel whose links to the page of what they stand on lead there, or to a search for it."""
        config = panel.get("fieldConfig")
        if not isinstance(config, dict):
            return panel
        named: dict[str, list[Json]] = {}
        said = self._templates(config, _hidden(config), named)
        overrides = [
            {**each, "properties": [*each.get("properties", []), {"id": "mappings", "value": named[name]}]}
            if (name := _name(each)) in named
            else each
            for each in said.get("overrides") or ()
        ]
        return {**panel, "fieldConfig": {**said, **({"overrides": overrides} if "overrides" in said else {})}}

    def _templates(self, value: Any, hidden: set[str], named: dict[str, list[Json]]) -> Any:
        if isinstance(value, list):
            return [self._templates(each, hidden, named) for each in value]
        if not isinstance(value, dict):
            return value
        said = {key: self._templates(each, hidden, named) for key, each in value.items()}
        page = self._within(value["url"]) if isinstance(value.get("url"), str) else None
        template = _TEMPLATE.search(page) if page else None
        if page is None or template is None:
            return said
        before, after = page[: template.start()], page[template.end() :]
        field = _FIELD.fullmatch(template[0])
        name = (field[1] or field[3]) if field else ""
        if name in hidden and name not in named:
            named[name] = self._mappings(before, after)
            return {**said, "url": f"/d/{template[0]}"}
        return {**said, "url": f"/dashboards?query={template[0]}&tag={self.pages.tag}&tag={self.owner}"}

    def _mappings(self, before: str, after: str) -> list[Json]:
        """Return how the names of pages become the uids of their dashboards."""
        uids = {
            path[len(before) : len(path) - len(after)]: self.pages.here(path)
            for path in self.pages.sections
            if path.startswith(before) and path.endswith(after)
        }
        options = {name: {"index": n, "text": uid} for n, (name, uid) in enumerate(sorted(uids.items()))}
        found: list[Json] = [{"type": "value", "options": options}] if options else []
        if "index.md" in self.pages.sections:
            # What has no page leads to the first one.
            result = {"index": len(options), "text": self.pages.here("index.md")}
            found.append({"type": "regex", "options": {"pattern": ".*", "result": result}})
        return found


def _hidden(config: Json) -> set[str]:
    """Return the names of the fields that overrides hide and that have no mappings of their own."""
    return {
        name
        for each in config.get("overrides") or ()
        if (name := _name(each))
        and any(_hides(prop) for prop in each.get("properties") or ())
        and all(prop.get("id") != "mappings" for prop in each.get("properties") or ())
    }


def _hides(prop: Json) -> bool:
    # A table takes no notice of the whole `custom.hideFrom`.
    return prop.get("id") in ("custom.hidden", "custom.hideFrom.viz") and prop.get("value") is True


def _name(override: Json) -> str:
    matcher = override.get("matcher") or {}
    return str(matcher.get("options", "")) if matcher.get("id") == "byName" else ""
