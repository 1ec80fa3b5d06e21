"""The name that projects' settings have for the behave formatter: ``choreo_bdd_reporter.behave_formatter``."""

from choreo_bdd_reporter.frameworks.behave import ChoreoFormatter

__all__ = ["ChoreoFormatter"]
