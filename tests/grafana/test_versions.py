"""What single versions of Grafana do, and servers that are set up in a particular way."""

from __future__ import annotations

from pathlib import Path

import pytest

from obsgen.errors import ObsgenError
from obsgen.grafana.apply import Result
from obsgen.grafana.errors import GrafanaError
from obsgen.grafana.plan import Kind
from tests.grafana.double import P9, P12, P13, TOKEN, Double, patched, source
from tests.grafana.house import House, Json, board, done, house

VARIABLE = {"type": "datasource", "query": "prometheus", "name": "datasource", "current": {}}


def reading() -> Json:
    """Return a small dashboard with a variable for its data source."""
    return board("a", templating={"list": [VARIABLE]})


def chosen(one: House) -> Json:
    """Return the data source that the dashboard reads."""
    found = one.read(one.uid("a"))
    assert found is not None
    current: Json = found["dashboard"]["templating"]["list"][0]["current"]
    return current


def test_the_only_prometheus_is_read(one: House, state: Double) -> None:
    state.sources = [source("loki", "Loki", "loki"), source("prom", "Prometheus")]
    one.write(reading())
    done(one.sync())
    assert chosen(one) == {"text": "Prometheus", "value": "prom"}


@pytest.mark.parametrize("name", ["two", "Second"])
def test_one_of_several_is_named_by_uid_or_name(one: House, state: Double, name: str) -> None:
    state.sources = [source("prom", "Prometheus"), source("two", "Second")]
    one.shell["GRAFANA_DATASOURCE"] = name
    one.write(reading())
    done(one.sync())
    assert chosen(one) == {"text": "Second", "value": "two"}


@pytest.mark.parametrize(
    ("sources", "name", "expected"),
    [
        ([], "", "Grafana has no Prometheus as data source"),
        (["a", "b"], "", "there are 2 Prometheus data sources\n    set datasource ="),
        (["a", "b"], "", "there are: A (a), B (b)"),
        (["a"], "c", "there is no data source 'c'\n    there are: A (a)"),
        (["a", "loki"], "loki", "'loki' is of the type loki, not Prometheus"),
    ],
)
def test_no_data_source_that_fits(one: House, state: Double, sources: list[str], name: str, expected: str) -> None:
    state.sources = [source(uid, uid.title(), "loki" if uid == "loki" else "prometheus") for uid in sources]
    one.shell["GRAFANA_DATASOURCE"] = name
    one.write(reading())
    with pytest.raises(GrafanaError) as told:
        one.plan()
    assert expected in str(told.value)


def test_a_token_that_may_not_list_data_sources_needs_a_uid(one: House, state: Double) -> None:
    state.may_list_sources = False
    one.write(reading())
    with pytest.raises(GrafanaError, match="to the uid of the Prometheus"):
        one.plan()
    one.shell["GRAFANA_DATASOURCE"] = "prom"
    done(one.sync())
    assert chosen(one)["value"] == "prom"
    one.shell["GRAFANA_DATASOURCE"] = "nope"
    with pytest.raises(GrafanaError, match="there is no data source with the uid 'nope'"):
        one.plan()


def test_a_refresh_that_the_server_raises_is_no_difference(tmp_path: Path) -> None:
    with house(P9, tmp_path, refresh=60) as one:
        one.write(board("a", refresh="10s"))
        assert done(one.sync()) == 2
        assert (one.read(one.uid("a")) or {})["dashboard"]["refresh"] == "60s"
        assert one.plan().actions == ()
        one.write(board("a", refresh="10s", limit=300))
        assert [action.kind for action in one.plan().actions] == [Kind.UPDATE]
        assert done(one.sync()) == 1
        one.edit(one.uid("a"), refresh="2m")
        assert [action.kind for action in one.plan().actions] == [Kind.KEEP]


def test_a_refresh_that_the_server_refuses_is_told(tmp_path: Path) -> None:
    with house(P13, tmp_path, refresh=60) as one:
        one.write(board("a", refresh="10s"))
        outcomes = one.sync()
        assert outcomes[1].result is Result.FAILED
        assert "Dashboard refresh interval is too low" in outcomes[1].reason


def test_a_provisioned_dashboard_is_refused(one: House, state: Double) -> None:
    one.write(board("a"))
    one.sync()
    state.boards[one.uid("a")].provisioned = "dashboards/a.json"
    one.write(board("a", limit=300))

    (action,) = one.plan(edits=True, adopt=(one.uid("a"),)).actions

    assert action.kind is Kind.REFUSE
    assert action.reason == "it is provisioned from dashboards/a.json"
    one.write(board("b"))
    assert [action.kind for action in one.plan(edits=True).actions] == [Kind.CREATE]


def test_a_dashboard_of_another_catalog_is_refused(one: House) -> None:
    one.write(board("a"))
    one.sync()
    one.edit(one.uid("a"), tags=["obsgen:others"])
    other, one.catalog = one.catalog, "others"
    one.write(board("z"))
    one.sync()
    one.edit("others-z", tags=[f"obsgen:{other}"])
    version = one.double.boards["others-z"].history if one.double else []
    version.clear()

    (action,) = one.plan(adopt=("others-z",)).actions

    assert (action.kind, action.reason) == (Kind.REFUSE, f"it belongs to obsgen:{other}")


def test_a_dashboard_kept_in_the_new_form_counts_as_edited(one: House, state: Double) -> None:
    one.write(board("a"))
    one.sync()
    one.edit(one.uid("a"), elements={"panel-1": {}})
    state.boards[one.uid("a")].api = "v2"

    (action,) = one.plan().actions

    assert action.kind is Kind.KEEP
    assert action.edit is not None
    assert action.edit.differences is None
    with pytest.raises(ObsgenError, match="kept in the form of the new layouts"):
        one.session().pull(one.uid("a"), None)
    assert done(one.sync(edits=True)) == 1


def test_a_history_that_was_cut_off_makes_an_edit_that_cannot_be_told(one: House, state: Double) -> None:
    one.write(board("a"))
    one.sync()
    state.kept_versions = 3
    for number in range(4):
        one.edit(one.uid("a"), title=f"By hand {number}")

    (action,) = one.plan().actions

    assert action.kind is Kind.KEEP
    assert action.edit is not None
    assert action.edit.differences is None
    assert action.edit.by == "anna"


def test_what_grafana_changes_by_itself_is_no_edit(one: House, state: Double) -> None:
    one.write(board("a"))
    one.sync()
    kept = state.boards[one.uid("a")]
    kept.content = {**kept.content, "schemaVersion": 42}

    assert [action.kind for action in one.plan().actions] == [Kind.UPDATE]


@pytest.mark.parametrize("late", [1, 3])
def test_a_search_that_is_late_only_delays_what_is_pruned(one: House, state: Double, late: int) -> None:
    state.late = late
    one.write(board("a"), board("b"))
    one.sync()
    one.write(board("a"))
    for _ in range(late + 1):
        one.sync()
    assert one.read(one.uid("b")) is None
    one.preview = "pr-1"
    one.sync()
    session = one.session()
    assert done(session.apply(session.removal(), "preview", one.backups)[1]) == 2


def test_what_was_just_made_is_pruned_at_once_though_the_search_is_late(one: House, state: Double) -> None:
    state.late = 3
    one.write(board("a"), board("b"))
    one.sync()
    one.write(board("a"))

    assert [(action.kind, action.uid) for action in one.plan().actions] == [(Kind.DELETE, one.uid("b"))]


def test_grafana_below_a_sub_path_and_with_its_version_hidden(tmp_path: Path) -> None:
    with house(P12, tmp_path, path="/grafana") as one:
        assert one.double is not None
        one.double.hide_version = True
        one.server.url += "/grafana"
        one.shell["GRAFANA_URL"] = f"{one.server.url}/"
        one.write(board("a"))
        assert done(one.sync()) == 2
        session = one.session()
        session.meet()
        assert session.version == ""
        assert session.link(one.uid("a")) == f"{one.server.url}/d/{one.uid('a')}"


def test_a_wrong_token(one: House) -> None:
    one.shell["GRAFANA_TOKEN"] = "glsa_wrong"
    one.write(board("a"))
    with pytest.raises(GrafanaError, match="401, Invalid API key\n    the token or password is not valid here"):
        one.plan()


def test_more_folders_than_one_page(one: House, state: Double) -> None:
    state.folders = {f"f{n}": {"id": n, "uid": f"f{n}", "title": f"F {n}", "version": 1} for n in range(1_005)}
    state.folders["theirs"] = {"id": 2_000, "uid": "theirs", "title": f"Team {one.catalog}", "version": 1}
    one.write(board("a"))
    assert [action.kind for action in one.plan().actions] == [Kind.REFUSE, Kind.REFUSE]


def test_a_folder_inside_of_another_can_be_named(
    one: House, state: Double, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.make_folder("nested", "Nested")
    listed = state._list_folders
    monkeypatch.setattr(state, "_list_folders", lambda request: [f for f in listed(request) if f["uid"] != "nested"])
    (tmp_path / "pyproject.toml").write_text(
        "[tool.obsgen.grafana.production]\nfolder_uid = 'nested'\nfolder = 'Nested'\n"
    )
    monkeypatch.chdir(tmp_path)
    one.write(board("a"))
    assert done(one.sync()) == 1
    assert (one.read(one.uid("a")) or {})["meta"]["folderUid"] == "nested"


def test_unchanged_dashboards_are_read_once_each_and_nothing_is_written(one: House) -> None:
    one.write(*[board(f"b{n}") for n in range(30)])
    one.sync()
    one.server.requests.clear()

    assert one.plan().actions == ()

    assert len(one.server.requests) == 30 + 4
    assert all(request.method == "GET" for request in one.server.requests)


def test_changed_dashboards_take_a_read_a_write_and_a_look(one: House) -> None:
    one.write(*[board(f"b{n}") for n in range(30)])
    one.sync()
    one.write(*[board(f"b{n}", limit=300) for n in range(30)])
    one.server.requests.clear()

    assert done(one.sync()) == 30

    assert len(one.server.requests) == 3 * 30 + 4


@pytest.mark.parametrize(
    ("knows", "denied", "by"),
    [(True, set(), "The robot"), (True, {"names"}, "a service account"), (False, set(), "")],
    ids=["named", "without a name", "unknown"],
)
def test_what_a_service_account_has_edited_is_told_with_its_name(
    one: House, state: Double, knows: bool, denied: set[str], by: str
) -> None:
    one.write(board("a"))
    one.sync()
    one.person.headers["Authorization"] = f"Bearer {TOKEN}"
    one.edit(one.uid("a"), title="By a script")

    with patched(state, knows_editors=knows, denied=denied):
        (kept,) = one.plan().actions
        pulled = one.session().pull(one.uid("a"), one.folder / "pulled.json")

    assert kept.edit is not None
    assert kept.edit.by == by
    assert pulled.by == by
