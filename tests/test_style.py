"""The style of YAML: the same bytes with and without libyaml, and what comes out says what went in."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from obsgen import style

awkward = st.text(st.sampled_from(" \n:#'\"{}[]-|>%@`&*!?,\tabcé1.e~=\u2028\x85\ufeff"), max_size=12)
texts = st.one_of(
    awkward, st.text(st.characters(codec="utf-8"), max_size=12), st.sampled_from(["yes", "1e3", "null", "0"])
)
documents = st.fixed_dictionaries({"groups": st.lists(st.dictionaries(st.sampled_from("ab"), texts, max_size=2))})


@given(documents)
def test_yaml_says_what_went_in(data: Any) -> None:
    assert yaml.safe_load(style.yaml_text(data, "header")) == data


@given(documents)
def test_yaml_is_the_same_with_and_without_libyaml(data: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fast = style.yaml_text(data, "header")
        patch.setattr(yaml, "__with_libyaml__", False)
        assert style.yaml_text(data, "header") == fast


def test_an_expression_of_several_lines_is_a_block() -> None:
    text = style.yaml_text({"groups": [{"expr": "sum(\n  a\n)\nor b", "for": "5m"}]}, "Header.")

    assert text == "# Header.\ngroups:\n- expr: |-\n    sum(\n      a\n    )\n    or b\n  for: 5m\n"
