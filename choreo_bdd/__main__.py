"""``python -m choreo_bdd``: the command line, where its script is not on the path."""

from __future__ import annotations

from choreo_bdd.cli import main

if __name__ == "__main__":
    main()
