"""A dataset's contract: an Open Data Contract Standard (ODCS) v3 file, read strictly where we act.

The standard's other keys (team, support, prices ...) are for people and catalogues; they are
kept as they are, so that a change of them can be told.
"""

from collections import Counter
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from mlops.errors import BadInput, Problem, bad_input
from mlops.files import load_yaml
from mlops.repository import Layout
from mlops.specs.base import Name, Spec, Version, read

Number = int | float
Bound = int | float | str
LogicalType = Literal["string", "integer", "number", "boolean", "timestamp", "date"]
Unit = Literal["rows", "percent"]
ENGINES = ("greatExpectations", "great-expectations")


def contract_path(dataset: str) -> str:
    """`data-contracts/<dataset>.odcs.yaml`."""
    return f"data-contracts/{dataset}.odcs.yaml"


class Part(Spec):
    """A part of the standard's file: camel-case keys, extension points left open."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")


class TypeOptions(Part):
    """Bounds of a column's values; unknown ones are refused, so that none is silently unchecked."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    minimum: Bound | None = None
    maximum: Bound | None = None
    exclusive_minimum: Bound | None = None
    exclusive_maximum: Bound | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    format: str | None = Field(default=None, description="for people; not checked")
    timezone: bool | None = Field(default=None, description="false: stored in UTC without zone")
    default_timezone: str | None = None


class Quality(Part):
    """One quality rule: a library metric with one operator, or a Great Expectations one."""

    type: Literal["library", "custom", "text"] = "library"
    name: str | None = None
    description: str | None = None
    metric: (
        Literal["nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount"]
        | None
    ) = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    unit: Unit = "rows"
    must_be: Number | None = None
    must_not_be: Number | None = None
    must_be_greater_than: Number | None = None
    must_be_greater_or_equal_to: Number | None = None
    must_be_less_than: Number | None = None
    must_be_less_or_equal_to: Number | None = None
    must_be_between: tuple[Number, Number] | None = None
    must_not_be_between: tuple[Number, Number] | None = None
    engine: str | None = None
    implementation: dict[str, Any] | str | None = None

    @model_validator(mode="after")
    def _complete(self) -> "Quality":
        if self.type == "library" and self.metric is None:
            raise ValueError("a library rule needs `metric`")
        if self.type == "library" and len(self.operators) != 1:
            raise ValueError("a library rule needs exactly one operator, such as `mustBe: 0`")
        if self.type == "custom" and self.engine not in ENGINES:
            raise ValueError(f"`engine` has to be {ENGINES[0]}")
        if self.type == "custom" and not {"type", "kwargs"} <= set(self.expectation):
            raise ValueError("`implementation` needs `type` and `kwargs`")
        return self

    @property
    def operators(self) -> dict[str, Any]:
        """The operators given (a library rule has one), by field name."""
        given = {name: value for name, value in self if name.startswith("must_")}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def expectation(self) -> dict[str, Any]:
        """A custom rule's Great Expectations configuration: `type` and `kwargs`."""
        if isinstance(self.implementation, str):
            parsed = load_yaml(self.implementation, "implementation")
            return parsed if isinstance(parsed, dict) else {}
        return self.implementation or {}


class Column(Part):
    """One column of the table."""

    name: str
    logical_type: LogicalType
    required: bool = False
    unique: bool = False
    primary_key: bool = False
    primary_key_position: int = -1
    logical_type_options: TypeOptions = TypeOptions()
    quality: tuple[Quality, ...] = ()


class Table(Part):
    """The table: its columns, and rules about more than one of them."""

    name: str
    properties: tuple[Column, ...]
    quality: tuple[Quality, ...] = ()


class ServiceLevel(Part):
    """One service level: a property such as latency, and what is promised of it."""

    property: str
    value: Any = None
    unit: str | None = None
    element: str | None = None


class Contract(Part):
    """The data contract: schema and quality rules of one table."""

    api_version: Literal["v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0"]
    kind: Literal["DataContract"]
    id: str
    name: Name = Field(description="the dataset's name")
    version: Version
    status: str
    tables: tuple[Table, ...] = Field(alias="schema")
    sla_properties: tuple[ServiceLevel, ...] = ()

    @property
    def dataset(self) -> str:
        """The dataset's name."""
        return self.name

    @property
    def path(self) -> str:
        """Where the contract lies in the repository."""
        return contract_path(self.name)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The table's columns, in their order."""
        return self.tables[0].properties if self.tables else ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in their order."""
        return tuple(column.name for column in self.columns)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Names of the columns that identify a row, in the order of their positions."""
        keys = [column for column in self.columns if column.primary_key]
        return tuple(column.name for column in sorted(keys, key=lambda c: c.primary_key_position))


def read_contract(layout: Layout, dataset: str) -> Contract:
    """The contract of a dataset.

    Raises:
        BadInput: when no such dataset is known (those known are named), or its file is wrong.
    """
    known_dataset(layout, dataset)
    path = contract_path(dataset)
    contract = read(layout.tree, path, Contract)
    if contract.name != dataset:
        raise bad_input(
            path,
            f"`name` is {contract.name!r} in the file of {dataset!r}",
            f"write `name: {dataset}`",
        )
    problems = _unusable(contract)
    if problems:
        raise BadInput(problems)
    return contract


def _unusable(contract: Contract) -> list[Problem]:
    """What the standard allows and this tool cannot work with."""
    problems = []
    if len(contract.tables) != 1:
        what = f"`schema` has {len(contract.tables)} tables"
        problems.append(Problem(contract.path, what, "keep one; a dataset is one table"))
    if not contract.primary_key:
        what = "no column has `primaryKey: true`"
        fix = "mark the columns that identify a row, new rows are put in by them"
        problems.append(Problem(contract.path, what, fix))
    # Great Expectations finds columns without regard to case.
    counted = Counter(name.lower() for name in contract.names)
    twice = [f"`{name}`" for name in contract.names if counted[name.lower()] > 1]
    if twice:
        what = f"columns {', '.join(twice)} differ in upper and lower case only, or not at all"
        problems.append(Problem(contract.path, what, "rename one"))
    return problems


def known_dataset(layout: Layout, dataset: str) -> None:
    """Raises `BadInput`, naming the datasets there are, when this is none of them."""
    names = layout.datasets()
    if dataset not in names:
        raise bad_input(
            contract_path(dataset),
            f"there is no dataset {dataset!r}",
            f"name one of {', '.join(names)}" if names else "add its contract",
        )
