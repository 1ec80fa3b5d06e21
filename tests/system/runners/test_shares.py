"""The quick tests run in shares: whatever is collected at all is collected by one of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support import shares

MET = [Path(folder, name) for folder in "ab" for name in ("", "conftest.py", "test_1.py", "test_2.py", "test_3.py")]


@pytest.mark.parametrize("parts", [1, 2, 3, 8])
def test_every_file_is_in_one_share_and_folders_are_in_all(monkeypatch: pytest.MonkeyPatch, parts: int) -> None:
    taken: list[list[Path]] = []
    for part in range(1, parts + 1):
        monkeypatch.setattr(shares, "_NUMBERS", {})
        config: Any = SimpleNamespace(getoption={"--share": f"{part}/{parts}"}.get)
        # each is asked for more than once where it is named on the command line
        asked = [path for path in MET for _ in range(2) if not shares.is_of_another_share(path, config)]
        assert asked[::2] == asked[1::2]
        taken.append(asked[::2])
    tests = [path for path in MET if path.name.startswith("test_")]
    assert sorted(path for share in taken for path in share if path in tests) == tests
    assert all(set(MET) - set(tests) <= set(share) for share in taken)
    sizes = [len(share) for share in taken]
    assert max(sizes) - min(sizes) <= 1
