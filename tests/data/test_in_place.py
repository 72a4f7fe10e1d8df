"""A table checked where it lies, by a real PostgreSQL: the same is found as in its rows."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy

from mlops.cli import run
from mlops.data.in_place.validation import validate_in_place
from mlops.data.typed import read
from mlops.data.validation import Report, complaint, validate
from mlops.errors import BadInput, Exit
from mlops.files import dump_yaml
from mlops.specs.project import Server
from tests import postgres
from tests.data.scanning.test_agreement import CONTRACT
from tests.data.test_validation import column, contract_of
from tests.team import Team

pytestmark = pytest.mark.slow
ABOVE = "expect_column_pair_values_a_to_be_greater_than_b"
ROWS = {
    "id": ["0", "1", "2", "2", "4"],
    "x": ["0", "0.5", "2.6", "-1", None],
    "n": ["0", "1", "2", "2", "3"],
    "s": ["a", "it's", "c1", "abc", None],
    "at": ["2024-01-01", "2024-01-02", "2024-01-04", None, "2023-12-31"],
    "day": ["2024-01-01", "2024-01-02", "2024-01-03", None, "2024-01-01"],
    "b": ["true", "false", None, "true", "true"],
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # The server runs as another user, who has to reach its folder.
    folder = Path("/tmp") / f"mlops-postgres-{os.getpid()}"
    with postgres.running(folder) as port:
        yield f"postgresql+pg8000://{postgres.USER}:${{DB_PASSWORD}}@127.0.0.1:{port}/postgres"


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "p@ss word")


def put(url: str, frame: pd.DataFrame, table: str, namespace: str = "public") -> None:
    engine = sqlalchemy.create_engine(url.replace("${DB_PASSWORD}", "any"))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {namespace}")
        frame.to_sql(table, connection, schema=namespace, if_exists="replace", index=False)
    engine.dispose()


def judged(report: Report) -> dict[str, tuple[bool, int]]:
    return {o.rule.text: (o.passed, o.failing) for o in report.outcomes}


def test_it_finds_what_is_found_in_the_rows_themselves(url: str) -> None:
    frame = pd.DataFrame(ROWS, range(1, 6), dtype="str")
    put(url, read(CONTRACT, frame).rows, "t", "sales")
    found = validate_in_place(CONTRACT, "warehouse", Server(url=url, namespace="sales"))
    theirs, ours = judged(found), judged(validate(CONTRACT, frame))
    # Great Expectations counts a pair of which one value is missing on pandas alone.
    assert theirs.pop(ABOVE) != ours.pop(ABOVE)
    assert theirs == ours
    assert found.rows == len(frame)
    assert (found.engines["duckdb"], found.subject) == (0, "t on warehouse")


def test_values_that_fail_are_told_and_columns_of_other_types_and_queries_are_judged(
    url: str,
) -> None:
    query = {"type": "sql", "name": "asked", "query": "SELECT COUNT(*) FROM ${table}", "mustBe": 9}
    contract = contract_of(
        column(logicalTypeOptions={"maximum": 1}), column(name="w"), quality=(query,)
    )
    put(url, pd.DataFrame({"id": [1, 2], "v": [0.5, 7.0], "w": ["a", "b"]}), "t")
    found = validate_in_place(contract, "warehouse", Server(url=url))
    assert [complaint(outcome) for outcome in found.failed] == [
        "schema: 2 of 2 values of `w` are not a number (the column is TEXT)",
        "outliers: 1 of 2 values of `v` are not at most 1 (such as 7.0)",
        "relation: the query `asked` has to give 9 (it gives 2)",
    ]


def refused(server: Server, contract: Any = CONTRACT) -> str:
    with pytest.raises(BadInput) as raised:
        validate_in_place(contract, "warehouse", server)
    (problem,) = raised.value.problems
    return str(problem)


def test_a_table_that_is_not_there_is_told_without_what_is_secret(url: str) -> None:
    said = refused(Server(url=url, namespace="nowhere"))
    assert said.startswith("mlops.toml: data.servers.warehouse: `t` could not be checked there (")
    assert "p@ss" not in said
    assert "p%40ss" not in said


def test_a_variable_that_is_not_set_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DB_PASSWORD")
    assert refused(Server(url=url)) == (
        "mlops.toml: data.servers.warehouse: DB_PASSWORD is not set; export DB_PASSWORD"
    )


def test_a_table_on_a_server_that_its_contract_names_is_checked_there(
    url: str, team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = sqlalchemy.make_url(url)
    path = "data-contracts/toy-points.odcs.yaml"
    entry = {
        "server": "my-shop",
        "type": "postgres",
        "host": there.host,
        "port": there.port,
        "database": there.database,
        "schema": "shop",
    }
    team.write(path, (team.root / path).read_text() + dump_yaml({"servers": [entry]}))
    row = {"moment": pd.Timestamp("2024-01-01"), "x": 99.0, "side": "left", "y": 1.0}
    put(url, pd.DataFrame([row]), "points", "shop")
    monkeypatch.chdir(team.root)
    asked = ["data", "validate", "toy-points", "--server", "my-shop"]
    assert run(asked) == Exit.BAD_INPUT
    place = f"{path}: server my-shop"
    assert capsys.readouterr().err == (
        f"{place}: MY_SHOP_PASSWORD is not set; export MY_SHOP_PASSWORD\n"
        f"{place}: MY_SHOP_USER is not set; export MY_SHOP_USER\n"
    )
    monkeypatch.setenv("MY_SHOP_USER", postgres.USER)
    monkeypatch.setenv("MY_SHOP_PASSWORD", "p@ss word")
    assert run(asked) == Exit.NOT_GOOD
    told = capsys.readouterr()
    assert told.out.startswith("points on my-shop: 1 rows, contract 1.0.0")
    assert "outliers: 1 of 1 values of `x` are not at least 0 and at most 10" in told.err
