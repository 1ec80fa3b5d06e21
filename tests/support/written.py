"""Everything that a run leaves behind or has printed of it: what must show no secret, and steer nothing."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from xml.etree import ElementTree

from choreo_bdd.cli import GROUP, build_app
from choreo_bdd_reporter.frameworks.to_chronicle import hand_over
from choreo_bdd_schemas import validate_report
from tests.support.command_line import CliRunner
from tests.support.listening import listening
from tests.support.project import Project

PRINTED = (
    *(("summary", each) for each in ("text", "markdown", "junit", "github", "code-quality")),
    *(("export", each) for each in ("ctrf", "otlp", "chrome-trace")),
    *(("diff", each) for each in ("text", "markdown", "json")),
)
"""The report commands that print, in every form."""


def outputs(made: Project) -> dict[str, str]:
    """What a run has written, what the report commands print, and what Chronicle gets."""
    found, report = written(made), str(made.folder / "rep")
    app, runner = build_app(entry_points(group=GROUP)), CliRunner()
    for command, form in PRINTED:
        reports = [report] * (2 if command == "diff" else 1)
        done = runner.invoke(app, ["report", command, *reports, "--format", form], env={"GITHUB_STEP_SUMMARY": ""})
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        found[f"{command} {form}"] = done.output
    return found


def sent_to_chronicle(made: Project, set_variable: Callable[[str, str], None]) -> dict[str, str]:
    """What goes over the wire when a report is handed over, and what waits on the disk when nobody answers."""
    said: list[str] = []
    set_variable("XDG_DATA_HOME", str(made.folder / "data"))
    with listening() as (address, requests):
        hand_over(made.folder / "rep", address, said.append)
    hand_over(made.folder / "rep", "http://127.0.0.1:9", said.append)
    (request,) = requests
    assert validate_report(json.loads(gzip.decompress(request.body))) == []
    (waiting,) = [path for path in (made.folder / "data").rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {
        "chronicle": f"{request.head}\n{gzip.decompress(request.body).decode()}",
        "chronicle, waiting": gzip.decompress(waiting.read_bytes()).decode(),
        "chronicle, said": "\n".join(said),
    }


def report_files(folder: Path) -> dict[str, str]:
    """Every file of a report, with what is packed in it."""
    found = {}
    for path in sorted(folder.iterdir()):
        found[path.name] = path.read_text("utf-8")
        for packed in re.findall(r'[">]([A-Za-z0-9+/]{200,}={0,2})[<"]', found[path.name]):
            try:
                found[path.name] += zlib.decompress(base64.b64decode(packed)).decode()
            except (ValueError, zlib.error):
                continue
    return found


def written(made: Project) -> dict[str, str]:
    """Every file of the report, and the JUnit files."""
    found = report_files(made.folder / "rep")
    for path in (made.folder / "junit").glob("*.xml"):
        ElementTree.parse(path)
        found[f"junit/{path.name}"] = path.read_text("utf-8")
    return found
