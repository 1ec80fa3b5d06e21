"""Apache Kafka's jars: of an installed distribution, or fetched once by Maven into the user's cache."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from choreo_bdd.brokers import _folders, _programs
from choreo_bdd.brokers.errors import BrokerUnavailable

VERSION = "4.1.0"
_FETCH_S = 600.0
_SCALA = "2.13"
# slf4j-simple writes Kafka's log to the output; its version is that of Kafka's own slf4j-api.
_POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>choreo-bdd</groupId>
  <artifactId>kafka-jars</artifactId>
  <version>{VERSION}</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_{_SCALA}</artifactId>
      <version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""


@dataclass(frozen=True, slots=True)
class Jars:
    """Where the jars are (or will be), which Kafka they are, and what Java needs to show the log."""

    folder: Path
    version: str
    source: str
    logging: tuple[str, ...] = ()


def find() -> Jars | None:
    """The jars of a distribution, else those in the cache, else those Maven would fetch; ``None`` without any."""
    installed = _installed()
    if installed is not None:
        return installed
    folder = _folders.cache() / f"kafka-{VERSION}"
    if folder.is_dir() or _programs.on_path("mvn") is not None:
        return Jars(folder, VERSION, "jars from Maven")
    return None


def fetched() -> Jars:
    """The jars, on disk; ``BrokerUnavailable`` when Maven could not fetch them."""
    jars = find()
    if jars is None:
        raise BrokerUnavailable("kafka", "Apache Kafka's jars are gone", "Install Maven (mvn) or set KAFKA_HOME")
    if not jars.folder.is_dir():
        _fetch(jars.folder)
    return jars


def _installed() -> Jars | None:
    homes = [Path(os.environ["KAFKA_HOME"])] if os.environ.get("KAFKA_HOME") else []
    script = _programs.on_path("kafka-server-start.sh", "kafka-server-start")
    if script is not None:
        home = script.resolve().parent.parent
        homes += [home, home / "libexec"]
    for home in homes:
        for jar in sorted((home / "libs").glob(f"kafka_{_SCALA}-*.jar")):
            if version := re.fullmatch(rf"kafka_{_SCALA}-([\d.]+)\.jar", jar.name):
                return Jars(home / "libs", version[1], str(home), tuple(_logging(home / "config")))
    return None


def _logging(config: Path) -> list[str]:
    known = {"log4j2.yaml": "-Dlog4j2.configurationFile={}", "log4j.properties": "-Dlog4j.configuration=file:{}"}
    return [option.format(config / name) for name, option in known.items() if (config / name).is_file()]


def _fetch(folder: Path) -> None:
    """Into a folder beside the wanted one, which then takes its name: nobody ever sees half of the jars."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        work = Path(temporary)
        (work / "pom.xml").write_text(_POM, encoding="utf-8")
        _run_maven(work)
        try:
            (work / "jars").rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was quicker, with the same jars
                raise


def _run_maven(work: Path) -> None:
    maven = _programs.on_path("mvn")
    command = [str(maven), "-B", "-q", "dependency:copy-dependencies", f"-DoutputDirectory={work / 'jars'}"]
    try:
        ran = subprocess.run(
            command, cwd=work, capture_output=True, text=True, timeout=_FETCH_S, check=False, stdin=subprocess.DEVNULL
        )
        failure = None if ran.returncode == 0 else f"mvn ended with code {ran.returncode}: {_tail(ran.stdout)}"
    except subprocess.TimeoutExpired:
        failure = f"mvn did not finish within {_FETCH_S:g} s"
    if failure is not None:
        raise BrokerUnavailable(
            "kafka",
            f"Apache Kafka {VERSION} could not be fetched: {failure}",
            "Check Maven's access to its repository, set KAFKA_HOME, or ask for implementation='tansu'",
        )


def _tail(output: str) -> str:
    return " | ".join(output.strip().splitlines()[-3:])
