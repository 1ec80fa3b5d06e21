"""What happened in a run, taken down as plain and masked data."""
