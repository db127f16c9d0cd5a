"""A live Grafana is brought to what was reviewed; what is not obsgen's stays as it is."""

from __future__ import annotations

import time

import pytest

from obsgen.grafana.apply import Result
from obsgen.grafana.plan import Kind
from tests.grafana.house import House, board, done

PAGES = {
    "index.md": "# Docs\n\nSee [x](runbooks/Down.md), [board](https://grafana.example.org/d/NAME/x?viewPanel=7).\n",
    "runbooks/Down.md": "# Down\n\nIt is down.\n\n## Mitigation\n\n[Back](../index.md), [here](#mitigation).\n",
}


def lines(home: House) -> list[str]:
    """Return the lines of a plan: what is done, and what that changes."""
    found = []
    for action in home.plan().actions:
        found.append(f"{action.kind.value} {action.uid.removeprefix(home.catalog)}")
        found += [line for change in action.changes for line in change.lines()]
    return found


def test_first_sync_makes_all_and_a_second_finds_nothing_to_do(home: House) -> None:
    home.write(board("a"), board("b"), pages=PAGES)

    assert done(home.sync()) == 6
    again = home.plan()

    assert again.actions == ()
    assert again.unchanged == 4
    found = home.read(home.uid("a"))
    assert found is not None
    assert found["meta"]["folderUid"] == home.catalog
    assert f"obsgen:{home.catalog}" in found["dashboard"]["tags"]
    assert home.folders()[home.catalog] == f"Team {home.catalog}"


def test_a_changed_threshold_is_told_and_written_once(home: House) -> None:
    home.write(board("a"), board("b"))
    home.sync()
    home.write(board("a", limit=300, expr="up == 0"), board("b"))

    assert lines(home) == [
        "update -a",
        'panel "Latency": query A up → up == 0',
        'panel "Latency": threshold red 250 → 300',
    ]
    version = (home.read(home.uid("a")) or {})["meta"]["version"]
    assert done(home.sync()) == 1
    after = home.read(home.uid("a"))
    assert after is not None
    assert after["meta"]["version"] == version + 1
    assert home.limit(home.uid("a")) == 300
    assert home.plan().actions == ()


def test_history_names_catalog_and_commit(home: House) -> None:
    home.shell["CI_COMMIT_SHA"] = "0123456789abcdef"
    home.write(board("a"))
    home.sync()

    got = home.person.get(f"{home.server.url}/api/dashboards/uid/{home.uid('a')}/versions/1").json()
    assert got["message"].startswith(f"obsgen {home.catalog} at ")


def test_what_left_the_artifacts_is_deleted_unless_told_otherwise(home: House) -> None:
    home.write(board("a"), board("b"))
    home.sync()
    home.write(board("a"))

    assert home.plan(prune=False).actions == ()
    assert "has left generated/" in home.plan(prune=False).notes[0]
    assert lines(home) == ["delete -b"]
    assert done(home.sync()) == 1
    assert home.read(home.uid("b")) is None
    assert home.plan().actions == ()


def test_a_copy_by_hand_is_not_pruned_though_it_has_the_tag(home: House) -> None:
    home.write(board("a"))
    home.sync()
    original = (home.read(home.uid("a")) or {})["dashboard"]
    home.save({**original, "id": None, "uid": home.uid("copy"), "title": "Copy"}, home.catalog)

    found = home.plan()

    assert found.actions == ()
    assert "obsgen did not make it" in found.notes[0]
    assert done(home.sync()) == 0
    assert home.read(home.uid("copy")) is not None


def test_a_dashboard_of_nobody_is_refused_until_it_is_adopted(home: House) -> None:
    home.make_folder(home.catalog, f"Team {home.catalog}")
    home.save({"uid": home.uid("a"), "title": "Handmade"}, home.catalog)
    home.write(board("a"))

    found = home.plan()
    assert [action.kind for action in found.actions] == [Kind.REFUSE]
    assert "obsgen did not make it" in found.actions[0].reason
    assert home.sync() == []
    assert (home.read(home.uid("a")) or {})["dashboard"]["title"] == "Handmade"

    assert done(home.sync(adopt=(home.uid("a"),))) == 1
    assert home.plan().actions == ()


def test_an_edit_is_kept_shown_and_overwritten_only_when_told(home: House) -> None:
    home.write(board("a"))
    home.sync()
    home.edit(home.uid("a"), title="By hand", schemaVersion=41, weekStart="")
    home.write(board("a", limit=300))

    (kept,) = home.plan().actions
    assert kept.kind is Kind.KEEP
    assert kept.edit is not None
    assert kept.edit.differences is not None
    told = [line for d in kept.edit.differences for line in d.lines()]
    assert told == [f"title {home.catalog} Board a → By hand"]
    assert [d.what for d in kept.edit.meanwhile] == ["threshold red"]
    assert kept.edit.saves == 1
    assert home.sync() == []
    assert (home.read(home.uid("a")) or {})["dashboard"]["title"] == "By hand"

    assert done(home.sync(edits=True)) == 1
    assert home.limit(home.uid("a")) == 300
    assert home.plan().actions == ()


def test_an_edit_through_the_api_that_keeps_the_mark_is_seen(home: House) -> None:
    home.write(board("a"))
    home.sync()
    home.edit(home.uid("a"), mark=True, title="By script")

    assert [action.kind for action in home.plan().actions] == [Kind.KEEP]


def test_a_move_by_hand_is_an_edit(home: House) -> None:
    home.write(board("a"))
    home.sync()
    home.make_folder(home.uid("else"), f"Else {home.catalog}")
    for mark in (True, False):
        home.edit(home.uid("a"), folder=home.uid("else"), mark=mark)
        (action,) = home.plan().actions
        assert action.kind is Kind.KEEP
        assert action.edit is not None
        assert action.edit.differences is not None
        assert [d.lines() for d in action.edit.differences] == [[f"folder {home.catalog} → {home.uid('else')}"]]

    assert done(home.sync(edits=True)) == 1
    assert (home.read(home.uid("a")) or {})["meta"]["folderUid"] == home.catalog


def test_what_was_moved_by_hand_is_not_pruned(home: House) -> None:
    home.write(board("a"), board("b"), board("c"), pages={"index.md": "# Docs\n"})
    home.sync()
    home.make_folder(home.uid("else"), f"Else {home.catalog}")
    home.edit(home.uid("b"), folder=home.uid("else"), mark=True)
    home.edit(home.uid("c"), folder=f"{home.catalog}-docs", mark=True)
    home.write(board("a"), pages={"index.md": "# Docs\n"})

    # Grafana 12 remembers for half a minute which folders a token may see: a search does not find what is in a new one.
    deadline = time.monotonic() + 60
    while len(actions := home.plan().actions) < 2 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert [action.kind for action in actions] == [Kind.KEEP, Kind.KEEP]


def test_an_older_version_that_somebody_restored_is_an_edit(home: House) -> None:
    home.write(board("a"))
    home.sync()
    home.write(board("a", limit=300))
    home.sync()
    old = home.person.get(f"{home.server.url}/api/dashboards/uid/{home.uid('a')}/versions/1").json()["data"]
    home.save({**old, "id": None}, home.catalog, "Restored from version 1")

    (action,) = home.plan().actions

    assert action.kind is Kind.KEEP
    assert action.edit is not None
    assert action.edit.differences is not None
    told = [line for d in action.edit.differences for line in d.lines()]
    assert told == ['panel "Latency": threshold red 300 → 250']
    assert home.sync() == []
    assert home.limit(home.uid("a")) == 250
    assert done(home.sync(edits=True)) == 1


def test_an_edit_that_was_taken_back_by_hand_is_none(home: House) -> None:
    home.write(board("a"))
    home.sync()
    home.edit(home.uid("a"), title="By hand")
    home.edit(home.uid("a"), title=f"{home.catalog} Board a")
    assert home.plan().actions == ()
    home.write(board("a", limit=300))

    assert [action.kind for action in home.plan().actions] == [Kind.UPDATE]


def test_an_edit_that_was_ported_into_the_definitions_is_none(home: House) -> None:
    home.write(board("a"))
    home.sync()
    panels = board("a", limit=300)["panels"]
    home.edit(home.uid("a"), panels=panels)
    home.write(board("a", limit=300))

    assert home.plan().actions == ()


def test_what_was_deleted_by_hand_comes_back(home: House) -> None:
    home.write(board("a"))
    home.sync()
    home.delete(home.uid("a"))

    assert lines(home) == ["create -a"]
    assert done(home.sync()) == 1


def test_an_edited_dashboard_that_left_the_artifacts_is_kept(home: House) -> None:
    home.write(board("a"), board("b"))
    home.sync()
    home.edit(home.uid("b"), title="By hand")
    home.write(board("a"))

    assert [action.kind for action in home.plan().actions] == [Kind.KEEP]
    assert home.sync() == []
    assert home.read(home.uid("b")) is not None
    assert done(home.sync(edits=True)) == 1
    assert home.read(home.uid("b")) is None


def test_titles_that_change_places_and_move_to_other_uids(home: House) -> None:
    home.write(board("a", "One"), board("b", "Two"), board("c", "Three"), board("d", "Four"))
    home.sync()
    home.write(board("a", "Two"), board("b", "Three"), board("c", "One"), board("e", "Four"))

    assert done(home.sync()) == 5
    assert home.plan().actions == ()
    titles = {name: (home.read(home.uid(name)) or {})["dashboard"]["title"] for name in "abce"}
    assert titles == {n: f"{home.catalog} {t}" for n, t in zip("abce", ("Two", "Three", "One", "Four"), strict=True)}


def test_a_title_that_a_foreign_dashboard_has(home: House) -> None:
    home.write(board("a"))
    home.sync()
    home.save({"uid": home.uid("foreign"), "title": f"{home.catalog} Board b"}, home.catalog)
    home.write(board("a"), board("b"))

    outcomes = home.sync()

    if home.titles_once:
        assert [o.result for o in outcomes] == [Result.FAILED]
        assert "same name" in outcomes[0].reason
    else:
        assert done(outcomes) == 1
    assert (home.read(home.uid("foreign")) or {})["dashboard"]["uid"] == home.uid("foreign")


def test_a_folder_that_was_renamed_by_hand_keeps_its_name(home: House) -> None:
    home.write(board("a"))
    home.sync()
    version = home.person.get(f"{home.server.url}/api/folders/{home.catalog}").json()["version"]
    body = {"title": f"Other {home.catalog}", "version": version}
    home.person.put(f"{home.server.url}/api/folders/{home.catalog}", json=body).raise_for_status()

    assert [(action.kind, action.subject) for action in home.plan().actions] == [(Kind.KEEP, "folder")]
    assert done(home.sync(edits=True)) == 1
    assert home.folders()[home.catalog] == f"Team {home.catalog}"


def test_a_folder_of_the_same_title_is_not_doubled(home: House) -> None:
    home.make_folder(home.uid("theirs"), f"Team {home.catalog}")
    home.write(board("a"))

    found = home.plan()

    assert [(action.kind, action.subject) for action in found.actions] == [
        (Kind.REFUSE, "folder"),
        (Kind.REFUSE, "dashboard"),
    ]
    assert f"folder_uid = '{home.uid('theirs')}'" in found.actions[0].reason
    assert home.sync() == []


def test_docs_are_dashboards_that_lead_to_each_other(home: House) -> None:
    pages = {path: text.replace("NAME", home.uid("a")) for path, text in PAGES.items()}
    home.write(board("a"), pages=pages)
    home.sync()

    index = (home.read(home.uid("docs-index")) or {})["dashboard"]
    runbook = (home.read(home.uid("runbook-down")) or {})["dashboard"]
    assert index["title"] == "Docs"
    (panel,) = index["panels"]
    assert panel["options"]["mode"] == "markdown"
    assert panel["options"]["content"] == (
        f"See [x](d/{home.uid('runbook-down')}), [board](d/{home.uid('a')}?viewPanel=7)."
    )
    first, second = runbook["panels"]
    assert (first.get("title"), second["title"]) == (None, "Mitigation")
    assert second["options"]["content"] == (
        f"[Back](d/{home.uid('docs-index')}), [here](d/{home.uid('runbook-down')}?viewPanel={second['id']})."
    )
    home.write(board("a"), pages={})
    assert sorted(lines(home)) == ["delete -docs-index", "delete -runbook-down"]


def test_a_preview_stands_beside_the_real_one_and_goes_without_a_trace(home: House) -> None:
    home.write(board("a", links=[{"type": "dashboards", "tags": [home.catalog], "title": "Others"}]))
    home.sync()
    before = home.read(home.uid("a"))
    home.preview = "pr-12"
    home.write(board("a", limit=300, links=[{"type": "dashboards", "tags": [home.catalog], "title": "Others"}]))

    assert done(home.sync()) == 2
    shown = home.read(home.uid("a-pr-12"))
    assert shown is not None
    assert shown["dashboard"]["title"] == f"{home.catalog} Board a (pr-12)"
    assert shown["dashboard"]["links"][0]["tags"] == [f"{home.catalog}-pr-12"]
    assert shown["meta"]["folderTitle"] == f"Team {home.catalog} (pr-12)"
    assert home.plan().actions == ()
    home.preview = "pr-1"
    assert home.session().removal().actions == ()
    home.preview = "pr-12"
    session = home.session()
    assert done(session.apply(session.removal(), "preview", home.backups)[1]) == 2
    assert home.read(home.uid("a-pr-12")) is None
    assert f"{home.catalog}-pr-12" not in home.folders()
    assert home.read(home.uid("a")) == before


def test_a_preview_with_something_foreign_in_its_folder_keeps_that(home: House) -> None:
    home.write(board("a"))
    home.preview = "pr-1"
    home.sync()
    home.save({"uid": home.uid("theirs"), "title": "Theirs"}, f"{home.catalog}-pr-1")

    session = home.session()
    outcomes = session.apply(session.removal(), "preview", home.backups)[1]

    assert [o.reason for o in outcomes if o.result is Result.LEFT] == ["it stays: Theirs still in it"]
    assert home.read(home.uid("theirs")) is not None
    assert home.read(home.uid("a-pr-1")) is None


def test_two_environments_of_one_organisation_leave_each_other_alone(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.folder / "pyproject.toml").write_text(
        f'[tool.obsgen.grafana.staging]\nprefix = "stg"\nfolder = "Staging {home.catalog}"\n'
        f'[tool.obsgen.grafana.production]\nfolder = "Production {home.catalog}"\n'
    )
    monkeypatch.chdir(home.folder)
    home.write(board("a"), board("b"))
    for home.env in ("staging", "production"):
        assert done(home.sync()) == 3
    home.write(board("a"))
    home.env = "staging"
    assert done(home.sync()) == 1
    assert home.read(home.uid("b")) is not None
    assert home.read(f"stg-{home.uid('b')}") is None
    home.env = "production"
    assert lines(home) == ["delete -b"]
