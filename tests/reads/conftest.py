"""Grafana's own code, running: once for each of its versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reads import FOLDERS, Reader, missing, reading

VERSIONS: list[Path | None] = [*FOLDERS] if FOLDERS else [None]
# What today's panels do not do yet, with the dashboards where it is not all of them. It goes with the new panels.
PENDING: dict[str, tuple[str, ...]] = {
    "test_every_value_has_a_text": (),
    "test_what_is_not_known_says_so_in_a_colour_of_its_own": (),
    "test_a_value_beyond_a_threshold_has_its_colour_and_one_that_is_fine_has_none": (
        "vectobeat-automation-success",
        "vectobeat-concierge-sla",
        "vectobeat-error-budgets",
        "vectobeat-lavalink-nodes",
        "vectobeat-overview",
        "vectobeat-shard-command-overview",
        "greenhouse-climate",
        "greenhouse-error-budgets",
    ),
    "test_a_state_has_its_name_and_looks_bad_only_where_it_alerts": (
        "vectobeat-lavalink-nodes",
        "vectobeat-overview",
        "greenhouse-water",
    ),
    "test_a_number_above_its_threshold_is_red_and_at_it_green": (),
    "test_a_number_below_its_threshold_is_red_and_at_it_green": (),
    "test_none_of_what_must_not_be_is_green_and_one_is_red": (),
    "test_none_of_what_must_not_be_lies_in_the_green_of_a_graph": (),
    "test_a_number_that_is_not_known_says_so": (),
    "test_a_state_has_its_name_and_the_colour_of_its_alert": (),
    "test_a_state_over_time_has_its_name_and_the_colour_of_its_alert": (),
    "test_the_one_state_that_is_well_is_green": (),
    "test_states_that_nothing_alerts_on_are_told_apart": (),
    "test_a_table_has_a_row_for_each_label_and_says_what_is_not_known": (),
    "test_a_state_keeps_its_names_to_itself_beside_a_share": (),
    "test_a_state_in_a_table_has_the_colour_of_its_alert": (),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect today's panels to fail where they are known to."""
    for item in items:
        name, _, params = item.name.partition("[")
        if name in PENDING and (not PENDING[name] or any(f"-{each}]" in params for each in PENDING[name])):
            item.add_marker(pytest.mark.xfail(strict=True, reason="the new panels do it"))


@pytest.fixture(scope="session", params=VERSIONS, ids=lambda folder: folder.parent.name if folder else "missing")
def reads(request: pytest.FixtureRequest) -> Iterator[Reader]:
    """What reads panels: `reads(panel, Frame([1.0]))`."""
    folder: Path | None = request.param
    if folder is None or missing():
        pytest.fail(f"what reads panels is missing: {missing()}")
    with reading(folder) as reader:
        yield reader
