"""Traces of a run: what a scenario sends belongs to one, and services tell what they did in it."""
