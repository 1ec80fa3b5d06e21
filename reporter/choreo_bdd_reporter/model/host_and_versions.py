"""Where and on what a run took place: versions, host, git."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from choreo_bdd_reporter.model.limits import clean_text
from choreo_bdd_reporter.model.tests import Environment

_GIT_TIMEOUT_S = 0.5
_GIT_MAX_CHARS = 256
_UNKNOWN_VERSION = "0.0.0+unknown"

# Continuous integration checks out a commit without a branch; its variables know both. First one set wins.
_CI_SHA = ("GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT", "BUILD_SOURCEVERSION", "CIRCLE_SHA1", "BUILDKITE_COMMIT",
           "BITBUCKET_COMMIT", "TRAVIS_COMMIT", "DRONE_COMMIT_SHA")  # fmt: skip
_CI_BRANCH = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME",
              "BRANCH_NAME", "GIT_BRANCH", "BUILD_SOURCEBRANCHNAME", "CIRCLE_BRANCH", "BUILDKITE_BRANCH",
              "BITBUCKET_BRANCH", "TRAVIS_BRANCH", "DRONE_BRANCH")  # fmt: skip


def reporter_version() -> str:
    """Version of the installed distribution, ``0.0.0+unknown`` when it is not installed as one."""
    try:
        return metadata.version("choreo-bdd")
    except metadata.PackageNotFoundError:
        return _UNKNOWN_VERSION


def harness_version() -> str:
    """Version the engine states of itself, ``unknown`` if it does not."""
    import choreo_bdd  # noqa: PLC0415 - the engine is needed only when a report is written

    return str(getattr(choreo_bdd, "__version__", "unknown"))


class GitLookup:
    """Commit and branch of a directory, found in the background so that nobody waits for git."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._found: tuple[str | None, str | None] = (None, None)
        self._thread = threading.Thread(target=self._look, name="choreo-bdd-git", daemon=True)
        self._thread.start()

    def result(self, environ: Mapping[str, str] = os.environ) -> tuple[str | None, str | None]:
        """Commit and branch; what git does not tell comes from the variables of the CI system, else ``None``."""
        self._thread.join(_GIT_TIMEOUT_S)
        sha, branch = self._found
        return sha or _first(environ, _CI_SHA), branch or _first(environ, _CI_BRANCH)

    def _look(self) -> None:
        sha = _git(self._directory, "rev-parse", "HEAD")
        branch = _git(self._directory, "rev-parse", "--abbrev-ref", "HEAD") if sha else None
        self._found = (sha, None if branch == "HEAD" else branch)


def _git(directory: Path, *arguments: str) -> str | None:
    # safe.directory lets it answer in containers, where the checkout belongs to another user
    command = ["git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", *arguments]
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "LANG": "C",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_OPTIONAL_LOCKS": "0",
        "HOME": tempfile.gettempdir(),
    }
    try:
        done = subprocess.run(
            command, cwd=directory, env=environment, capture_output=True, timeout=_GIT_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    text = done.stdout.decode("utf-8", "replace").strip()
    return text if 0 < len(text) <= _GIT_MAX_CHARS else None


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((environ[name] for name in names if environ.get(name)), None)


def describe_environment(git: GitLookup, *, project_name: str | None) -> Environment:
    """The facts of this process, machine and checkout."""
    sha, branch = git.result()
    return Environment(
        python_version=platform.python_version(),
        harness_version=harness_version(),
        reporter_version=reporter_version(),
        hostname=socket.gethostname(),
        project_name=project_name,
        git_sha=sha,
        git_branch=branch,
        environment=os.environ.get("HARNESS_ENV") or None,
    )


def project_name(option: str | None, root: Path) -> str | None:
    """Name of the project: the option, then ``HARNESS_PROJECT_NAME``, then the root directory; blank is ``None``."""
    name = option if option is not None else os.environ.get("HARNESS_PROJECT_NAME") or root.name
    return clean_text(name.strip()) or None
