"""How values are compared, put in order and reached; no matcher in sight."""
