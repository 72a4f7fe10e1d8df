"""A plugin of pytest that records which lines and files each test reaches, and its seconds.

`python -m mlops.checks.recording` runs pytest with it, options go to pytest: first `--new`, then
one run or several (a test that failed can be run again), then `--save`, which makes the map.
`scripts/test --record` does all that.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

import mlops_recording
from mlops.checks.coverage_map import REF, keep
from mlops.checks.recorded import FIXTURE, build
from mlops.errors import MlopsError
from mlops.repository import Repository

CONFIG = """[run]
data_file = {folder}/data
parallel = true
core = ctrace
context = ${{MLOPS_RECORD_LABEL}}
plugins = mlops_recording
sigterm = true
omit = */site-packages/*, */dist-packages/*
patch = execv, _exit
disable_warnings = no-data-collected, module-not-measured, module-not-imported
"""


def record(root: Path, folder: Path, options: list[str]) -> int:
    """Run pytest in `root` with the recording on; data goes to `folder`; pytest's exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "coveragerc"
    config.write_text(CONFIG.format(folder=folder))
    environment = {
        **os.environ,
        "COVERAGE_PROCESS_START": str(config),
        mlops_recording.FOLDER: str(folder),
        mlops_recording.ROOT: str(root),
        mlops_recording.LABEL: "",
    }
    command = [sys.executable, "-m", "pytest", "-p", "mlops.checks.recording", *options]
    return subprocess.run(command, cwd=root, env=environment, check=False).returncode


class _Recorder:
    """What one process of pytest has to tell besides its coverage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.unsure: set[str] = set()
        self.fixtures: dict[str, list[str]] = {}


_recorder = _Recorder()


def _label(name: str) -> str:
    """Attribute what happens from now on to `name`; the label before."""
    before = os.environ[mlops_recording.LABEL]
    os.environ[mlops_recording.LABEL] = name
    running = coverage.Coverage.current()
    if running is not None:
        running.switch_context(name)
    return before


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """All that happens from set-up to tear-down is the test's."""
    shared = getattr(item, "_fixtureinfo", None)
    known = shared.name2fixturedefs.values() if shared else ()
    _recorder.fixtures[item.nodeid] = [_name(each[-1]) for each in known]
    before = _label(item.nodeid)
    try:
        return (yield)
    finally:
        _label(before)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> Iterator[None]:
    """A fixture that several tests share is made once, for all of them."""
    if fixturedef.scope == "function":
        return (yield)
    before = _label(_name(fixturedef))
    try:
        return (yield)
    finally:
        _label(before)


def _name(fixture: pytest.FixtureDef[object]) -> str:
    return f"{FIXTURE}{fixture.baseid}|{fixture.argname}"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Seconds of set-up, call and tear-down; a test that did not pass was not seen whole."""
    _recorder.seconds[report.nodeid] += report.duration
    if not report.passed:
        _recorder.unsure.add(report.nodeid)


def pytest_sessionfinish() -> None:
    """Write down what this process knows; its coverage first, that no test is told without."""
    running = coverage.Coverage.current()
    if running is not None:
        running.save()
    folder = Path(os.environ[mlops_recording.FOLDER])
    told = {
        "seconds": _recorder.seconds,
        "unsure": sorted(_recorder.unsure),
        "fixtures": _recorder.fixtures,
    }
    (folder / f"tests-{os.getpid()}-{os.urandom(4).hex()}.json").write_text(json.dumps(told))


def main(arguments: list[str]) -> int:
    """See the module; the data lies in the stores until it is saved."""
    repo = Repository.at()
    folder = repo.stores / "recording"
    if arguments == ["--new"]:
        shutil.rmtree(folder, ignore_errors=True)
    elif arguments == ["--save"]:
        made = build(repo.root, folder)
        keep(repo.git, made)
        share = f"git push --force {repo.project.forge.remote} {REF}"
        sys.stdout.write(f"recorded {len(made.tests)} tests; share it with `{share}`\n")
    else:
        return record(repo.root, folder, arguments)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except MlopsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.code)
