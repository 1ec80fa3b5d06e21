"""Sending reports to a server, with nothing but Python's own library."""
