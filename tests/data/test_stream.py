"""A stream of records: a verdict for each line as it comes, whatever the line is."""

import io
import json
import subprocess
import sys
from typing import Any

import pytest

from mlops.cli import run
from mlops.data.contract import read_contract
from mlops.data.raw import LONGEST_LINE
from mlops.data.records import Checker
from mlops.data.stream import judged
from mlops.errors import Exit
from tests.team import Team

GOOD = {"moment": "2024-03-01T00:00:00", "x": 1.5, "side": "left", "y": 3}


def verdicts(team: Team, *lines: bytes) -> list[dict[str, Any]]:
    checker = Checker(read_contract(team.repo, "toy-points"))
    stream = io.BytesIO(b"\n".join(lines))
    return [line.as_json(checker.contract) for line in judged(checker, stream)]


def record(**more: Any) -> bytes:
    return json.dumps({**GOOD, **more}).encode()


def test_a_broken_record_is_told_by_its_line_and_the_others_pass(team: Team) -> None:
    fix = "correct the record, or change data-contracts/toy-points.odcs.yaml if it is right"
    assert verdicts(team, record(), b"", record(x=11), record()) == [
        {"line": 1, "passed": True},
        {
            "line": 3,
            "passed": False,
            "problems": [
                {
                    "path": "line 3",
                    "what": "outliers: it does not hold that `x` is at least 0 and at most 10 "
                    "(11.0)",
                    "fix": fix,
                    "severity": "error",
                }
            ],
        },
        {"line": 4, "passed": True},
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"nope", "is not JSON (Expecting value, character 1)"),
        (b'{"x": 1', "is not JSON (Expecting ',' delimiter, character 9)"),
        (b"[1]", "is JSON, and no object"),
        (b'{"x": 1, "x": 2}', "is not JSON (it has the key 'x' more than once)"),
        (b'{"x": NaN}', "is not JSON (NaN is no number of JSON)"),
        (b'{"x": "\xff"}', "is not UTF-8 text (byte 0xff)"),
        (b'{"x": "\\ud800"}', "is not JSON of text (it has half of a character, \\ud...)"),
        (b"[" * 100_000, "is not JSON (maximum recursion depth exceeded"),
        (b'"' + b"x" * 3 * LONGEST_LINE, "is longer than 1,048,576 bytes"),
    ],
    ids=lambda value: str(value[:12]),
)
def test_a_line_that_is_no_record_is_told_and_nothing_after_it_is_lost(
    team: Team, line: bytes, told: str
) -> None:
    first, last = verdicts(team, line, record())
    assert first["problems"][0]["what"].startswith(told)
    assert (first["line"], first["passed"], last) == (1, False, {"line": 2, "passed": True})


def test_each_verdict_is_written_before_the_next_record_comes(team: Team) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops", "data", "validate", "toy-points", "--stream"],
        cwd=team.root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdin
        assert process.stdout
        for number, x in enumerate((1, 11, 2), 1):
            process.stdin.write(record(x=x) + b"\n")
            process.stdin.flush()
            told = json.loads(process.stdout.readline())
            assert (told["line"], told["passed"]) == (number, x < 10)
        _, said = process.communicate()
    assert process.returncode == Exit.NOT_GOOD
    assert said.decode().splitlines() == [
        "each record is held to 13 of 15 rules of data-contracts/toy-points.odcs.yaml",
        (
            "  not judged on one record: no two rows share the key moment; it compares rows with each "
            "other"
        ),
        "  not judged on one record: the number of rows is more than 0; it counts rows",
        "3 records: 1 broken",
    ]


def test_a_stream_goes_with_no_other_option(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(team.root)
    assert run(["data", "validate", "toy-points", "--stream", "--json"]) == Exit.BAD_INPUT
    told = "--stream: goes with no other option; leave the others out\n"
    assert capsys.readouterr().err == told
