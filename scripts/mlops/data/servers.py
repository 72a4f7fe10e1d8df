"""Databases that a contract names in its `servers`: what the standard says there, as an address.

A contract holds no credentials, and the standard has no place for them: they come from two
environment variables that are called by the server, `WAREHOUSE_USER` and `WAREHOUSE_PASSWORD` of
`warehouse`. What the standard cannot say (Databricks' HTTP path, another driver, options) is said
in mlops.toml, which comes first.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mlops.data.askable import Entry, Reason
from mlops.data.contract import Contract
from mlops.errors import bad_input
from mlops.specs.project import Project, Server

LOGIN = "{user}:{password}@"
POSTGRES = "postgresql+pg8000://" + LOGIN + "{host}:{port}/{database}"
URLS: Mapping[str, str] = {
    "postgres": POSTGRES,
    "postgresql": POSTGRES,
    "redshift": "redshift+redshift_connector://" + LOGIN + "{host}:{port}/{database}",
    "mysql": "mysql+pymysql://" + LOGIN + "{host}:{port}/{database}",
    "sqlserver": "mssql+pyodbc://" + LOGIN + "{host}:{port}/{database}"
    "?driver=ODBC+Driver+18+for+SQL+Server",
    "snowflake": "snowflake://" + LOGIN + "{account}/{database}/{schema}?warehouse={warehouse}",
    "bigquery": "bigquery://{project}/{dataset}",
    "duckdb": "duckdb:///{database}",
}
"""SQLAlchemy's address by the type of a server, as its dialect's documentation has it."""
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "redshift": {"port": 5439},
    "sqlserver": {"port": 1433},
}
"""What the standard leaves out, or lets out, and the vendor has a default for."""


@dataclass(frozen=True)
class Named:
    """A server that a contract names.

    Attributes:
        name: the contract's.
        kind: the standard's type.
        server: where the table lies; None when the standard does not say enough.
        variables: the environment variables that its address needs.
        reason: why there is no `server`, and the way out.
    """

    name: str
    kind: str
    server: Server | None = None
    variables: tuple[str, ...] = ()
    reason: Reason | None = None


def named_servers(entries: Sequence[Entry] | None) -> Iterator[Named]:
    """The servers of a contract's `servers`, in their order."""
    names = [each["server"] for each in entries or ()]
    for each in entries or ():
        name, kind = str(each["server"]), str(each["type"])
        why = "is named more than once" if names.count(name) > 1 else _lacking(name, kind, each)
        if why:
            yield Named(name, kind, reason=Reason(why, _way_out(name)))
        else:
            yield _addressed(name, kind, each)


def server_of(project: Project, contract: Contract, name: str) -> tuple[Server, str]:
    """A server by its name, and where it is said: mlops.toml's, else the contract's.

    Raises:
        BadInput: when neither has it (those there are are named), or the contract does not say
            enough.
    """
    known = project.data.servers
    if name in known:
        return known[name], f"mlops.toml: data.servers.{name}"
    named = list(named_servers((contract.model_extra or {}).get("servers")))
    found = next((each for each in named if each.name == name), None)
    if found is None:
        names = dict.fromkeys((*known, *(each.name for each in named if each.server)))
        what = f"there is no `data.servers.{name}` in mlops.toml, nor {name} in `servers` of "
        fix = f"name one of {', '.join(names)}" if names else "add it to one of them"
        raise bad_input("--server", what + contract.path, fix)
    place = f"{contract.path}: server {name}"
    if found.server is None:
        raise bad_input(place, *(found.reason or ("cannot be used", _way_out(name))))
    return found.server, place


def _addressed(name: str, kind: str, entry: Entry) -> Named:
    url = URLS[kind]
    variables = tuple(f"{_variable(name)}_{part}" for part in ("USER", "PASSWORD"))
    if LOGIN not in url:
        variables = ()
    if "warehouse" not in entry:
        url = url.removesuffix("?warehouse={warehouse}")
    given = {**DEFAULTS.get(kind, {}), **entry}
    # Quoted, so that nothing of a contract is taken for another part, or for a variable.
    parts = {key: quote(str(value), safe=_safe(kind, key)) for key, value in given.items()}
    parts |= dict(zip(("user", "password"), (f"${{{each}}}" for each in variables), strict=False))
    namespace = entry.get("schema")
    return Named(name, kind, Server(url=url.format(**parts), namespace=namespace), variables)


def _safe(kind: str, key: str) -> str:
    """Characters that a part has unquoted: an IPv6 address, a file's path."""
    if key == "host":
        return "[:]"
    return "/:" if (kind, key) == ("duckdb", "database") else ""


def _lacking(name: str, kind: str, entry: Entry) -> str | None:
    """Why the standard's fields do not make an address; None when they do."""
    if kind not in URLS:
        return f"is of the type {kind}, of which no address can be made here"
    asked = set(re.findall(r"{(\w+)}", URLS[kind])) - {"user", "password", "warehouse"}
    lacking = sorted(asked - entry.keys() - DEFAULTS.get(kind, {}).keys())
    if lacking:
        return f"has no {', '.join(lacking)}"
    if LOGIN in URLS[kind] and not _variable(name)[:1].isalpha():
        return "has a name after which no environment variable can be called"
    return None


def _variable(name: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", name.upper())


def _way_out(name: str) -> str:
    return f"write its SQLAlchemy URL in mlops.toml, below [data.servers.{name}]"
