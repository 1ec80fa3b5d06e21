#!/usr/bin/env python3
"""The project's one command surface. Needs Python 3.11 or later and nothing else.

    python3 dev.py demo     run the feature suite on the in-memory bus and write its report
    python3 dev.py test     everything: all tests; beside them lint, format, types
    python3 dev.py check    lint, format and types only
    python3 dev.py fast     check, and the quick tests without a broker, a browser, a build or a framework's run
    python3 dev.py docs     the documentation as a site, in build/docs; "docs linkcheck" asks its links to other sites
    python3 dev.py package  sdist, the wheel made of it, both checked, and the sdist's fast tests on the wheel
    python3 dev.py bench    every speed beside its reference, its bar and the last release's; "bench engine": a part

Each command first makes sure of a virtual environment in .venv; it is brought up to date only when pyproject.toml
or constraints.txt has changed. What stands after demo is passed on to behave, after test, fast and package to pytest.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / ".up-to-date"
REPORT = ROOT / "test-report"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"

CHECKS = {
    "ruff check": ("-m", "ruff", "check", "."),
    "ruff format": ("-m", "ruff", "format", "--check", "."),
    "mypy": ("-m", "mypy"),
}
PAGE_TOOLS = "reporter/page-tools"
PAGE_MODULES = "reporter/choreo_bdd_reporter/page/js"
PAGE_CHECKS = {
    "eslint": (
        "eslint/bin/eslint.js",
        "--config",
        f"{PAGE_TOOLS}/eslint.config.js",
        PAGE_MODULES,
    ),
    "tsc": ("typescript/bin/tsc", "--project", PAGE_TOOLS),
}
DEMO = ("-m", "behave", "-D", "choreo.profile=memory", "-f", "choreo", "-o", str(REPORT), "-f", "progress3")
SITE = ROOT / "build" / "docs"
DOCS = ("-m", "sphinx", "-c", "docs/site", "-d", str(SITE / ".doctrees"), "--fresh-env", "--fail-on-warning", "--quiet")
CORES = os.cpu_count() or 1
# two cores are idle for a sixth of the time with three workers, a twelfth with four: tests wait for processes
WORKERS = str(CORES + 2)
# reordered by their number of tests, the files that take longest would come last
SPREAD = ("-n", WORKERS, "--dist", "loadfile", "--no-loadscope-reorder")
PASSES = (("-q", "-m", "alone"), (*SPREAD, "-m", "not alone"))
LAST_FAILED = ROOT / ".pytest_cache/v/cache/lastfailed"
AGAIN = ("--last-failed", "--last-failed-no-failures", "none")
TESTS_FAILED = 1
QUICK = "not broker and not browser and not build and not process and not thorough and not alone"
QUICK_TESTS = ("-q", "-m", QUICK, "--hypothesis-profile", "quick")
# they wait for nothing: one process a core, which collects its share only, where xdist's workers each collect all
# and say three things of every test; what failed last is remembered by share, for --lf
FAST = tuple(
    (*QUICK_TESTS, f"--share={part}/{CORES}", "-o", f"cache_dir=.pytest_cache/share-{part}", *AGAIN[1:])
    for part in range(1, CORES + 1)
)
NOTHING_COLLECTED = 5


def main(arguments: Sequence[str]) -> int:
    """Carry out one command; the exit code is the worst of what it ran."""
    commands = {
        "demo": demo, "test": test, "check": check, "fast": fast, "docs": docs, "package": package, "bench": bench,
    }  # fmt: skip
    if not arguments or arguments[0] not in commands:
        print(__doc__)
        return 0 if arguments and arguments[0] in ("-h", "--help", "help") else 2
    if sys.version_info < (3, 11):  # noqa: UP036 - told here, where an older Python can still say so
        return _complain(f"this is Python {VERSION}; Python 3.11 or later is needed")
    command, rest = arguments[0], arguments[1:]
    return set_up() or commands[command](rest)


def demo(extra: Sequence[str]) -> int:
    """Run the feature suite and say where the report is."""
    code = run(*DEMO, *extra)
    page = REPORT / "index.html"
    if page.is_file():
        _say(f"the report: {page.as_uri()}")
    return code


def check(extra: Sequence[str] = ()) -> int:
    """Lint, format and types, of the page's modules too: all of them run, whatever the first one finds."""
    if extra:
        return _complain(f"check takes no arguments, and was given {' '.join(extra)}")
    return max(*(_checked(name, partial(run, *command)) for name, command in CHECKS.items()), check_page())


def check_page() -> int:
    """Lint and types of the page's modules, by tools of npm's; where they cannot be had, only CI insists on them."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return _leave_out("node and npm are not installed")
    modules = ROOT / PAGE_TOOLS / "node_modules"
    if _install_page_tools(npm, modules):
        return _leave_out("npm could not install eslint, typescript and the readers of reports, see above")
    return max(
        _checked(name, partial(_call, node, str(modules / script), *options))
        for name, (script, *options) in PAGE_CHECKS.items()
    )


def _install_page_tools(npm: str, modules: Path) -> int:
    """The tools that the lock file names, once for each state of it."""
    wanted = hashlib.sha256((modules.parent / "package-lock.json").read_bytes()).hexdigest()
    stamp = modules / ".up-to-date"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return 0
    _say(f"installing the page's tools in {PAGE_TOOLS}")
    failed = _call(
        npm, "ci", "--prefix", str(modules.parent), "--ignore-scripts", "--no-audit", "--no-fund", "--silent"
    )
    if not failed:
        stamp.write_text(wanted, encoding="utf-8")
    return failed


def _call(*command: str) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _leave_out(reason: str) -> int:
    if os.environ.get("CI"):
        return _complain(f"the page's modules cannot be checked: {reason}")
    _say(f"the page's modules are left unchecked: {reason}")
    return 0


def test(extra: Sequence[str]) -> int:
    """Everything: the checks, most of which need one core only, beside the tests that measure no time."""
    codes, passes = [], [tuple(extra)] if extra else [*PASSES]
    if not extra:
        codes.append(run("-m", "pytest", *passes.pop(0)))

    def tests() -> int:
        tested = max([*codes, *(run("-m", "pytest", *each) for each in passes)])
        return _try_again() if tested == TESTS_FAILED and not extra else tested

    return _beside_checks(tests)


def _beside_checks(tests: Callable[[], int]) -> int:
    with _beside(sys.executable, str(ROOT / "dev.py"), "check") as checks:
        tested = tests()
        print(checks.communicate()[0], end="", flush=True)
    if checks.returncode and not tested:
        _complain("the tests pass, a check above does not")
    return max(checks.returncode, tested)


@contextmanager
def _beside(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs while others do; what it says is kept for the end."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()  # in vain where it has ended


def _try_again() -> int:
    """What failed beside others, where brokers and browsers share the machine, gets one try by itself."""
    failed = _last_failed()
    _say("once more, one at a time, what failed while other tests ran beside it; what fails again has failed")
    code = run("-m", "pytest", *AGAIN)
    for flaky in sorted(failed - _last_failed()):
        _say(f"flaky, passed on the second try only: {flaky}")
    return code


def _last_failed() -> set[str]:
    """Node ids that failed when they last ran, as pytest remembers them."""
    return set(json.loads(LAST_FAILED.read_text(encoding="utf-8"))) if LAST_FAILED.is_file() else set()


def fast(extra: Sequence[str]) -> int:
    """The inner loop."""
    return _beside_checks(partial(_in_shares, extra))


def _in_shares(extra: Sequence[str]) -> int:
    """What the first says is seen as it comes, what the others say when it has ended."""
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(CORES))
        commands = [("-m", "pytest", *share, *extra) for share in FAST]
        said = [stack.enter_context(tempfile.TemporaryFile()) for _ in commands[1:]]
        others = [pool.submit(run, *each, output=file) for each, file in zip(commands[1:], said, strict=True)]
        codes = [run(*commands[0])]
        for other, file in zip(others, said, strict=True):
            codes.append(other.result())
            file.seek(0)
            print(file.read().decode(errors="replace"), end="", flush=True)
    # a share may have none of what was asked for, but not all of them
    return max((code for code in codes if code != NOTHING_COLLECTED), default=NOTHING_COLLECTED)


def docs(extra: Sequence[str]) -> int:
    """Build the site and say where it is; a link within it that leads nowhere fails the build."""
    if extra not in ((), [], ["linkcheck"]):
        return _complain(f"docs takes no arguments but linkcheck, and was given {' '.join(extra)}")
    builder = "linkcheck" if extra else "html"
    code = run(*DOCS, "--builder", builder, ".", str(SITE / builder))
    if not code and not extra:
        _say(f"the documentation: {(SITE / 'html' / 'index.html').as_uri()}")
    return code


def package(extra: Sequence[str]) -> int:
    """Build as whoever packages it does, away from the checkout: each step needs the one before."""
    with tempfile.TemporaryDirectory(prefix="choreo-bdd-") as name:
        folder = Path(name)
        steps: dict[str, Callable[[], int]] = {
            "sdist": lambda: _build("--sdist", folder, ROOT) or _unpack(folder),
            "wheel of the sdist": lambda: _build("--wheel", folder, _unpacked(folder)),
            "checks of both": lambda: _check_for_an_index(folder),
            "installation of the wheel": lambda: _install_wheel(folder),
            "tests of the sdist": lambda: _test_unpacked(folder, extra),
        }
        return next((failed for step, work in steps.items() if (failed := _checked(step, work))), 0)


def _build(what: str, folder: Path, source: Path) -> int:
    return run("-m", "build", what, "--outdir", str(folder), str(source))


def _unpack(folder: Path) -> int:
    with tarfile.open(next(folder.glob("*.tar.gz"))) as packed:
        packed.extractall(folder, filter="data")
    return 0


def _unpacked(folder: Path) -> Path:
    return next(folder.glob("*/pyproject.toml")).parent


def _check_for_an_index(folder: Path) -> int:
    wheel, sdist = str(next(folder.glob("*.whl"))), str(next(folder.glob("*.tar.gz")))
    return max(run("-m", "twine", "check", "--strict", wheel, sdist), run("-m", "check_wheel_contents", wheel))


def _install_wheel(folder: Path) -> int:
    home, wheel = folder / "venv", next(folder.glob("*.whl"))
    if failed := _call(sys.executable, "-m", "venv", str(home)):
        return failed
    pip = (str(home / BIN.name / PYTHON.name), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    return _call(*pip, "--constraint", "constraints.txt", f"{wheel}[all,test]")


def _test_unpacked(folder: Path, extra: Sequence[str]) -> int:
    """The sdist's tests find the installed packages before the unpacked ones, which stand beside them."""
    home, root = folder / "venv", _unpacked(folder)
    installed = sysconfig.get_path("purelib", "venv", vars={"base": str(home)})
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((installed, str(root)))}
    environment["PATH"] = str(home / BIN.name) + os.pathsep + environment.get("PATH", "")
    command = (str(home / BIN.name / PYTHON.name), "-P", "-m", "pytest", "-n", str(CORES), *QUICK_TESTS, *extra)
    return subprocess.run(command, cwd=root, env=environment, check=False).returncode


def bench(extra: Sequence[str]) -> int:
    """Measure, within some minutes; 1 when something is slower than its bar."""
    return run("-m", "bench", *extra)


def set_up() -> int:
    """Make the virtual environment and install the project in it, unless that has been done."""
    wanted, is_usable = _stamp(), PYTHON.exists() and _venv_version() == VERSION
    if is_usable and STAMP.is_file() and STAMP.read_text(encoding="utf-8") == wanted:
        return 0
    if not is_usable and (failed := _make_venv()):
        return failed
    _say("installing the project and its tools (some minutes the first time, most of them downloads)")
    pip = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    failed = run(*pip, "--constraint", "constraints.txt", "--editable", ".[all,test]")
    if failed:
        return _complain("the installation failed; pip says why above. The next run tries again")
    STAMP.write_text(wanted, encoding="utf-8")
    return 0


def run(*command: str, output: IO[bytes] | None = None) -> int:
    """Run the environment's Python in the project's root; where ``output`` is given, it says there what it says."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    environment["PATH"] = str(BIN) + os.pathsep + environment.get("PATH", "")
    environment["VIRTUAL_ENV"] = str(VENV)
    said: dict[str, Any] = {} if output is None else {"stdout": output, "stderr": subprocess.STDOUT}
    code = subprocess.run([str(PYTHON), *command], cwd=ROOT, env=environment, check=False, **said).returncode
    return 128 - code if code < 0 else code  # ended by a signal: told as shells tell it


def _make_venv() -> int:
    if importlib.util.find_spec("ensurepip") is None:
        return _complain(
            f"this Python has no ensurepip, so it cannot make a virtual environment; on Debian and Ubuntu: "
            f"apt-get install python{VERSION}-venv"
        )
    _say(f"making a virtual environment with Python {VERSION} in {VENV.name}")
    code = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False).returncode
    return _complain("the virtual environment could not be made; the reason stands above") if code else 0


def _venv_version() -> str:
    """Which Python the environment was made with, as ``3.12``; empty when that cannot be told."""
    settings = VENV / "pyvenv.cfg"
    found = re.search(r"^version(?:_info)?\s*=\s*(\d+\.\d+)", settings.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""


def _stamp() -> str:
    """What an installation depends on: the place it was made for, and the two files."""
    digest = hashlib.sha256(str(ROOT).encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def _checked(name: str, checks: Callable[[], int]) -> int:
    begun = time.monotonic()
    code = checks()
    _say(f"{name}: {'FAILED' if code else 'ok'} ({time.monotonic() - begun:.1f} s)")
    return code


def _say(text: str) -> None:
    print(f"dev.py: {text}", flush=True)


def _complain(text: str) -> int:
    print(f"dev.py: {text}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
