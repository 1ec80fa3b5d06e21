"""examples/folder_bus: a transport of one's own, installed as its pyproject.toml says, and used from features."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import pytest

from tests.support.installed import install
from tests.support.project import Project

EXAMPLE = Path(__file__).parents[3] / "examples" / "folder_bus"
GROUP = "choreo_bdd.transports"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose bus is a folder."""
    settings = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
    installed = install(tmp_path / "installed", settings["name"], GROUP, settings["entry-points"][GROUP])
    path = os.pathsep.join([str(installed), str(EXAMPLE), *filter(None, [os.environ.get("PYTHONPATH")])])
    project = Project(tmp_path / "project", {"PYTHONPATH": path})
    return project.file(
        "choreo.yaml",
        """
        profiles:
          files:
            bus: {type: folder, folder: messages, correlation: {field: correlation_id}}
        timeout: 5s
        """,
    )


@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_features_run_on_it_and_leave_their_messages_in_the_folder(framework: str, project: Project) -> None:
    project.feature(
        """
        Feature: a folder
          Scenario: there and back
            When I publish "orders.new":
              \"\"\"
              {"id": 7}
              \"\"\"
            Then I expect "orders.*" where id is 7
            And I expect no "orders.cancelled" for 100ms
        """
    )
    finished = project.run(framework)
    assert finished.code == 0, finished.text
    (message,) = (project.folder / "messages").glob("*.message")
    assert json.loads(message.read_text("utf-8"))["topic"] == "orders.new"


def test_an_entry_without_its_folder_is_refused_with_its_line(project: Project) -> None:
    project.file("choreo.yaml", "profiles: {files: {bus: {type: folder}}}\n")
    project.feature(
        """
        Feature: a folder
          Scenario: nowhere
            When I publish "orders.new"
        """
    )
    finished = project.run("behave")
    assert finished.code == 1
    assert "choreo.yaml:1: profiles.files.bus: a folder transport needs the name of its folder" in finished
