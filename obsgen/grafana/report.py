"""What is said of a live Grafana: a plan as a tree, and what came of it; the same for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from obsgen.grafana.apply import Outcome, Result
from obsgen.grafana.diff import Difference
from obsgen.grafana.plan import Action, Edit, Kind, Plan
from obsgen.grafana.pushing import Pulled
from obsgen.grafana.runs import Run
from obsgen.grafana.session import Session
from obsgen.grafana.state import Folder, Json
from obsgen.report import Document, Lines, say
from obsgen.secrets import redacted
from obsgen.style import columns, printable

MOST_LINES = 16
"""Lines of one dashboard's differences that people are shown; machines get all."""
_SIGNS = {Kind.CREATE: "+", Kind.UPDATE: "~", Kind.DELETE: "-", Kind.KEEP: "!", Kind.REFUSE: "x"}
_COLOURS = {Kind.CREATE: "green", Kind.UPDATE: "yellow", Kind.DELETE: "red", Kind.KEEP: "magenta", Kind.REFUSE: "red"}
_COUNTED = {
    Kind.CREATE: "new",
    Kind.UPDATE: "changed",
    Kind.DELETE: "deleted",
    Kind.KEEP: "edited by hand and kept",
    Kind.REFUSE: "refused",
}
_RUNS = ("run", "command", "commit", "new", "changed", "deleted", "undoes")


class TextReport(Lines):
    """For people."""

    def __init__(self) -> None:
        super().__init__("nothing was changed in Grafana")

    def planned(self, session: Session, plan: Plan, hint: str = "") -> None:
        """Print a plan as a tree, and what to do with it."""
        say(f"{_where(session)}\n")
        for folder, actions in _by_folder(plan, session):
            say(folder)
            for action in actions:
                self._action(action)
            say()
        for note in plan.notes:
            say(printable(note), fg="yellow")
        say(_summary(plan) + (f"; {hint}" if hint and plan.writes else ""))

    def applied(self, session: Session, run: Run | None, outcomes: Sequence[Outcome], seconds: float) -> None:
        """Print what was not done, and how the rest can be undone."""
        for outcome in outcomes:
            if outcome.result is not Result.DONE:
                colour = "red" if outcome.result is Result.FAILED else "yellow"
                say(f"{outcome.result.value:<7} {_name(outcome.action)}: {outcome.reason}", fg=colour, err=True)
        counts = Counter(outcome.result for outcome in outcomes)
        said = ", ".join(f"{counts[result]} {result.value}" for result in Result if counts[result])
        took = f"in {seconds:.1f} s with {session.requests} requests"
        back = f"\nundo it with `obsgen grafana undo {run.name}`" if run is not None and counts[Result.DONE] else ""
        again = "; run it again for the rest" if len(counts) > 1 or not counts[Result.DONE] else ""
        say(f"{said} {took}{again}{back}")

    def links(self, session: Session, uids: Iterable[str]) -> None:
        """Print where dashboards are."""
        for uid in uids:
            say(session.link(uid))

    def pulled(self, pulled: Pulled) -> None:
        """Print what differs from what was reviewed, and where it is saved."""
        by = f", last saved by {pulled.by} on {_moment(pulled.at)}" if pulled.by else ""
        say(printable(f"{pulled.title} ({pulled.uid}){by}"))
        for line in _lines(pulled.changes, "  ") or ["  is as it was reviewed"]:
            say(line)
        if pulled.changes:
            say(f"saved to {pulled.path}; compare it with {pulled.reviewed}, and change the definitions")

    def runs(self, found: Sequence[Run]) -> None:
        """Print the runs that can be undone."""
        say(columns(_RUNS, [_row(run) for run in found]) if found else "there are no runs")

    def finish(self) -> None:
        """Print nothing more."""

    def _action(self, action: Action) -> None:
        because = f": {printable(action.reason)}" if action.reason else ""
        say(f"  {_SIGNS[action.kind]}", fg=_COLOURS[action.kind], end=False)
        say(f" {_name(action)}{because}")
        if action.edit is not None:
            say(f"      {_edited(action.edit)}")
            for line in _lines(action.edit.differences or (), "        "):
                say(line)
            if action.edit.meanwhile:
                say("      reviewed meanwhile:")
            for line in _lines(action.edit.meanwhile, "        "):
                say(line)
        if action.kind is not Kind.REFUSE and (action.edit is None or action.edit.differences is None):
            for line in _lines(action.changes, "      "):
                say(line)


def _where(session: Session) -> str:
    version = f" {session.version}" if session.version else ""
    organisation = f" ({session.organisation})" if session.organisation else ""
    owner = session.owner.partition(":")[2]
    return printable(f"Grafana{version} at {session.environment.url}{organisation}: {owner} at {session.commit}")


def _by_folder(plan: Plan, session: Session) -> list[tuple[str, list[Action]]]:
    titles = dict(session.folders)
    found: dict[str, list[Action]] = {}
    for action in plan.actions:
        found.setdefault(action.folder, []).append(action)
        if isinstance(action.before or action.after, Folder):
            titles[action.uid] = action.title
    return [(printable(titles.get(uid, uid or "General")), actions) for uid, actions in found.items()]


def _name(action: Action) -> str:
    return printable(f"{'folder ' if action.subject == 'folder' else ''}{action.title} ({action.uid})")


def _edited(edit: Edit) -> str:
    by = printable(edit.by) or "somebody"
    at = f" on {_moment(edit.at)}" if edit.at else ""
    if edit.differences is None:
        return f"edited by {by}{at}; Grafana no longer says what was there before"
    often = f", the last of {edit.saves} times" if edit.saves > 1 else ""
    return f"edited by {by}{at}{often}:"


def _moment(at: str) -> str:
    # All of it is searched for secrets before it is cut.
    said = printable(redacted(at))
    return said[:16].replace("T", " ") + (" UTC" if said.endswith("Z") else "") or "some day"


def _lines(changes: Sequence[Difference], indent: str) -> list[str]:
    """Return differences as lines, not more than people read."""
    lines = [f"{indent}{line}" for each in changes for line in each.lines()]
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = [f"{indent}... and {len(lines) - MOST_LINES} lines more (--format json has all)"]
    return lines


def _summary(plan: Plan) -> str:
    counts = Counter(action.kind for action in plan.actions)
    said = [f"{counts[kind]} {_COUNTED[kind]}" for kind in Kind if counts[kind]]
    rest = [f"{plan.unchanged} unchanged"] if plan.unchanged else []
    return ", ".join([*said, *rest] if said else ["nothing to do", *rest])


def _row(run: Run) -> tuple[str, ...]:
    counts = Counter(entry.kind for entry in run.entries)
    numbers = [str(counts[kind.value]) for kind in (Kind.CREATE, Kind.UPDATE, Kind.DELETE)]
    return (run.name, run.facts.command, run.facts.commit or "-", *numbers, run.facts.undoes or "-")


class JsonReport(Document):
    """For machines: one document with `actions`, and after a run `outcomes` and `run`."""

    def __init__(self) -> None:
        super().__init__(actions=[])
        self.said: Json = {}

    def planned(self, session: Session, plan: Plan, hint: str = "") -> None:
        """Keep a plan for the document."""
        self.said |= {
            "grafana": {
                "url": session.environment.url,
                "version": session.version,
                "organisation": session.organisation,
            },
            "environment": session.environment.name,
            "owner": session.owner,
            "commit": session.commit,
            "actions": [_json(action) for action in plan.actions],
            "unchanged": plan.unchanged,
            "notes": list(plan.notes),
        }

    def applied(self, session: Session, run: Run | None, outcomes: Sequence[Outcome], seconds: float) -> None:
        """Keep what came of it for the document."""
        came = [
            {"subject": o.action.subject, "uid": o.action.uid, "result": o.result.value, "reason": o.reason}
            for o in outcomes
        ]
        self.said |= {"outcomes": came, "run": run.name if run is not None else None, "requests": session.requests}

    def links(self, session: Session, uids: Iterable[str]) -> None:
        """Keep where dashboards are for the document."""
        self.said |= {"links": [session.link(uid) for uid in uids]}

    def pulled(self, pulled: Pulled) -> None:
        """Keep what differs for the document."""
        self.said |= {
            "uid": pulled.uid,
            "title": pulled.title,
            "file": str(pulled.path),
            "reviewed": pulled.reviewed,
            "updated_by": pulled.by,
            "updated": pulled.at,
            "changes": [each.as_json() for each in pulled.changes],
        }

    def runs(self, found: Sequence[Run]) -> None:
        """Keep the runs for the document."""
        self.said |= {"runs": [dict(zip(_RUNS, _row(run), strict=True)) for run in found]}

    def finish(self) -> None:
        """Print the document."""
        self.print(**self.said)


def _json(action: Action) -> Json:
    return {
        "kind": action.kind.value,
        "subject": action.subject,
        "uid": action.uid,
        "title": action.title,
        "folder": action.folder,
        "reason": action.reason,
        "changes": [each.as_json() for each in action.changes],
        "edit": None if action.edit is None else action.edit.as_json(),
    }
