"""The reusable Gherkin vocabulary of choreo_bdd, and its adapters to behave and pytest-bdd."""
