"""What a project's configuration means for its reports: their directory, and what is to be hidden in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from choreo_bdd_project.config import Config


def configured_directory(start: Path) -> str | None:
    """The directory named by the configuration that applies to ``start``; ``None`` where it names none.

    What else is wrong with the configuration is for those to say who run by it.
    """
    config = _configuration(start)
    return None if config is None or not config.report_dir else str(config.base_dir / config.report_dir)


def hide_configured_secrets(start: Path) -> None:
    """Hide what the configuration that applies to ``start`` shows to be secret; also where no step reads it."""
    config = _configuration(start)
    if config is not None:
        from choreo_bdd_project.secrets import declare  # noqa: PLC0415 - as below

        declare(config)


def _configuration(start: Path) -> Config | None:
    from choreo_bdd_project.config import ConfigError, find_config, load_config  # noqa: PLC0415 - brings in YAML
    from choreo_bdd_schemas import config_schema  # noqa: PLC0415 - as above

    try:
        path = find_config(start)
        return None if path is None else load_config(path, schema=config_schema())
    except (ConfigError, OSError, ValueError):
        return None
