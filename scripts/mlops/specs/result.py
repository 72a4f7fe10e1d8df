"""result: what one part of the checks of a pull request found; what the report is made from.

Results of a fork's pull request are hostile input: they are read with these bounds, and every
text in them is escaped where it is shown.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from mlops.specs.base import Commit, Digest, Name, Spec, Version
from mlops.specs.decision import Champion, Comparison
from mlops.specs.evidence import DataValidation, GateResult, ModelEvidence

Part = Literal["code", "tests", "contracts", "models", "environments", "policy"]
PARTS: tuple[Part, ...] = ("code", "tests", "contracts", "models", "environments", "policy")
Outcome = Literal["good", "not good", "not evaluated"]
"""`not evaluated`: it could not be looked at here (data or stores are missing); it blocks."""
Text = Annotated[str, StringConstraints(max_length=4_000)]


class Told(Spec):
    """One problem: where, what is wrong, how to fix it."""

    path: Text
    what: Text
    fix: Text


class Plot(Spec):
    """A picture beside the result."""

    file: str = Field(pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*\.(png|svg)$", max_length=200)
    digest: Digest
    caption: Text


class PairedMetric(Spec):
    """A metric of the model and of what serves, on the same rows: all, or those of a slice."""

    column: Text = Field(description="empty: all rows")
    value: Text
    rows: int = Field(ge=0)
    metric: Text
    champion_value: float
    challenger_value: float
    difference: float = Field(description="challenger minus champion")
    low: float
    high: float


class ModelResult(Spec):
    """A model of the change, measured against what serves."""

    evidence: ModelEvidence
    environment: Name = Field(description="whose champion it was compared with")
    champion: Champion | None = Field(default=None, description="absent: the stated baseline")
    comparisons: tuple[Comparison, ...]
    paired: tuple[PairedMetric, ...] = Field(
        default=(), description="with the same champion: all metrics, then slices"
    )
    gates: tuple[GateResult, ...] = Field(description="all: absolute, slices, cost, relative")
    services: tuple[Name, ...] = Field(description="that serve this model")
    plots: tuple[Plot, ...] = ()
    notes: tuple[Text, ...] = Field(
        default=(), description="what a reader has to know of what it was compared with"
    )


class DatasetResult(Spec):
    """A pinned dataset against its contract; `validation` is absent when it is not here."""

    dataset: Name
    validation: DataValidation | None = None
    broken: tuple[Text, ...] = Field(default=(), description="each broken rule with its counts")
    page: Digest | None = Field(
        default=None, description="of `data-<dataset>.html` beside the result; absent: none made"
    )


class ContractDifference(Spec):
    """One thing that a contract says otherwise than before."""

    path: Text = Field(description="`<table>.<column>` or another place in the contract")
    kind: Literal["addition", "narrowing", "widening", "removal", "wording"]
    text: Text
    breaking: bool


class ContractResult(Spec):
    """A contract that changes, and who reads its dataset or has its features."""

    dataset: Name = Field(description="the dataset, or the model whose features it is of")
    of: Literal["dataset", "features"] = "dataset"
    before: Version | None = Field(default=None, description="absent: the contract is new")
    after: Version | None = Field(default=None, description="absent: the contract is removed")
    needs: Literal["major", "minor", "patch", "none"] = Field(
        description="how far the version has to be raised for these differences"
    )
    differences: tuple[ContractDifference, ...]
    models: tuple[Name, ...]
    services: tuple[Name, ...]


class Fact(Spec):
    """One thing a reviewer of an environment's change wants to know, in words."""

    name: Text
    text: Text
    good: bool = True


class Rendered(Spec):
    """The diff of one rendered file, cut when it is long."""

    path: Text
    diff: Annotated[str, StringConstraints(max_length=200_000)]
    lines: int = Field(ge=0, description="of the whole diff")


class EnvironmentResult(Spec):
    """A change of environments/: its kind, its rules, what it means."""

    kind: Text | None = None
    environment: Name | None = None
    service: Name | None = None
    release: int | None = None
    replaces: int | None = Field(default=None, description="release that serves there now")
    reason: Text | None = Field(default=None, description="as its decision gives it")
    comparisons: tuple[Comparison, ...] = Field(
        default=(), description="with what serves there now, as the decision states them"
    )
    made_anew: bool = Field(default=False, description="the comparisons, by these checks")
    models: tuple[ModelEvidence, ...] = Field(default=(), description="of the release's evidence")
    data: tuple[DataValidation, ...] = Field(default=(), description="of the release's evidence")
    facts: tuple[Fact, ...] = Field(
        default=(),
        description="age of the evidence, time and requests served before, freeze, way back",
    )
    differences: tuple[Text, ...] = Field(default=(), description="of the release, in words")
    rendered: tuple[Rendered, ...] = ()
    undo: tuple[Text, ...] = ()


class Result(Spec):
    """What one part found in one share of the change."""

    version: Literal["result/v1"] = "result/v1"
    part: Part
    shard: int = Field(default=1, ge=1, le=200)
    of: int = Field(default=1, ge=1, le=200)
    base: Commit = Field(description="the commit the change started from")
    head: Commit = Field(description="the commit that was checked")
    outcome: Outcome
    summary: Text = Field(description="one line")
    seconds: float = Field(ge=0)
    checks: tuple[GateResult, ...] = ()
    problems: tuple[Told, ...] = ()
    more: int = Field(default=0, ge=0, description="problems beyond those that are listed")
    removed: tuple[Name, ...] = Field(default=(), description="models that the change takes away")
    models: tuple[ModelResult, ...] = ()
    datasets: tuple[DatasetResult, ...] = ()
    contracts: tuple[ContractResult, ...] = ()
    environment: EnvironmentResult | None = None
