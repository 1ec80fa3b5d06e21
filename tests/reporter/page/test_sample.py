"""The runs the page is tried on are real documents, so that nothing here passes on an impossible input."""

from __future__ import annotations

import pytest

from choreo_bdd_schemas import validate_report
from tests.support.page_builders import results_of
from tests.support.page_sample import green_run, long_run, sample_run


@pytest.mark.parametrize(
    "results", [sample_run()[0], green_run()[0], long_run(3)[0], results_of([])], ids=["red", "green", "long", "empty"]
)
def test_the_sample_is_a_valid_document(results: dict[str, object]) -> None:
    assert validate_report(results) == []
