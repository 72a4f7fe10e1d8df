"""The demo: it is told to its end, and Ctrl-C at any moment leaves nothing running."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import Handlers

import psutil
import pytest
import yaml

from tests.team import ROOT

LIMIT = 600.0


@contextmanager
def demo(folder: Path, on_ctrl_c: Handlers = Handlers.SIG_DFL) -> Iterator[subprocess.Popen[str]]:
    """The demo in a session of its own, as a terminal runs it; or a script in its background,
    for which the shell has Ctrl-C ignored.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops.demo", str(folder)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, on_ctrl_c),  # noqa: PLW1509 - no threads here
        env={**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "100"},
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=60)


def of(folder: Path) -> list[str]:
    """Command lines of the processes that were started for a demo in that folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and str(folder) in " ".join(
                (*process.cmdline(), process.cwd())
            ):
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def ports(folder: Path) -> list[int]:
    """The local ports of the demo's services."""
    files = sorted((folder / "team").glob("environments/*/*/settings.yaml"))
    return [yaml.safe_load(file.read_text())["local_port"] for file in files]


def listens(port: int) -> bool:
    """Whether somebody answers on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What the demo says up to and with the first line that holds the words."""
    assert process.stdout is not None
    said = ""
    deadline = time.monotonic() + LIMIT
    for line in process.stdout:
        said += line
        if words in line:
            return said
        assert time.monotonic() < deadline, said
    pytest.fail(f"it ended without saying {words!r}:\n{said}")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_story_is_told_to_its_end_and_leaves_what_it_promises(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with demo(folder) as process:
        said = read_until(process, "runs, models and aliases in MLflow")
        assert process.wait(timeout=60) == 0
    assert (
        "1000 answers in 10 requests equal the registered model's predictions, bit for bit" in said
    )
    assert "holds no release, and a promotion to prod takes what staging holds" in said
    assert "gate `relative mae` is not met" in said
    assert "a tag or an alias can name something else tomorrow" in said
    assert "the change touches 2 services (bike-demand, other-service)" in said
    assert "alias prod-bike-demand -> bike-demand version 1" in said
    assert ", 0 lost" in said
    releases = {
        name: yaml.safe_load(
            (folder / f"team/environments/{name}/bike-demand/release.yaml").read_text()
        )
        for name in ("dev", "staging", "prod")
    }
    assert {name: one["release"] for name, one in releases.items()} == {
        "dev": 2,
        "staging": 2,
        "prod": 1,
    }
    assert releases["prod"]["datasets"] != releases["dev"]["datasets"]
    assert of(folder) == []
    assert not any(map(listens, ports(folder)))
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("moment", "on_ctrl_c"),
    [
        ("$ mlops follow prod &", Handlers.SIG_DFL),
        ("$ mlops follow prod &", Handlers.SIG_IGN),
        ("$ mlops train bike-demand", Handlers.SIG_DFL),
        ("$ mlops evaluate bike-demand --answers", Handlers.SIG_DFL),
        ("$ mlops evaluate bike-demand --answers", Handlers.SIG_IGN),
    ],
)
def test_ctrl_c_leaves_nothing_running(moment: str, on_ctrl_c: Handlers, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with demo(folder, on_ctrl_c) as process:
        read_until(process, moment)
        os.killpg(process.pid, signal.SIGINT)
        rest, _ = process.communicate(timeout=90)
        assert process.returncode == 130, rest
    assert "everything that was started has been ended" in rest
    assert of(folder) == []
    assert not any(map(listens, ports(folder)))


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with demo(tmp_path) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.strip() == f"{tmp_path}: holds thesis.txt, not of this demo; name another folder"
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
