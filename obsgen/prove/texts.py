"""The texts of alerts as Prometheus writes them: its own templates, filled in by itself."""

from __future__ import annotations

import time
from collections.abc import Sequence

from obsgen.prometheus import Prometheus, PrometheusError
from obsgen.promql.text import number, string
from obsgen.prove.judge import Verdict
from obsgen.prove.run import Episode
from obsgen.style import yaml_text

PATIENCE = 20.0
"""Seconds for Prometheus to evaluate the rules."""
_CASE = "obsgen_case"


def compare(verdicts: Sequence[Verdict], server: Prometheus) -> None:
    """Add to each verdict the descriptions that are not what its proof says.

    The server's own rules are replaced: it must be obsgen's own, and nothing can be proven on it afterwards.

    Raises:
        PrometheusError: Prometheus does not raise the alerts.
    """
    cases = [(verdict, text, episode) for verdict in verdicts for text, episode in verdict.texts]
    if not cases:
        return
    written = _descriptions([episode for _, _, episode in cases], server)
    for (verdict, text, _), description in zip(cases, written, strict=True):
        if description != text:
            verdict.differences.append(f"says {description!r}, not {text!r}")


def _descriptions(episodes: Sequence[Episode], server: Prometheus) -> list[str]:
    """Return the description that each episode would have had when it began."""
    assert server.folder is not None
    # A group each: a broken template must not keep the others from being written.
    groups = [{"name": str(n), "interval": "100ms", "rules": [_rule(n, each)]} for n, each in enumerate(episodes)]
    (server.folder / "rules/texts.yml").write_text(yaml_text({"groups": groups}, "Texts."), encoding="utf-8")
    server.reload()
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE:
        found = {alert["labels"][_CASE]: alert["annotations"]["description"] for alert in server.alerts()}
        if len(found) == len(episodes):
            return [found[str(n)] for n in range(len(episodes))]
        time.sleep(0.05)
    raise PrometheusError(f"Prometheus wrote {len(found)} of {len(episodes)} descriptions within {PATIENCE:.0f} s")


def _rule(case: int, episode: Episode) -> dict[str, object]:
    expr = f"vector({number(episode.value)})"
    for name, value in episode.labels.items():
        # `$` would refer to a part of the match.
        expr = f'label_replace({expr}, "{name}", {string(value.replace("$", "$$"))}, "", "")'
    annotations = episode.rule.annotations or {}
    return {
        "alert": episode.rule.name,
        "expr": expr,
        "labels": {**(episode.rule.labels or {}), _CASE: str(case)},
        "annotations": {"description": annotations["description"]},
    }
