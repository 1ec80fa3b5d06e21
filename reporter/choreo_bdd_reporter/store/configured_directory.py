"""The report directory that a project's configuration names: ``report: {dir: test-report}`` in ``choreo.yaml``."""

from __future__ import annotations

from pathlib import Path


def configured_directory(start: Path) -> str | None:
    """The directory named by the configuration that applies to ``start``; ``None`` where it names none.

    What else is wrong with the configuration is for those to say who run by it.
    """
    from choreo_bdd_project.config import ConfigError, find_config, load_config  # noqa: PLC0415 - brings in YAML
    from choreo_bdd_schemas import config_schema  # noqa: PLC0415 - as above

    try:
        path = find_config(start)
        config = None if path is None else load_config(path, schema=config_schema())
    except (ConfigError, OSError, ValueError):
        return None
    return None if config is None or not config.report_dir else str(config.base_dir / config.report_dir)
