"""What was reviewed: the files of `generated/`, as one environment should have them.

Nothing else is read: not the definitions, and no file that obsgen did not make.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obsgen.errors import ObsgenError
from obsgen.grafana.instance import Instance
from obsgen.grafana.state import Dashboard, DataSource, Folder, Json, Wanted, parsed
from obsgen.tree import MANIFEST, owned

if TYPE_CHECKING:
    from obsgen.grafana.pages import Pages

CATALOG = "catalog.json"
DASHBOARDS = "grafana/dashboards/"
DOCS = "docs/"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The reviewed artifacts that Grafana is to show.

    Attributes:
        catalog: the catalog's name.
        title: the project's title.
        docs_url: where the docs are read elsewhere.
        grafana_url: where the dashboards are, as the docs say.
        dashboards: the JSON of each dashboard, by its path within the folder.
        pages: the markdown of each page of the docs, by its path within them.
    """

    catalog: str
    title: str
    docs_url: str
    grafana_url: str
    dashboards: Mapping[str, Json]
    pages: Mapping[str, str]


def reviewed(folder: Path) -> Reviewed:
    """Return the reviewed artifacts of an output folder.

    Raises:
        ObsgenError: there are none, or a file is missing or is not what obsgen writes.
    """
    catalog, files = owned(folder)
    if catalog is None:
        hint = f"run `obsgen generate` first, or name the folder with --generated\n    ({folder / MANIFEST} is missing)"
        raise ObsgenError(f"{folder} has no artifacts of obsgen\n    {hint}")
    project = _json(folder / CATALOG).get("project")
    if not isinstance(project, dict):
        raise ObsgenError(f"{folder / CATALOG} has no project\n    run `obsgen generate`")
    dashboards = {p: _json(folder / p) for p in files if p.startswith(DASHBOARDS) and p.endswith(".json")}
    for path, content in dashboards.items():
        if not content.get("uid") or not content.get("title"):
            raise ObsgenError(f"{folder / path} is a dashboard without a uid or a title\n    run `obsgen generate`")
    if not dashboards:
        raise ObsgenError(
            f"{folder} has no dashboards\n    all that is in Grafana would be deleted: run `obsgen generate`"
        )
    return Reviewed(
        catalog=catalog,
        title=str(project.get("title") or catalog),
        docs_url=str(project.get("docs_url", "")),
        grafana_url=str(project.get("grafana_url", "")),
        dashboards=dashboards,
        pages={p.removeprefix(DOCS): _text(folder / p) for p in files if p.startswith(DOCS) and p.endswith(".md")},
    )


def wanted(artifacts: Reviewed, instance: Instance, source: DataSource | None) -> Wanted:
    """Return what an environment should have.

    Args:
        artifacts: what was reviewed.
        instance: the catalog in the environment.
        source: the data source that the dashboards read there; None to leave that open.

    Raises:
        ObsgenError: two dashboards have the same uid there.
    """
    folders = {instance.folder.uid: instance.folder}
    if instance.environment.docs and artifacts.pages:
        folders[instance.docs_folder.uid] = instance.docs_folder
    dashboards: dict[str, Dashboard] = {}
    for _, content, folder in dressed(artifacts, instance, source):
        dashboard = Dashboard(content, folder.uid).with_mark()
        if dashboard.uid in dashboards:
            raise ObsgenError(f"two dashboards have the uid {dashboard.uid!r}: rename one of them in the definitions")
        dashboards[dashboard.uid] = dashboard
    return Wanted(owner=instance.owner, folders=folders, dashboards=dashboards)


def dressed(artifacts: Reviewed, instance: Instance, source: DataSource | None) -> Iterator[tuple[Json, Json, Folder]]:
    """Yield each reviewed dashboard, what it is in the environment, and its folder there."""
    shown: list[tuple[Json, Json, Folder]] = [(each, each, instance.folder) for each in artifacts.dashboards.values()]
    if instance.environment.docs and artifacts.pages:
        # Only here: grafanalib takes a while to import.
        from obsgen.grafana.links import DocsLinks

        pages = _pages(artifacts, instance)
        links = DocsLinks(pages, instance.owner)
        shown = [(each, links.local(each), folder) for each, _, folder in shown]
        shown += [(page, page, instance.docs_folder) for page in pages.dashboards()]
    for each, content, folder in shown:
        yield each, instance.dress(_titled_apart(content, folder), source), folder


def _pages(artifacts: Reviewed, instance: Instance) -> Pages:
    from obsgen.grafana.pages import Pages

    return Pages(
        artifacts.catalog,
        artifacts.title,
        artifacts.pages,
        docs_url=artifacts.docs_url,
        grafana_url=artifacts.grafana_url,
        instance=instance,
        boards=[str(each["uid"]) for each in artifacts.dashboards.values()],
    )


def _titled_apart(content: Json, folder: Folder) -> Json:
    """Return a dashboard with a title that is not its folder's: Grafana before 11.3 takes no such."""
    return {**content, "title": f"{content['title']} (dashboard)"} if content["title"] == folder.title else content


def _json(path: Path) -> Json:
    text = _text(path)
    try:
        found: Any = parsed(text)
    except ValueError as error:
        raise ObsgenError(f"{path} is not JSON: {error}\n    run `obsgen generate`, or restore it") from None
    if not isinstance(found, dict):
        raise ObsgenError(f"{path} is not a JSON object\n    run `obsgen generate`, or restore it")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ObsgenError(f"cannot read {path}: {why}\n    run `obsgen generate`, or restore it") from None
