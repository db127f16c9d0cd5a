"""What makes a catalog wrong: one function for each kind of mistake, all run together."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from obsgen.checks import alerts, budgets, dashboards, expressions, fit, names, proofs, renames, routing, units
from obsgen.checks.places import Survey
from obsgen.errors import Problem
from obsgen.model.catalog import Catalog

Check = Callable[[Survey], Iterator[Problem]]

CHECKS: tuple[Check, ...] = (
    names.duplicate_name,
    names.bad_name,
    names.reserved_name,
    names.odd_text,
    names.label_value,
    units.misleading_name,
    expressions.undeclared_series,
    expressions.seldom_recorded,
    expressions.rate_of_gauge,
    expressions.quantile_of_counter,
    expressions.bare_histogram,
    expressions.unknown_label,
    expressions.unknown_value,
    expressions.unmatched_labels,
    expressions.open_window,
    expressions.not_promql,
    alerts.alert_text,
    alerts.alert_levels,
    alerts.alert_labels,
    alerts.impossible_threshold,
    alerts.silent_state,
    alerts.alert_on_counter,
    alerts.unwatched_source,
    dashboards.panel_identity,
    dashboards.empty_panel,
    dashboards.unknown_filter,
    dashboards.lost_legend,
    dashboards.table_columns,
    fit.title_does_not_fit,
    fit.text_does_not_fit,
    fit.table_does_not_fit,
    fit.stat_does_not_fit,
    fit.names_do_not_fit,
    budgets.short_retention,
    budgets.slow_source,
    budgets.silent_budget,
    renames.renamed_partner,
    proofs.unproven_alert,
    proofs.proof_series,
    proofs.proof_firing,
    proofs.proof_sample,
    routing.unrouted_alert,
    routing.idle_receiver,
    routing.blind_silence,
    routing.late_silence,
    routing.unheard_alert,
)


NEEDS_ALL: tuple[Check, ...] = (expressions.undeclared_series, alerts.unwatched_source, routing.idle_receiver)
"""Checks that look for something missing: with a part of the catalog they would find it everywhere."""


def check(catalog: Catalog, *, whole: bool = True) -> list[Problem]:
    """Return all the problems of an expanded catalog, each once.

    An expression that is no PromQL at all is reported by `not-promql`; the other checks pass it over.

    Args:
        catalog: the catalog, expanded.
        whole: whether all the definition files could be loaded.
    """
    checks = [each for each in CHECKS if whole or each not in NEEDS_ALL]
    survey = Survey(catalog)
    return list(dict.fromkeys(problem for each in checks for problem in each(survey)))
