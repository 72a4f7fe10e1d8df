"""A client of its own process that keeps asking a service while something happens to it."""

import json
import signal
import subprocess
import sys
import time
from typing import Any

from mlops.demo.stage import Stage
from mlops.files import load_yaml

RATE = 200
DEADLINE = 1.0
"""Seconds after which an answer counts as lost."""
FIRST_ANSWERS = 1.0
"""Seconds of load before anything happens."""


class Load:
    """A steady load on one service; started at once.

    Without an address it asks the follower of this machine.
    """

    def __init__(
        self,
        stage: Stage,
        service: str,
        environment: str,
        address: str | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        settings = (stage.team / f"environments/{environment}/{service}/settings.yaml").read_bytes()
        example = (stage.team / f"apps/{service}/service.yaml").read_bytes()
        port = load_yaml(settings, "settings.yaml")["local_port"]
        body = json.dumps({"rows": [load_yaml(example, "service.yaml")["example"]]})
        url = f"{address or f'http://127.0.0.1:{port}'}/predict"
        asking = ("--url", url, "--body", body, "--rate", str(RATE), "--deadline", str(deadline))
        stage.say(f"{RATE} requests a second to {url}")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load", *asking],
            cwd=stage.template,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        stage.add(self._process)
        self.go_on(FIRST_ANSWERS)

    def go_on(self, seconds: float) -> None:
        """Let the load go on for a while."""
        time.sleep(seconds)

    def end(self) -> dict[str, Any]:
        """Stop asking and return the tally."""
        self._process.send_signal(signal.SIGINT)
        output, _ = self._process.communicate(timeout=30)
        tally: dict[str, Any] = json.loads(output)
        return tally
