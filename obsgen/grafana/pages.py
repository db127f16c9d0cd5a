"""The docs as dashboards of text panels: a dashboard for each page, a panel for each of its sections.

Links between pages lead from dashboard to dashboard, and those to the dashboards stay in the same Grafana.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from obsgen.grafana.instance import LONGEST_UID, Instance, shortened
from obsgen.grafana.state import Json
from obsgen.layout import COLUMNS, stable_id, text_rows
from obsgen.render import grafana
from obsgen.render.links import anchor
from obsgen.words import slug

RUNBOOKS = "runbooks/"
_FENCE = re.compile(r"\s*(```|~~~)")
_HEADING = re.compile(r"(#{1,6}) (.+)")
_LINK = re.compile(r"(`[^`\n]*`)|\]\(([^()\s]+)\)")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: its heading, empty for what stands before the first, its text, and the anchors in it."""

    heading: str
    text: str
    anchors: frozenset[str]


class Pages:
    """The docs of a catalog.

    Args:
        catalog: the catalog's name.
        title: the project's title.
        texts: the markdown of each page, by its path within the docs.
        docs_url: where people read them elsewhere.
        grafana_url: the address of Grafana in them.
        instance: the catalog in the environment.
        boards: the uids of the dashboards that they may name, before the environment changes them.
    """

    def __init__(
        self,
        catalog: str,
        title: str,
        texts: Mapping[str, str],
        *,
        docs_url: str,
        grafana_url: str,
        instance: Instance,
        boards: Iterable[str],
    ) -> None:
        self.catalog = catalog
        self.title = title
        self.docs_url = docs_url.rstrip("/")
        self.instance = instance
        self.boards = frozenset(boards)
        self.tag = f"{catalog}-docs"
        self.sections = {path: list(_sections(text)) for path, text in texts.items()}
        self.titles = self._titles(texts)
        self._board = re.compile(re.escape(grafana_url.rstrip("/")) + r"/d/([A-Za-z0-9_-]+)[^?#]*(\?[^#]*)?")

    def uid(self, path: str) -> str:
        """Return the uid of a page's dashboard, before an environment changes it."""
        name = path.removesuffix(".md")
        # Uids are short, and most of the pages are runbooks.
        kind, name = ("runbook", name.removeprefix(RUNBOOKS)) if name.startswith(RUNBOOKS) else ("docs", name)
        return shortened(f"{self.catalog}-{kind}-{slug(name)}", LONGEST_UID)

    def here(self, path: str) -> str:
        """Return the uid of a page's dashboard in the environment."""
        return self.instance.uid(self.uid(path))

    def dashboards(self) -> Iterator[Json]:
        """Yield the dashboards; their uids are those before the environment changes them."""
        for path in self.sections:
            yield self._dashboard(path)

    def target(self, page: str) -> str | None:
        """Return where a page is here, below Grafana's address: the panel of a section where one is named.

        Args:
            page: its path within the docs, perhaps with an anchor.

        Returns:
            None where there is no such page.
        """
        file, _, fragment = page.partition("#")
        if file not in self.sections:
            return None
        section = next((s for s in self.sections[file] if fragment and fragment in s.anchors), None)
        # The first section is what one sees anyhow.
        wanted = section if section is not self.sections[file][0] else None
        panel = f"?viewPanel={stable_id(self.uid(file), 'section', wanted.heading)}" if wanted else ""
        return f"d/{self.here(file)}{panel}"

    def _titles(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Return a title for each page, none twice: Grafana before 11.3 takes a title once a folder."""
        found: dict[str, str] = {}
        for path, text in texts.items():
            first = text.split("\n", 1)[0].removeprefix("# ").strip()
            title = first or path
            found[path] = f"{title} ({path.removesuffix('.md')})" if title in found.values() else title
        return found

    def _dashboard(self, path: str) -> Json:
        uid, panels, top = self.uid(path), [], 0
        for section in self.sections[path]:
            text = self._linked(path, section.text)
            height = text_rows(section.text, COLUMNS, titled=bool(section.heading))
            panels.append(
                grafana.panel(
                    "text",
                    id=stable_id(uid, "section", section.heading),
                    title=section.heading,
                    description="",
                    grid=grafana.grid(0, top, COLUMNS, height),
                    options={"mode": "markdown", "content": text},
                )
            )
            top += height
        return grafana.dashboard(
            uid=uid,
            title=self.titles[path],
            description="A page of the docs, generated from the catalog.",
            tags=[self.tag],
            panels=panels,
            variables=[],
            annotations=[],
            family=(f"{self.title} dashboards", self.catalog),
            docs=("This page where it is reviewed", f"{self.docs_url}/{path}"),
            time="6h",
            refresh="",
        )

    def _linked(self, path: str, text: str) -> str:
        lines, fenced = [], False
        for line in text.split("\n"):
            fenced ^= bool(_FENCE.match(line))
            lines.append(line if fenced else _LINK.sub(lambda found: self._link(found, path), line))
        return "\n".join(lines)

    def _link(self, found: re.Match[str], path: str) -> str:
        if found[1]:
            return found[0]
        return f"]({self._target(found[2], path)})"

    def _target(self, target: str, path: str) -> str:
        """Return where a link of a page leads here: without a slash before, it is below Grafana's own address."""
        board = self._board.fullmatch(target)
        if board and board[1] in self.boards:
            return f"d/{self.instance.uid(board[1])}{board[2] or ''}"
        if re.match(r"[a-z]+:", target):
            return target
        file, _, fragment = target.partition("#")
        page = posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path
        whole = f"{page}{'#' + fragment if fragment else ''}"
        return self.target(whole) or f"{self.docs_url}/{whole}"


def _sections(text: str) -> Iterator[Section]:
    """Yield the parts of a page, split before each heading of the second level; its title is the dashboard's."""
    heading, fenced = "", False
    lines: list[str] = []
    anchors: set[str] = set()
    for line in text.split("\n"):
        fenced ^= bool(_FENCE.match(line))
        found = None if fenced else _HEADING.fullmatch(line)
        if found and len(found[1]) == 2:
            if heading or any(lines):
                yield Section(heading, "\n".join(lines).strip(), frozenset(anchors))
            heading, lines, anchors = found[2], [], {anchor(found[2])}
            continue
        if found:
            anchors.add(anchor(found[2]))
        if not (found and len(found[1]) == 1):
            lines.append(line)
    yield Section(heading, "\n".join(lines).strip(), frozenset(anchors))
