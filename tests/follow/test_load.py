"""Switches under a steady load, counted by the independent client of benchmarks/."""

import json
import signal
import subprocess
import sys

import pytest

from tests.follow.conftest import Fleet
from tests.follow.running import following, port_of
from tests.team import ROOT

pytestmark = pytest.mark.slow


def test_no_request_fails_in_switches_and_reverts_under_load(fleet: Fleet) -> None:
    fleet.deploy(1)
    with following(fleet.team) as follower:
        follower.until_status(serving=1, health="Healthy")
        load = start_load(port_of(fleet.team))
        try:
            for number in range(2, 4):
                fleet.deploy(number, "second" if number % 2 == 0 else "first")
                follower.until("serving", release=number)
                seen = len(follower.events)
                fleet.revert()
                follower.until("serving", start=seen, release=1)
        finally:
            load.send_signal(signal.SIGTERM)
            printed, _ = load.communicate(timeout=30)
    counted = json.loads(printed)
    assert counted["sent"] > 500
    assert counted["ok"] == counted["sent"], counted
    assert set(counted["releases"]) == {"1", "2", "3"}


def start_load(port: int) -> "subprocess.Popen[str]":
    """The client, asking for one point again and again."""
    body = json.dumps({"rows": [{"x": 1.5, "side": "left"}]})
    url = f"http://127.0.0.1:{port}/predict"
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load", "--url", url, "--body", body],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
