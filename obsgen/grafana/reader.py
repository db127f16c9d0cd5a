"""What is in a Grafana, read with as few requests as tell it: one for each dashboard, and some for the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import TypeVar

from obsgen.grafana.api import INITIAL, Grafana
from obsgen.grafana.errors import GrafanaError, Refused
from obsgen.grafana.messages import is_pushed, is_restored
from obsgen.grafana.plan import suspects
from obsgen.grafana.state import (
    MARK,
    Dashboard,
    DataSource,
    Folder,
    History,
    Json,
    Live,
    LiveDashboard,
    Version,
    Wanted,
    checksum,
    own,
    same,
)
from obsgen.style import printable

Step = Callable[[str, int, int], None]
"""Is told what is being done, and how much of how much."""
T = TypeVar("T")
_PROMETHEUS = ("prometheus", "grafana-amazonprometheus-datasource", "grafana-azureprometheus-datasource")


def each(
    things: Iterable[str],
    work: Callable[[str], T],
    connections: int,
    step: Callable[[int, int], None] = lambda *_: None,
) -> Iterator[tuple[str, T]]:
    """Yield what comes of some work on each of many things, as it is done; an error ends it all.

    With one connection it is done in this thread, one after the other.
    """
    todo = list(things)
    if connections == 1:
        for done, thing in enumerate(todo, 1):
            yield thing, work(thing)
            step(done, len(todo))
        return
    with ThreadPoolExecutor(connections) as pool:
        running = {pool.submit(work, thing): thing for thing in todo}
        try:
            for done, future in enumerate(as_completed(running), 1):
                yield running[future], future.result()
                step(done, len(todo))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class Reader:
    """Reads a live Grafana.

    Args:
        grafana: the Grafana.
        step: is told what is being done.
    """

    def __init__(self, grafana: Grafana, step: Step = lambda *_: None) -> None:
        self.grafana = grafana
        self.connections = grafana.transport.environment.connections
        self.step = step

    def live(self, wanted: Wanted) -> Live:
        """Return what matters for what is wanted.

        Raises:
            GrafanaError: it cannot be read.
        """
        self.step("reading folders", 0, 0)
        folders, namesakes = self._folders(wanted.folders)
        tagged = [uid for uid in self.grafana.tagged(wanted.owner) if uid not in wanted.dashboards]
        dashboards = self.dashboards([*wanted.dashboards, *tagged], wanted.dashboards)
        doubtful = suspects(wanted, Live(folders, dashboards, {}, namesakes))
        return Live(folders, self._named(dashboards, doubtful), self.histories(doubtful, wanted.owner), namesakes)

    def dashboards(
        self, uids: Iterable[str], wanted: Mapping[str, Dashboard] | None = None
    ) -> dict[str, LiveDashboard]:
        """Return the dashboards that are there, by uid, in the order that was asked for.

        Args:
            uids: of which.
            wanted: what is wanted, by uid.
        """
        should = wanted or {}

        def read(uid: str) -> LiveDashboard | None:
            found = self.grafana.dashboard(uid)
            if found is not None and not (uid in should and same(should[uid], found)):
                # Will be needed, and costs least while other answers are waited for.
                _ = found.checksum
            return found

        todo = list(dict.fromkeys(uids))
        found = dict(each(todo, read, self.connections, lambda n, of: self.step("reading dashboards", n, of)))
        return {uid: dashboard for uid in todo if (dashboard := found[uid]) is not None}

    def _named(
        self, dashboards: Mapping[str, LiveDashboard], doubtful: Iterable[LiveDashboard]
    ) -> dict[str, LiveDashboard]:
        """Return dashboards with who saved the doubtful ones last, where that is not known yet."""
        unnamed = [found.uid for found in doubtful if not found.updated_by]
        named = dict(each(unnamed, self.grafana.editor, self.connections))
        return {uid: replace(d, updated_by=named[uid]) if named.get(uid) else d for uid, d in dashboards.items()}

    def histories(self, dashboards: Iterable[LiveDashboard], owner: str) -> dict[str, History]:
        """Return the histories of some dashboards, by uid."""
        by_uid = {dashboard.uid: dashboard for dashboard in dashboards}
        return dict(
            each(
                by_uid,
                lambda uid: self._history(by_uid[uid], owner),
                self.connections,
                lambda n, of: self.step("reading histories", n, of),
            )
        )

    def folder(self, uid: str) -> Folder | None:
        """Return a folder, None where there is none."""
        return self.grafana.folder(uid)

    def _folders(self, wanted: Iterable[str]) -> tuple[dict[str, Folder], dict[str, str]]:
        there = self.grafana.folders()
        found = {}
        for uid in wanted:
            # A folder that the settings name may be inside of another, and is not in the list then.
            folder = there.get(uid) or self.grafana.folder(uid)
            if folder is not None:
                found[uid] = folder
        return found, {folder.title: uid for uid, folder in there.items() if uid not in found}

    def _history(self, found: LiveDashboard, owner: str) -> History:
        uid = found.uid
        try:
            versions = self.grafana.versions(uid)
        except Refused:
            # It may not be shown, or be gone by now.
            return History(())
        ours = False
        for number, version in enumerate(versions):
            content: Json | None = None
            if version.message == INITIAL or is_pushed(owner, version) or is_restored(owner, version):
                # The list of the history does not tell what was written about a first version.
                version, content = self._version(uid, version)
                versions[number] = version
            restored = is_restored(owner, version)
            ours = ours or restored or is_pushed(owner, version)
            kept = None if content is None else {**own(content), "uid": uid}
            # What was restored is obsgen's own work where its mark is right, and else an edit of somebody's.
            right = content is not None and kept is not None and content.get(MARK) == checksum(kept, found.folder)
            if is_pushed(owner, version) or (restored and right):
                return History(tuple(versions), ours, version, kept)
        return History(tuple(versions), ours)

    def _version(self, uid: str, version: Version) -> tuple[Version, Json | None]:
        try:
            return self.grafana.version_of(uid, version.number)
        except Refused:
            return version, None


def data_source(grafana: Grafana, name: str) -> DataSource:
    """Return the Prometheus that the dashboards are to read.

    Args:
        grafana: the Grafana.
        name: its uid or name; empty for the only one that there is.

    Raises:
        GrafanaError: there is none such, or there are several.
    """
    hint = "set datasource = in the environment's table, or GRAFANA_DATASOURCE, to its uid"
    try:
        listed = grafana.data_sources()
    except Refused as error:
        if error.status != 403:
            raise
        return _by_uid(grafana, name, error)
    fitting = [source for source in listed if source.type in _PROMETHEUS]
    if name:
        found = next((s for s in listed if s.uid == name), None) or next((s for s in listed if s.name == name), None)
        if found is None:
            raise GrafanaError(f"there is no data source {name!r}\n    {_known(fitting)}")
        if found not in fitting:
            raise GrafanaError(
                f"the data source {name!r} is of the type {found.type}, not Prometheus\n    {_known(fitting)}"
            )
        return found
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise GrafanaError("Grafana has no Prometheus as data source\n    add one; dashboards without data help nobody")
    raise GrafanaError(f"there are {len(fitting)} Prometheus data sources\n    {hint}; {_known(fitting)}")


def _known(fitting: list[DataSource]) -> str:
    return (
        printable(f"there are: {', '.join(f'{s.name} ({s.uid})' for s in fitting)}")
        if fitting
        else "there is no Prometheus at all"
    )


def _by_uid(grafana: Grafana, uid: str, error: Refused) -> DataSource:
    """Return a data source by its uid, where the token may not list them."""
    if not uid:
        hint = "set datasource = in the environment's table, or GRAFANA_DATASOURCE, to the uid of the Prometheus"
        raise GrafanaError(f"{str(error).splitlines()[0]}\n    {hint}")
    try:
        found = grafana.data_source(uid)
    except Refused as refused:
        if refused.status != 403:
            raise
        # It may not be seen at all: then what the settings say has to do.
        return DataSource(uid, uid, _PROMETHEUS[0])
    if found is None:
        raise GrafanaError(f"there is no data source with the uid {uid!r}")
    if found.type not in _PROMETHEUS:
        raise GrafanaError(f"the data source {uid!r} is of the type {found.type}, not Prometheus")
    return found
