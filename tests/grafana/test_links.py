"""Links to the docs lead to their dashboards where these stand beside."""

from __future__ import annotations

from typing import Any

import pytest

from tests.grafana.house import House, Json, board, done

DOCS = "https://docs.example.org/docs"
PAGES = {
    "index.md": "# Docs\n\nAll.\n",
    "metrics/water.md": "# Water\n\nText.\n\n## flow_total\n\nA counter.\n",
    "runbooks/FlowLow.md": "# FlowLow\n\nOpen the valve.\n",
    "runbooks/FlowHigh.md": "# FlowHigh\n\nClose the valve.\n",
}
ROW = f"{DOCS}/runbooks/${{__data.fields.Runbook}}.md"


def linked(**panel: Any) -> Json:
    """Return a small dashboard with links, and more on its panel."""
    made = board("a")
    links = [
        {"title": "Runbook", "url": f"{DOCS}/runbooks/FlowLow.md", "targetBlank": True},
        {"title": "Metric", "url": f"{DOCS}/metrics/water.md#flow_total"},
        {"title": "No page", "url": f"{DOCS}/missing.md"},
        {"title": "Elsewhere", "url": "https://example.org/docs/index.md"},
    ]
    text = f"[this]({DOCS}/runbooks/FlowHigh.md), [all]({DOCS}/index.md), [that]({DOCS}/missing.md)"
    note = {"id": 8, "type": "text", "title": "Note", "options": {"mode": "markdown", "content": text}}
    made["panels"][0] |= {"links": links, **panel}
    made["panels"].append({"id": 9, "type": "row", "title": "Row", "collapsed": True, "panels": [note]})
    made["links"] = [{"type": "link", "title": "Docs", "url": f"{DOCS}/index.md", "tags": []}]
    return made


def table(hidden: Json | None = None, url: str = ROW) -> Json:
    """Return a dashboard with a table whose rows link to a page, and a field that is hidden for that."""
    shown = [{"id": "links", "value": [{"title": "Runbook", "url": url}]}]
    overrides = [{"matcher": {"id": "byName", "options": "Alert"}, "properties": shown}]
    if hidden is not None:
        overrides.append({"matcher": {"id": "byName", "options": "Runbook"}, "properties": [hidden]})
    return linked(type="table", fieldConfig={"defaults": {}, "overrides": overrides})


def shown(home: House, name: str = "a") -> Json:
    found = home.read(home.uid(name))
    assert found is not None
    content: Json = found["dashboard"]
    return content


def test_links_on_panels_stay_in_grafana(home: House) -> None:
    home.write(linked(), pages=PAGES)
    home.sync()

    content = shown(home)
    (metric,) = [p for p in shown(home, "docs-metrics-water")["panels"] if p.get("title") == "flow_total"]
    assert [link["url"] for link in content["panels"][0]["links"]] == [
        f"/d/{home.uid('runbook-flowlow')}",
        f"/d/{home.uid('docs-metrics-water')}?viewPanel={metric['id']}",
        f"{DOCS}/missing.md",
        "https://example.org/docs/index.md",
    ]
    assert content["links"][0]["url"] == f"/d/{home.uid('docs-index')}"
    assert content["panels"][1]["panels"][0]["options"]["content"] == (
        f"[this](d/{home.uid('runbook-flowhigh')}), [all](d/{home.uid('docs-index')}), [that]({DOCS}/missing.md)"
    )
    assert home.plan().actions == ()
    assert home.session().pull(home.uid("a"), None).changes == ()


def test_the_page_of_docs_still_leads_to_where_it_is_reviewed(one: House) -> None:
    one.write(linked(), pages=PAGES)
    one.sync()

    assert f"{DOCS}/index.md" in [link["url"] for link in shown(one, "docs-index")["links"]]


def test_links_lead_to_the_docs_home_where_the_docs_are_not_pushed(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    (one.folder / "pyproject.toml").write_text("[tool.obsgen.grafana.main]\ndocs = false\n")
    monkeypatch.chdir(one.folder)
    one.write(linked(), pages=PAGES)
    one.sync()

    assert shown(one)["panels"][0]["links"] == linked()["panels"][0]["links"]


def test_links_of_a_preview_lead_to_its_own_docs(one: House) -> None:
    one.preview = "pr-1"
    one.write(table({"id": "custom.hidden", "value": True}), pages=PAGES)
    one.sync()

    panel = shown(one, "a-pr-1")["panels"][0]
    assert panel["links"][0]["url"] == f"/d/{one.uid('runbook-flowlow-pr-1')}"
    mappings = panel["fieldConfig"]["overrides"][1]["properties"][1]["value"]
    assert mappings[0]["options"]["FlowLow"]["text"] == one.uid("runbook-flowlow-pr-1")


@pytest.mark.parametrize(
    "hidden",
    [
        {"id": "custom.hidden", "value": True},
        {"id": "custom.hideFrom.viz", "value": True},
    ],
    ids=lambda prop: str(prop["id"]),
)
def test_rows_of_a_table_lead_to_their_pages(one: House, hidden: Json) -> None:
    one.write(table(hidden), pages=PAGES)
    one.sync()

    alert, runbook = shown(one)["panels"][0]["fieldConfig"]["overrides"]
    assert alert["properties"][0]["value"][0]["url"] == "/d/${__data.fields.Runbook}"
    assert runbook["properties"] == [
        hidden,
        {
            "id": "mappings",
            "value": [
                {
                    "type": "value",
                    "options": {
                        "FlowHigh": {"index": 0, "text": one.uid("runbook-flowhigh")},
                        "FlowLow": {"index": 1, "text": one.uid("runbook-flowlow")},
                    },
                },
                {
                    "type": "regex",
                    "options": {"pattern": ".*", "result": {"index": 2, "text": one.uid("docs-index")}},
                },
            ],
        },
    ]
    assert one.plan().actions == ()
    assert one.session().pull(one.uid("a"), None).changes == ()


@pytest.mark.parametrize(
    "hidden",
    [None, {"id": "custom.hidden", "value": False}, {"id": "custom.hideFrom", "value": {"viz": True}}],
    ids=["no field", "shown", "hidden elsewhere"],
)
def test_rows_of_a_table_without_a_hidden_field_search_for_their_pages(one: House, hidden: Json | None) -> None:
    one.write(table(hidden), pages=PAGES)
    one.sync()

    alert = shown(one)["panels"][0]["fieldConfig"]["overrides"][0]
    assert alert["properties"][0]["value"][0]["url"] == (
        f"/dashboards?query=${{__data.fields.Runbook}}&tag={one.catalog}-docs&tag=obsgen:{one.catalog}"
    )


def test_an_edit_beside_a_link_is_pulled_with_the_reviewed_links(one: House) -> None:
    reviewed = table({"id": "custom.hidden", "value": True})
    one.write(reviewed, pages=PAGES)
    assert done(one.sync()) > 0
    panels = shown(one)["panels"]
    panels[0]["description"] = "By hand"
    one.edit(one.uid("a"), panels=panels)

    pulled = one.session().pull(one.uid("a"), one.folder / "pulled.json")

    assert [line for each in pulled.changes for line in each.lines()] == ['panel "Latency": description By hand added']
    text = pulled.path.read_text()
    assert f"/d/{one.catalog}" not in text
    assert "obsgenChecksum" not in text
