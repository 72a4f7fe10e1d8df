"""No gap: whatever a step reads or writes below clone and stores, by any library, an event names."""

import os
import sys
from pathlib import Path

import pytest

from tests.lineage.named import events, untold
from tests.lineage.opened import traced
from tests.team import Team

RAW = "data-contracts/bike-rentals/raw"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def steps(team: Team, *lines: str) -> list[str]:
    """Run lines of mlops, each traced by itself; what no event of the line names."""
    found = []
    for line in lines:
        wanted, arguments = _expected(line.split())
        before = {event["run"]["runId"] for event in events(team)}
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "mlops", *arguments]
        done, seen = traced(command, cwd=team.root, env=env)
        assert done.returncode == wanted, f"{line}: {done.stdout}{done.stderr}"
        told = [event for event in events(team) if event["run"]["runId"] not in before]
        assert len(told) >= 2, f"{line}: no events"
        assert seen.read, f"{line}: nothing was seen"
        found += [f"{line}: {each}" for each in untold(team, seen, told)]
    return found


def _expected(words: list[str]) -> tuple[int, list[str]]:
    """A line may begin with the exit code that it has to have."""
    return (int(words[0]), words[1:]) if words[0].isdecimal() else (0, words)


def merged(team: Team, branch: str) -> None:
    team.git("fetch", "--quiet", "origin")
    team.git("merge", "--quiet", "--squash", f"origin/{branch}")
    team.commit(branch)


def test_every_file_of_the_bike_story_is_named(bikes: Team) -> None:
    months = " ".join(f"{RAW}/2011-{month:02}.csv" for month in (1, 2, 3))
    found = steps(bikes, f"data ingest bike-rentals {months}")
    bikes.commit("January to March")
    found += steps(
        bikes,
        "data validate bike-rentals",
        "train bike-demand",
        "evaluate bike-demand",
        "build bike-demand",
        "score bike-demand",
        "release bike-demand",
    )
    merged(bikes, "release/bike-demand-1")
    found += steps(bikes, "promote bike-demand --to staging")
    assert found == []


def test_every_file_of_all_that_is_done_with_data_is_named(team: Team) -> None:
    raw = Path("data-contracts/toy-points/raw")
    january, february = raw / "2024-01.csv", raw / "2024-02.csv"
    lines = (team.root / february).read_text().splitlines()
    team.write("broken.csv", "\n".join([*lines[:3], lines[3].replace(",", ",9", 1)]) + "\n")
    team.write("mended.csv", "\n".join(lines[:4]) + "\n")
    found = steps(team, f"data ingest toy-points {january}")
    team.commit("January")
    found += steps(team, "1 data ingest toy-points broken.csv")
    batch = next((team.stores / "quarantine" / "toy-points").iterdir()).name
    found += steps(
        team,
        f"data quarantine repair toy-points {batch} mended.csv",
        "data validate toy-points --batch mended.csv",
        "data propose toy-points",
    )
    team.commit("Mended")
    found += steps(
        team,
        f"data ingest toy-points {february}",
        "data checkout toy-points HEAD~1 january.parquet",
    )
    (team.root / "january.parquet").unlink()
    team.commit("February")
    # Nothing is here but what the remote has.
    for file in (team.stores / "datasets").iterdir():
        file.unlink()
    found += steps(team, "data rollback toy-points", "pipeline run toy-line")
    assert found == []


def test_a_step_that_reads_and_writes_without_telling_is_found(team: Team) -> None:
    """The check can fail: here the model's own code opens files, one of them by a C library."""
    (team.root / "weights.parquet").write_bytes(parquet())
    source = (team.root / "models/toy-line/train.py").read_text()
    planted = 'open("notes.txt", "w").write("x")\n    pq.read_table("weights.parquet")'
    source = source.replace("    settings = dict", f"    {planted}\n    settings = dict")
    source = source.replace("import lightgbm\n", "import lightgbm\nimport pyarrow.parquet as pq\n")
    team.write("models/toy-line/train.py", source)
    month = "data-contracts/toy-points/raw/2024-01.csv"
    assert steps(team, f"data ingest toy-points {month}") == []
    assert steps(team, "train toy-line") == [
        "train toy-line: read team/weights.parquet",
        "train toy-line: wrote team/notes.txt",
    ]


def parquet() -> bytes:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.table({"x": [1.0]}), sink)
    return sink.getvalue()
