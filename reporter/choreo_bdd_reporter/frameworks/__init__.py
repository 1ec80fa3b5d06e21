"""The test frameworks' own events, turned into the record of a run."""
