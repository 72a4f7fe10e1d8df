"""Servers that a contract names: their addresses, and what the standard does not say enough of."""

from typing import Any

import pytest
import sqlalchemy

from mlops.data.servers import Named, named_servers, server_of
from mlops.errors import BadInput
from mlops.specs.base import validated
from mlops.specs.project import Project, Server
from tests.data.test_validation import contract_of
from tests.team import Team

NAME = {"server": "my-shop"}
LOGIN = "${MY_SHOP_USER}:${MY_SHOP_PASSWORD}@"
THERE = {"host": "db.example.com", "port": 1234, "database": "shop", "schema": "sales"}


def named(**entry: Any) -> Named:
    (found,) = named_servers([NAME | entry])
    return found


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ({"type": "postgres", **THERE}, f"postgresql+pg8000://{LOGIN}db.example.com:1234/shop"),
        (
            {"type": "redshift", "host": "r", "database": "shop", "schema": "sales"},
            f"redshift+redshift_connector://{LOGIN}r:5439/shop",
        ),
        ({"type": "mysql", **THERE}, f"mysql+pymysql://{LOGIN}db.example.com:1234/shop"),
        (
            {"type": "sqlserver", "host": "[::1]", "database": "shop", "schema": "sales"},
            f"mssql+pyodbc://{LOGIN}[::1]:1433/shop?driver=ODBC+Driver+18+for+SQL+Server",
        ),
        (
            {"type": "snowflake", "account": "a-b", "database": "shop", "schema": "sales"},
            f"snowflake://{LOGIN}a-b/shop/sales",
        ),
        (
            {"type": "snowflake", "account": "a", "database": "d", "schema": "s", "warehouse": "w"},
            f"snowflake://{LOGIN}a/d/s?warehouse=w",
        ),
        ({"type": "bigquery", "project": "p", "dataset": "d"}, "bigquery://p/d"),
        ({"type": "duckdb", "database": "data/shop.db"}, "duckdb:///data/shop.db"),
    ],
)
def test_what_the_standard_says_of_a_server_is_its_address(entry: dict[str, Any], url: str) -> None:
    found = named(**entry)
    assert found.server == Server(url=url, namespace=entry.get("schema"))
    assert found.variables == (("MY_SHOP_USER", "MY_SHOP_PASSWORD") if "@" in url else ())
    sqlalchemy.make_url(url)


def test_nothing_that_a_contract_says_is_taken_for_another_part_or_for_a_variable() -> None:
    found = named(type="mysql", host="a@b/c", port=1, database="${HOME}?x=y")
    assert found.server == Server(url=f"mysql+pymysql://{LOGIN}a%40b%2Fc:1/%24%7BHOME%7D%3Fx%3Dy")


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        (
            [{"server": "lake", "type": "databricks", "catalog": "c", "schema": "s"}],
            "is of the type databricks, of which no address can be made here",
        ),
        ([{"server": "lake", "type": "redshift", "database": "d", "schema": "s"}], "has no host"),
        (
            [{"server": "1", "type": "mysql", **THERE}],
            "has a name after which no environment variable can be called",
        ),
        ([{"server": "lake", "type": "mysql", **THERE}] * 2, "is named more than once"),
    ],
)
def test_why_a_server_is_not_used_is_told(entries: list[dict[str, Any]], why: str) -> None:
    for found in named_servers(entries):
        assert found.server is None
        assert found.reason is not None
        assert found.reason.why == why


def test_mlops_toml_comes_first_and_what_the_contract_does_not_say_enough_of_is_refused(
    team: Team,
) -> None:
    contract = contract_of().model_copy()
    value = contract.model_dump(by_alias=True, exclude_none=True)
    value["servers"] = [
        {"server": "shop", "type": "mysql", **THERE},
        {"server": "lake", "type": "s3", "location": "s3://lake"},
    ]
    contract = validated(value, "contract", type(contract))
    project = team.repo.project
    found, said_in = server_of(project, contract, "shop")
    assert (found.url[:16], said_in) == ("mysql+pymysql://", f"{contract.path}: server shop")
    own = Server(url="sqlite://")
    data = project.data.model_copy(update={"servers": {"shop": own}})
    first: Project = project.model_copy(update={"data": data})
    assert server_of(first, contract, "shop") == (own, "mlops.toml: data.servers.shop")
    for name, said in (
        (
            "lake",
            (
                f"{contract.path}: server lake: is of the type s3, of which no address can be made "
                "here; write its SQLAlchemy URL in mlops.toml, below [data.servers.lake]"
            ),
        ),
        (
            "other",
            (
                "--server: there is no `data.servers.other` in mlops.toml, nor other in `servers` of "
                f"{contract.path}; name one of shop"
            ),
        ),
    ):
        with pytest.raises(BadInput) as refused:
            server_of(project, contract, name)
        assert str(refused.value.problems[0]) == said
