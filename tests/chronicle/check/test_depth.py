"""How deep a document is nested is told exactly, whatever stands in its texts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreo_bdd_chronicle.check.decoding import is_deeper

TEXTS = st.text(alphabet='[]{}"\\ax,:', max_size=6)
DOCUMENTS = st.recursive(
    TEXTS | st.integers(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


@pytest.mark.thorough
@given(DOCUMENTS)
def test_a_document_is_as_deep_as_its_values_are(document: Any) -> None:
    found = depth(document)
    sent = json.dumps(document).encode()
    assert not is_deeper(sent, found)
    assert found == 0 or is_deeper(sent, found - 1)
