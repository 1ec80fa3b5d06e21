"""Results in, report out: ``results.json`` and an offline HTML page from what the engine observed.

``pytest_plugin`` and ``behave_formatter`` feed it; the engine never knows it is there.
"""

from __future__ import annotations

from choreo_bdd_reporter.record.redactors import register_redactor, unregister_redactor

__all__ = ["__version__", "register_redactor", "unregister_redactor"]

__version__: str


def __getattr__(name: str) -> str:
    # looked up when asked for: this package is imported at every pytest start
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from choreo_bdd_reporter.model.host_and_versions import reporter_version  # noqa: PLC0415

    return reporter_version()
