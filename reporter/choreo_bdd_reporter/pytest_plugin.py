"""The name that the entry point and ``-p`` have for the pytest plug-in, which stands in ``frameworks.pytest``."""

from choreo_bdd_reporter.frameworks.pytest.plugin import (
    choreo_attach,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_load_initial_conftests,
    pytest_report_header,
    report_directory,
)
from choreo_bdd_reporter.frameworks.pytest.shared import choreo_meta

__all__ = [
    "choreo_attach",
    "choreo_meta",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_load_initial_conftests",
    "pytest_report_header",
    "report_directory",
]
