"""The shipped contract checked by a real Spark: what is found is what is found in the file."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlops.data import table
from mlops.data.batch import check_batch
from mlops.data.contract import read_contract
from mlops.data.in_place.validation import validate_in_place
from mlops.data.validation import validate_file
from mlops.errors import BadInput
from mlops.repository import Repository
from mlops.specs.project import Server
from tests import spark
from tests.team import free_port, make_clone

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PUT = """
import sys
from pyspark.sql import SparkSession
url, file = sys.argv[1:]
session = SparkSession.builder.remote(url).getOrCreate()
session.sql("CREATE DATABASE rentals")
session.read.parquet(file).write.saveAsTable("rentals.hourly_rentals")
session.stop()
"""


@pytest.fixture(scope="module")
def around() -> dict[str, str]:
    # Times without a zone are nobody's own, wherever the check is run.
    return {**spark.environment(), "TZ": "Asia/Kolkata"}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return make_clone(tmp_path_factory.mktemp("spark") / "clone")


@pytest.fixture(scope="module")
def url(around: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with spark.connect(tmp_path_factory.mktemp("connect")) as address:
        yield address


def rows_of(clone: Repository) -> pd.DataFrame:
    contract = read_contract(clone, "bike-rentals")
    return check_batch(
        clone, contract, clone.root / "data-contracts/bike-rentals/raw/2011-04.csv"
    ).typed


def planted(good: pd.DataFrame) -> pd.DataFrame:
    """Rows with something of each kind: missing, outside, unknown, shared, at odds."""
    rows = good.copy()
    rows.loc[rows.index[3:33], "temp"] = 1.5
    for number, name, value in (
        (40, "temp", -9.0),
        (41, "temp", 4.25),
        (5, "mnth", "Apr"),
        (6, "weathersit", None),
        (8, "hour_at", rows["hour_at"].iloc[7]),
        (9, "holiday", 1),
        (9, "workingday", 1),
        (10, "bikers", 0),
        (12, "hour_at", pd.Timestamp("2012-01-01")),
        (13, "hum", float("nan")),
    ):
        rows.loc[rows.index[number], name] = value
    return rows


def put(clone: Repository, frame: pd.DataFrame, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(table.encode(read_contract(clone, "bike-rentals"), frame))
    return path


def asked(
    clone: Repository, around: dict[str, str], **server: str
) -> "subprocess.CompletedProcess[str]":
    """The command, run on a server of mlops.toml."""
    said = "".join(f"{name} = {json.dumps(value)}\n" for name, value in server.items())
    project = clone.root / "mlops.toml"
    before = project.read_text()
    project.write_text(f"{before}\n[data.servers.spark]\n{said}")
    command = ("data", "validate", "bike-rentals", "--server", "spark", "--json")
    try:
        return subprocess.run(
            [str(Path(sys.executable).parent / "mlops"), *command],
            cwd=clone.root,
            env=around,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        project.write_text(before)


def found_there(clone: Repository, around: dict[str, str], **server: str) -> dict[str, Any]:
    """The report of a server, as the command tells it."""
    ran = asked(clone, around, **server)
    assert ran.returncode in (0, 1), ran.stderr
    report: dict[str, Any] = json.loads(ran.stdout)
    return report


def judged(report: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {each["rule"]: _judged(each) for each in report["rules"]}


def _judged(rule: dict[str, Any]) -> tuple[Any, ...]:
    """Rows have numbers in files alone; values do both."""
    values = [example["value"] for example in rule["examples"]]
    observed = f"such as {'; '.join(values)}" if any(values) else rule["observed"]
    return (rule["passed"], rule["severity"], rule["checked"], rule["failing"], observed)


def found_here(clone: Repository, path: Path) -> dict[str, Any]:
    return validate_file(read_contract(clone, "bike-rentals"), path).as_json()


def test_planted_faults_in_a_table_of_the_catalog_are_those_found_in_the_file(
    clone: Repository, around: dict[str, str], url: str, tmp_path: Path
) -> None:
    path = put(clone, planted(rows_of(clone)), tmp_path / "planted.parquet")
    subprocess.run([sys.executable, "-c", PUT, url, str(path)], env=around, check=True)
    there = found_there(clone, around, url=url, namespace="rentals")
    assert judged(there) == judged(found_here(clone, path))
    assert (there["rows"], there["passed"], there["unchecked"]) == (719, False, [])
    assert sum(not rule["passed"] for rule in there["rules"]) >= 8


def test_good_rows_in_parquet_are_good_to_a_spark_of_the_commands_own(
    clone: Repository, around: dict[str, str], tmp_path: Path
) -> None:
    path = put(clone, rows_of(clone), tmp_path / "hourly_rentals" / "april.parquet")
    place = f"{tmp_path}/{{table}}/"
    there = found_there(clone, around, url="local[2]", parquet=place)
    assert judged(there) == judged(found_here(clone, path))
    assert (there["rows"], there["passed"]) == (719, True)


def test_a_server_that_takes_no_connection_is_told_at_once(
    clone: Repository, around: dict[str, str]
) -> None:
    ran = asked(clone, around, url=f"sc://127.0.0.1:{free_port()}/;token=s3cret")
    assert ran.returncode == 2
    assert ran.stderr.endswith(
        "mlops.toml: data.servers.spark: `hourly_rentals` could not be checked there ([Errno 111] "
        "Connection refused); correct the address, install the driver, or create the table\n"
    )


def test_a_team_without_pyspark_is_told_how_to_install_it(
    clone: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(BadInput) as raised:
        validate_in_place(read_contract(clone, "bike-rentals"), "spark", Server(url="local[2]"))
    assert str(raised.value.problems[0]) == (
        "mlops.toml: data.servers.spark: `hourly_rentals` could not be checked there (pyspark is "
        'not installed); uv pip install "pyspark[connect]>=4.1,<4.2"'
    )


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"url": "sqlite://"}, "parquet is for Spark: a url of sc://, spark:// or local[N]"),
        ({"url": "sc://h", "namespace": "n"}, "parquet and namespace are two places"),
    ],
)
def test_parquet_is_the_only_place_of_a_server_and_sparks(more: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        Server.model_validate({"parquet": "/{table}", **more})
