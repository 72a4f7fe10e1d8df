"""A real Spark on loopback: its packages from PyPI lie apart, as they do for no lock."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.installed import need, where
from tests.team import free_port

PACKAGES = (
    "pyspark==4.1.4",
    "py4j==0.10.9.9",
    "grpcio==1.85.3",
    "grpcio-status==1.85.3",
    "googleapis-common-protos==1.76.0",
    "zstandard==0.25.0",
)
"""All that pyspark[connect] needs beside what the project has."""
FOLDER = Path.home() / ".cache" / "spark" / "4-1-4"
CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"
QUICK = {
    # For some hundred rows compiling costs more than it saves.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.ui.enabled": "false",
}
JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def environment() -> dict[str, str]:
    """What a process needs that uses Spark; installs it where nothing may be lacking: in CI."""
    need("java")
    if not (FOLDER / "pyspark").is_dir():
        _install()
    settings = " ".join(f"--conf {name}={value}" for name, value in QUICK.items())
    return {
        **os.environ,
        "PYTHONPATH": f"{FOLDER}:{os.environ.get('PYTHONPATH', '')}",
        "JAVA_TOOL_OPTIONS": JAVA,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_SUBMIT_ARGS": f"{settings} pyspark-shell",
        "PYSPARK_PYTHON": sys.executable,
    }


def _install() -> None:
    """Whole or not at all: a run that is killed leaves nothing that looks like it."""
    command = ("pip", "install", "--quiet", "--no-deps", "--target")
    if os.environ.get("CI") != "true":
        pytest.skip(f"not installed: uv {' '.join((*command, str(FOLDER), *PACKAGES))}")
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with FOLDER.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if FOLDER.is_dir():  # by another worker meanwhile
            return
        made = FOLDER.with_suffix(f".{os.getpid()}")
        uv = str(where("uv") or Path(sys.prefix) / "uv" / "bin" / "uv")
        into = (str(made), "--python", sys.executable)
        subprocess.run([uv, *command, *into, *PACKAGES], check=True)
        made.rename(FOLDER)


@contextmanager
def connect(folder: Path) -> Iterator[str]:
    """The URL of a Spark Connect server, whose tables lie in a folder; gone with its end."""
    port, around = free_port(), environment()
    settings = {
        **QUICK,
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.sql.warehouse.dir": str(folder / "tables"),
    }
    options = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    start = [str(FOLDER / "pyspark/bin/spark-submit"), "--master", "local[2]", "--class", CLASS]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*start, *options, "spark-internal"],
            cwd=folder,
            env=around,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait(server, port, folder / "log")
        yield f"sc://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def _wait(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"Spark did not start: {log.read_text(errors='replace')[-2000:]}")
