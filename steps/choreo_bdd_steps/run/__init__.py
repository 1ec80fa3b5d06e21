"""A scenario run: what is armed, sent and checked."""
