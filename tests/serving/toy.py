"""The toy service, trained and built for real, and its processes with a control channel."""

import csv
import importlib.util
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from mlops.bento import Artifact, Built, build
from mlops.data.feature_limits import limits_for
from mlops.scoring import artifact, features
from tests.team import Team

MODEL = "toy-line"
RAW = "data-contracts/toy-points/raw/2024-01.csv"
READY_SECONDS = 30.0


def toy_artifact(team: Team, folder: Path, rounds: int = 40) -> Artifact:
    """Train toy-line with its own code on its own raw data."""
    code = features.load(team.root / f"models/{MODEL}/features.py")
    rows = list(csv.DictReader((team.root / RAW).open()))
    records = [code.record(x=float(row["x"]), side=row["side"]) for row in rows]
    text = _train_function(team)(
        np.array([code.row(record) for record in records]),
        np.array([float(row["y"]) for row in rows]),
        code.columns,
        {"num_leaves": 7, "learning_rate": 0.2, "rounds": rounds},
        3,
    )
    card = artifact.Card(
        model=MODEL,
        task="regression",
        format="lightgbm",
        columns=code.columns,
        features=code.digest,
        limits=limits_for(team.repo, MODEL, code.columns),
    )
    files = artifact.files_of(card, text.encode())
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return Artifact(artifact.digest_of(files), folder)


def _train_function(team: Team) -> Any:
    spec = importlib.util.spec_from_file_location(
        "toy_train", team.root / f"models/{MODEL}/train.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.train


@dataclass(frozen=True)
class Toy:
    """A team, its trained model and the bento of both."""

    team: Team
    model: Artifact
    bento: Built

    @property
    def pins(self) -> dict[str, str]:
        """What a release would pin."""
        return {MODEL: self.model.digest}


def make_toy(team: Team, folder: Path, rounds: int = 40) -> Toy:
    """Train and build."""
    model = toy_artifact(team, folder / "artifact", rounds)
    built = build(team.repo, team.repo.commit("HEAD"), "toy", {MODEL: model})
    return Toy(team, model, built)


def rows(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Points that the toy service takes."""
    random = np.random.default_rng(seed)
    sides = ("left", "right")
    return [
        {"x": float(x), "side": sides[side]}
        for x, side in zip(random.uniform(0, 10, count), random.integers(0, 2, count), strict=True)
    ]


def body(*points: Mapping[str, Any]) -> bytes:
    """A scoring request."""
    return json.dumps({"rows": points}).encode()


@dataclass
class Serving:
    """A serving process as a follower sees it."""

    process: subprocess.Popen[bytes]
    private: Path
    channel: socket.socket
    seconds: float = 0.0
    """From spawn to ready."""
    _said: list[str] = field(default_factory=list)
    _rest: bytes = b""

    def say(self, order: str) -> None:
        """Send an order."""
        self.channel.sendall(json.dumps({"do": order}).encode() + b"\n")

    def hear(self, state: str, seconds: float = READY_SECONDS) -> None:
        """Wait until the process has said this."""
        deadline = time.monotonic() + seconds
        while state not in self._said:
            self.channel.settimeout(max(deadline - time.monotonic(), 0.001))
            data = self.channel.recv(4096)
            assert data, f"the channel ended before {state!r}: exit {self.process.wait()}"
            *lines, self._rest = (self._rest + data).split(b"\n")
            self._said += [json.loads(line)["state"] for line in lines]
        self._said.remove(state)

    def ask(self) -> httpx.Client:
        """A client of the private socket."""
        transport = httpx.HTTPTransport(uds=str(self.private))
        return httpx.Client(transport=transport, base_url="http://toy", timeout=5)


@contextmanager
def serving(
    bento: Path,
    *,
    release: int = 1,
    pins: Mapping[str, str] | None = None,
    listening: socket.socket | None = None,
    log: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Serving]:
    """A serving process that is ready; it is ended whatever the test does."""
    ours, theirs = socket.socketpair()
    with tempfile.TemporaryDirectory(prefix="mlops-test-") as folder:
        private = Path(folder) / "private.sock"
        inherited = {"--control": theirs}
        if listening is not None:
            inherited["--listen"] = listening
        started = time.monotonic()
        with (log or Path(os.devnull)).open("ab") as output:
            process = subprocess.Popen(
                command(bento, "--private", str(private), **descriptors(inherited)),
                pass_fds=[sock.fileno() for sock in inherited.values()],
                env=served_environment(release, pins, environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
            )
        theirs.close()
        found = Serving(process, private, ours)
        try:
            found.hear("ready")
            found.seconds = time.monotonic() - started
            yield found
        finally:
            ours.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


def descriptors(inherited: Mapping[str, socket.socket]) -> dict[str, str]:
    """Options that name inherited descriptors."""
    return {name: str(sock.fileno()) for name, sock in inherited.items()}


def command(bento: Path, *more: str, **options: str) -> list[str]:
    """The command line of a serving process."""
    pairs = [part for pair in options.items() for part in pair]
    return [sys.executable, "-m", "mlops.serving", "--bento", str(bento), *more, *pairs]


def served_environment(
    release: int, pins: Mapping[str, str] | None, more: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment a follower gives."""
    own = {"MLOPS_RELEASE": str(release)}
    if pins is not None:
        own["MLOPS_MODELS"] = json.dumps(dict(pins))
    return {**os.environ, **own, **(more or {})}


def listening_socket() -> socket.socket:
    """A loopback socket that listens, as the follower holds one."""
    sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
    sock.setblocking(False)
    return sock


def port_of(sock: socket.socket) -> int:
    """Its port."""
    port: int = sock.getsockname()[1]
    return port


def predictions(answers: Sequence[httpx.Response]) -> list[float]:
    """All predictions, in order."""
    return [value for answer in answers for value in answer.json()["predictions"]]
