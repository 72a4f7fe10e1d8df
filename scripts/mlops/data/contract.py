"""A dataset's contract: an Open Data Contract Standard (ODCS) v3 file, read strictly where we act.

The standard's other keys (team, support, prices ...) are for people and catalogues; they are
kept as they are, so that a change of them can be told.
"""

import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from mlops.errors import bad_input
from mlops.files import load_yaml
from mlops.repository import Layout
from mlops.specs.base import Name, Spec, Version

Number = int | float
Bound = int | float | str
LogicalType = Literal["string", "integer", "number", "boolean", "timestamp", "date"]
Unit = Literal["rows", "percent"]
ENGINE = "greatExpectations"
Severity = Literal["error", "warning"]
TOLD_ONLY = frozenset({"warning", "warn", "info"})
"""Severities, as people write them, of rules that stop nothing."""


FEATURES_FILE = "features.odcs.yaml"
"""A contract's file beside a model's features.py."""


def contract_path(dataset: str) -> str:
    """`data-contracts/<dataset>.odcs.yaml`."""
    return f"data-contracts/{dataset}.odcs.yaml"


class Part(Spec):
    """A part of the standard's file: camel-case keys, extension points left open."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")


def runs(engine: str | None) -> bool:
    """Whether a custom rule's engine is Great Expectations, however it is spelt."""
    return re.sub("[^a-z]", "", (engine or "").lower()) == ENGINE.lower()


def _severity(written: Any) -> Any:
    """An unknown severity stops: nothing gets in because a word was not understood."""
    told_only = isinstance(written, str) and written.strip().lower() in TOLD_ONLY
    return "warning" if told_only else "error"


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

    @model_validator(mode="before")
    @classmethod
    def _flags(cls, value: Any) -> Any:
        """Before v3.1 `exclusiveMaximum: true` said that `maximum` itself is not allowed."""
        for end in ("minimum", "maximum"):
            key = f"exclusive{end.capitalize()}"
            if isinstance(value, dict) and isinstance(flag := value.get(key), bool):
                value = {name: each for name, each in value.items() if name != key}
                if flag and end in value:
                    value[key] = value.pop(end)
        return value


class Quality(Part):
    """One quality rule: a library metric or a query with one operator, or an expectation."""

    type: Literal["library", "sql", "custom", "text"] = "library"
    name: str | None = None
    severity: Annotated[Severity, BeforeValidator(_severity)] = "error"
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
    query: str | None = None
    engine: str | None = None
    implementation: dict[str, Any] | str | None = None

    @model_validator(mode="after")
    def _complete(self) -> "Quality":
        if self.type == "library" and self.metric is None:
            raise ValueError("a library rule needs `metric`")
        if self.type == "sql" and self.query is None:
            raise ValueError("a rule of type sql needs `query`")
        if self.type in ("library", "sql") and len(self.operators) != 1:
            raise ValueError("a counted rule needs exactly one operator, such as `mustBe: 0`")
        if self.type == "custom" and not runs(self.engine):
            raise ValueError(f"`engine` has to be {ENGINE}")
        if self.type == "custom" and not {"type", "kwargs"} <= set(self.expectation):
            raise ValueError("`implementation` needs `type` and `kwargs`")
        return self

    @property
    def stops(self) -> bool:
        """Whether data that breaks it is refused; else it is told only."""
        return self.severity == "error"

    @property
    def operators(self) -> dict[str, Any]:
        """The operators given (a library rule and a query have one), by field name."""
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

    @property
    def unit(self) -> str | None:
        """What its values are measured in: the custom property `unit`."""
        given = (self.model_extra or {}).get("customProperties") or ()
        return next((str(each["value"]) for each in given if each["property"] == "unit"), None)

    @property
    def classification(self) -> str | None:
        """How it is classified, such as public or restricted."""
        return (self.model_extra or {}).get("classification")


def is_open(classification: str | None) -> bool:
    """Whether a classification keeps nobody from reading; a column without one is open."""
    return (classification or "public").lower() == "public"


class Table(Part):
    """The table: its columns, and rules about more than one of them."""

    name: str
    properties: tuple[Column, ...]
    quality: tuple[Quality, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in their order."""
        return tuple(column.name for column in self.properties)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Names of the columns that identify a row, in the order of their positions."""
        keys = [column for column in self.properties if column.primary_key]
        return tuple(column.name for column in sorted(keys, key=lambda c: c.primary_key_position))


class ServiceLevel(Part):
    """One service level: a property such as latency, and what is promised of it."""

    property: str
    value: Any = None
    unit: str | None = None
    element: str | None = None
    driver: str | None = None


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
    def table(self) -> Table:
        """The one table."""
        return self.tables[0]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The table's columns, in their order."""
        return self.table.properties

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in their order."""
        return self.table.names

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Names of the columns that identify a row, in the order of their positions."""
        return self.table.primary_key


ContractT = TypeVar("ContractT", bound=Contract)


class FeaturesContract(Contract):
    """The contract of a model's features: one table, a number for each feature, in order."""

    @property
    def path(self) -> str:
        """Where it lies in the repository."""
        return features_path(self.name)


def features_path(model: str) -> str:
    """`models/<model>/features.odcs.yaml`."""
    return f"models/{model}/{FEATURES_FILE}"


def read_features(layout: Layout, model: str) -> FeaturesContract | None:
    """The contract of a model's features; None when it has none.

    Raises:
        BadInput: when the file is no valid contract, contradicts itself, or asks what is not held.
    """
    from mlops.data.reading import usable

    path = features_path(model)
    text = layout.tree.read(path)
    if text is None:
        return None
    return _named(usable(text, path, FeaturesContract), path, model)


def read_contract(layout: Layout, dataset: str) -> Contract:
    """The contract of a dataset.

    Raises:
        BadInput: when no such dataset is known (those known are named), or its file is no
            valid contract, contradicts itself, or asks what is not checked.
    """
    from mlops.data.reading import usable  # which reads by the classes above

    known_dataset(layout, dataset)
    path = contract_path(dataset)
    return _named(usable(layout.tree.read(path) or b"", path, Contract), path, dataset)


def _named(contract: ContractT, path: str, name: str) -> ContractT:
    if contract.name != name:
        raise bad_input(
            path,
            f"`name` is {contract.name!r} in the file of {name!r}",
            f"write `name: {name}`",
        )
    return contract


def known_dataset(layout: Layout, dataset: str) -> None:
    """Raises `BadInput`, naming the datasets there are, when this is none of them."""
    names = layout.datasets()
    if dataset not in names:
        raise bad_input(
            contract_path(dataset),
            f"there is no dataset {dataset!r}",
            f"name one of {', '.join(names)}" if names else "add its contract",
        )
