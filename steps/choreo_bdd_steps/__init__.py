"""The reusable Gherkin vocabulary of choreo_bdd, and its adapters to behave and pytest-bdd."""

from choreo_bdd_steps.own_acts import act

__all__ = ["act"]
