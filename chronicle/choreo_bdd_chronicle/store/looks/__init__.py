"""How runs are looked at for changes: which are next, what detection is told of them, and what it leaves."""
