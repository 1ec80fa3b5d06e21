"""pytest, with and without pytest-bdd."""
