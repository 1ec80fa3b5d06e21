"""What a report tells, as data: tests, limits, the host and the run."""
