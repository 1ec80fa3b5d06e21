"""Judging a scenario anew on its recorded traffic: no broker, no service, and no time passes (docs/replay.md)."""
