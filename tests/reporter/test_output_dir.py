from __future__ import annotations

from pathlib import Path

import pytest

from choreo_bdd_reporter.store.directory import SENTINEL, ReportDirectoryError, prepare, resolve


def refusal(path: str, base: Path) -> str:
    with pytest.raises(ReportDirectoryError) as caught:
        resolve(path, base)
    return str(caught.value)


def test_a_new_directory_is_accepted_and_marked(tmp_path: Path) -> None:
    directory = resolve("out", tmp_path)
    assert not directory.exists()
    prepare(directory)
    assert (directory / SENTINEL).is_file()
    assert resolve("out", tmp_path) == directory


def test_an_empty_directory_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert resolve("out", tmp_path) == tmp_path / "out"


def test_what_an_earlier_report_left_never_stands_in_the_way(tmp_path: Path) -> None:
    prepare(tmp_path / "out")
    for name in ("results.json", "index.html", "messages.ndjson", ".results.json.tmp", ".index.html.tmp"):
        (tmp_path / "out" / name).write_text("old")
    (tmp_path / "out" / "_partial").mkdir()
    prepare(resolve("out", tmp_path))
    assert (tmp_path / "out" / "results.json").read_text() == "old"


def test_a_link_to_a_directory_means_its_target(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert resolve("link", tmp_path) == tmp_path / "real"


def test_a_tilde_is_a_name_like_any_other(tmp_path: Path) -> None:
    assert resolve("~", tmp_path) == tmp_path / "~"


def test_the_filesystem_root_is_refused(tmp_path: Path) -> None:
    assert "filesystem root" in refusal("/", tmp_path)


def test_the_user_home_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "user home" in refusal(".", tmp_path)


@pytest.mark.parametrize("name", [".git", ".svn", ".hg"])
def test_a_checkout_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "repo" / name).mkdir(parents=True)
    assert "VCS root" in refusal("repo", tmp_path)


def test_a_missing_parent_is_refused_by_name(tmp_path: Path) -> None:
    assert f"{tmp_path / 'a'} does not exist" in refusal("a/b", tmp_path)


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    assert "it is a file, not a directory" in refusal("out", tmp_path)


def test_a_directory_with_files_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("x")
    assert "sentinel" in refusal("out", tmp_path)
    assert (tmp_path / "out" / "thesis.txt").exists()


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_foreign_entries_beside_a_report_are_refused_by_name(tmp_path: Path, kind: str) -> None:
    prepare(tmp_path / "out")
    entry = tmp_path / "out" / ("results.json" if kind == "link" else "notes")
    if kind == "file":
        entry.write_text("x")
    elif kind == "directory":
        entry.mkdir()
    else:
        entry.symlink_to(tmp_path / "elsewhere")
    message = refusal("out", tmp_path)
    assert "known set" in message
    assert entry.name in message
