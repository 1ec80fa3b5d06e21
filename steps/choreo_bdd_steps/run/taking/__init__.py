"""Which messages a check takes: rows share them out, and what earlier checks have taken is told apart."""
