"""The docs as dashboards of text panels: a dashboard for each page, a panel for each of its sections.

Links between pages lead from dashboard to dashboard, and those to the dashboards stay in the same Grafana.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from obsgen.grafana.instance import LONGEST_UID, shortened
from obsgen.grafana.state import Json
from obsgen.layout import COLUMNS, WIDE, stable_id, text_rows
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
        uids: the uid here of each dashboard that they may name.
    """

    def __init__(
        self,
        catalog: str,
        title: str,
        texts: Mapping[str, str],
        *,
        docs_url: str,
        grafana_url: str,
        uids: Mapping[str, str],
    ) -> None:
        self.catalog = catalog
        self.title = title
        self.docs_url = docs_url.rstrip("/")
        self.uids = uids
        self.sections = {path: list(_sections(text)) for path, text in texts.items()}
        self.titles = self._titles(texts)
        self._board = re.compile(re.escape(grafana_url.rstrip("/")) + r"/d/([A-Za-z0-9_-]+)[^?#]*(\?[^#]*)?")

    def uid(self, path: str) -> str:
        """Return the uid of a page's dashboard, before an environment changes it."""
        name = path.removesuffix(".md")
        # Uids are short, and most of the pages are runbooks.
        kind, name = ("runbook", name.removeprefix(RUNBOOKS)) if name.startswith(RUNBOOKS) else ("docs", name)
        return shortened(f"{self.catalog}-{kind}-{slug(name)}", LONGEST_UID)

    def dashboards(self, here: Mapping[str, str]) -> Iterator[Json]:
        """Yield the dashboards.

        Args:
            here: the uid in this environment of each uid.
        """
        for path in self.sections:
            yield self._dashboard(path, here)

    def _titles(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Return a title for each page, none twice: Grafana before 11.3 takes a title once a folder."""
        found: dict[str, str] = {}
        for path, text in texts.items():
            first = text.split("\n", 1)[0].removeprefix("# ").strip()
            title = first or path
            found[path] = f"{title} ({path.removesuffix('.md')})" if title in found.values() else title
        return found

    def _dashboard(self, path: str, here: Mapping[str, str]) -> Json:
        uid, panels, top = self.uid(path), [], 0
        for section in self.sections[path]:
            text = self._linked(path, section.text, here)
            # What fits a wide screen fits a laptop's, too, once the menu is closed; with it a long table scrolls.
            height = text_rows(section.text, COLUMNS, titled=bool(section.heading), screen=WIDE)
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
            tags=[f"{self.catalog}-docs"],
            panels=panels,
            variables=[],
            annotations=[],
            family=(f"{self.title} dashboards", self.catalog),
            docs=("This page where it is reviewed", f"{self.docs_url}/{path}"),
            time="6h",
            refresh="",
        )

    def _linked(self, path: str, text: str, here: Mapping[str, str]) -> str:
        lines, fenced = [], False
        for line in text.split("\n"):
            fenced ^= bool(_FENCE.match(line))
            lines.append(line if fenced else _LINK.sub(lambda found: self._link(found, path, here), line))
        return "\n".join(lines)

    def _link(self, found: re.Match[str], path: str, here: Mapping[str, str]) -> str:
        if found[1]:
            return found[0]
        return f"]({self._target(found[2], path, here)})"

    def _target(self, target: str, path: str, here: Mapping[str, str]) -> str:
        """Return where a link of a page leads here: without a slash before, it is below Grafana's own address."""
        board = self._board.fullmatch(target)
        if board and board[1] in self.uids:
            return f"d/{self.uids[board[1]]}{board[2] or ''}"
        if re.match(r"[a-z]+:", target):
            return target
        file, _, fragment = target.partition("#")
        page = posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path
        if page not in self.sections:
            return f"{self.docs_url}/{page}{'#' + fragment if fragment else ''}"
        uid = self.uid(page)
        section = next((s for s in self.sections[page] if fragment and fragment in s.anchors), None)
        # The first section is what one sees anyhow.
        wanted = section if section is not self.sections[page][0] else None
        panel = f"?viewPanel={stable_id(uid, 'section', wanted.heading)}" if wanted else ""
        return f"d/{here[uid]}{panel}"


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
