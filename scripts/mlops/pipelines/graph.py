"""The definition of a model's pipeline: its steps, what each reads and what it writes.

The order follows from these: a step comes after those that write what it reads. A step is one
`mlops` line, the same wherever it runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mlops.data.derivation import is_derived, sources_of
from mlops.errors import bad_input
from mlops.repository import Layout

Verb = Literal[
    "ingest", "derive", "validate", "propose", "train", "evaluate", "score", "tune", "suggest"
]

Kind = Literal[
    "raw", "dataset", "validation", "proposal", "model", "evaluation", "predictions", "search"
]


@dataclass(frozen=True, order=True)
class Artifact:
    """Something that a step reads or writes."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Step:
    """One line of `mlops`.

    Attributes:
        verb: what it does.
        subject: the dataset or model it does it to.
        line: the arguments of `mlops`.
        reads, writes: what has to be there before, and what is there after.
    """

    verb: Verb
    subject: str
    line: tuple[str, ...]
    reads: tuple[Artifact, ...]
    writes: tuple[Artifact, ...]

    @property
    def name(self) -> str:
        """Unique in its pipeline."""
        return f"{self.verb}-{self.subject}"


@dataclass(frozen=True)
class Pipeline:
    """The steps of a model, each after those it needs."""

    model: str
    steps: tuple[Step, ...]

    def before(self, step: Step) -> tuple[Step, ...]:
        """The steps that write what this one reads, in order."""
        return tuple(each for each in self.steps if not set(each.writes).isdisjoint(step.reads))

    def after(self, step: Step) -> tuple[Step, ...]:
        """Like `before`, without those that another of them comes after anyway."""
        direct = self.before(step)
        implied = {early for late in direct for early in self._all_before(late)}
        return tuple(each for each in direct if each not in implied)

    def _all_before(self, step: Step) -> set[Step]:
        direct = self.before(step)
        return set(direct).union(*(self._all_before(each) for each in direct))


def pipeline_of(
    layout: Layout,
    model: str,
    raw: Sequence[str] = (),
    *,
    propose: bool = False,
    tune: bool = False,
) -> Pipeline:
    """The pipeline of a model: from its data to its batch predictions.

    Args:
        layout: the tree whose model.yaml counts.
        model: the model's name.
        raw: raw files to ingest first; without any, the pinned version is used. Data made of other
            datasets is made again instead, of the versions that these are pinned at.
        propose: open a pull request with the pin of what was ingested, and with the parameters
            that were found.
        tune: search parameters, when its model.yaml says how.

    Raises:
        BadInput: when model.yaml is wrong.
    """
    spec = layout.model(model)
    dataset = spec.data.dataset
    data, checked = Artifact("dataset", dataset), Artifact("validation", dataset)
    made, good = Artifact("model", model), Artifact("evaluation", model)
    predicted = Artifact("predictions", model)
    checks = Step("validate", dataset, ("data", "validate", dataset), (data,), (checked,))
    made_of_it = (
        Step("train", model, ("train", model), (data, checked), (made,)),
        Step("evaluate", model, ("evaluate", model), (data, made), (good,)),
        # What its gates refuse predicts nothing that anybody uses.
        Step("score", model, ("score", model), (data, made, good), (predicted,)),
    )
    # It trains nothing of this run: what it finds is trained once it is merged.
    searched = _tuning(model, data, checked, propose=propose) if tune and spec.search else ()
    if is_derived(layout, dataset):
        read = tuple(Artifact("dataset", name) for name in sources_of(layout, dataset))
        derive = Step("derive", dataset, ("data", "derive", dataset), read, (data,))
        return Pipeline(model, (derive, checks, *made_of_it, *searched))
    if not raw:
        return Pipeline(model, (checks, *made_of_it, *searched))
    line = ("data", "ingest", dataset, *raw)
    ingest = Step("ingest", dataset, line, (Artifact("raw", dataset),), (data,))
    # Rows that hold to their contract are news whatever the model makes of them.
    proposal = Step(
        "propose",
        dataset,
        ("data", "propose", dataset),
        (data, checked),
        (Artifact("proposal", dataset),),
    )
    proposed = [proposal] if propose else []
    return Pipeline(model, (ingest, checks, *proposed, *made_of_it, *searched))


def refuse_raw(layout: Layout, model: str) -> None:
    """Raises `BadInput` when a model's data is made of other datasets: nothing is ingested then."""
    dataset = layout.model(model).data.dataset
    if is_derived(layout, dataset):
        of = ", ".join(sources_of(layout, dataset))
        what = f"is not for {model}: its data {dataset} is made of {of}"
        raise bad_input("--raw", what, "mlops data ingest one of these, then run without --raw")


def _tuning(model: str, data: Artifact, checked: Artifact, *, propose: bool) -> tuple[Step, ...]:
    """The search, and apart from it what speaks with the forge and runs no code of the model."""
    found = Artifact("search", model)
    tune = Step("tune", model, ("tune", model), (data, checked), (found,))
    line = ("tune", model, "--propose")
    suggest = Step("suggest", model, line, (data, found), (Artifact("proposal", model),))
    return (tune, suggest) if propose else (tune,)
