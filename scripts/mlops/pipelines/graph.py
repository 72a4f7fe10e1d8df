"""The definition of a model's pipeline: its steps, what each reads and what it writes.

The order follows from these: a step comes after those that write what it reads. A step is one
`mlops` line, the same wherever it runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mlops.data.derivation import chain_of, ingested_of, is_derived, sources_of
from mlops.errors import BadInput, Problem
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
        raw: it is in a run that brings raw files of one of these datasets; empty: in each.
    """

    verb: Verb
    subject: str
    line: tuple[str, ...]
    reads: tuple[Artifact, ...]
    writes: tuple[Artifact, ...]
    raw: tuple[str, ...] = ()

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
    raw: Mapping[str, Sequence[str]] | None = None,
    *,
    propose: bool = False,
    tune: bool = False,
) -> Pipeline:
    """The pipeline of a model: from its data to its batch predictions.

    Args:
        layout: the tree whose model.yaml counts.
        model: the model's name.
        raw: raw files to ingest first, by dataset (see `raw_files`); the others are as they are
            pinned. Data made of other datasets is made again, of the versions these are pinned at.
        propose: open a pull request with the pins of what was ingested, and with the parameters
            that were found.
        tune: search parameters, when its model.yaml says how.

    Raises:
        BadInput: when model.yaml or a contract is wrong.
    """
    spec = layout.model(model)
    dataset = spec.data.dataset
    data, checked = Artifact("dataset", dataset), Artifact("validation", dataset)
    made, good = Artifact("model", model), Artifact("evaluation", model)
    predicted = Artifact("predictions", model)
    made_of_it = (
        Step("train", model, ("train", model), (data, checked), (made,)),
        Step("evaluate", model, ("evaluate", model), (data, made), (good,)),
        # What its gates refuse predicts nothing that anybody uses.
        Step("score", model, ("score", model), (data, made, good), (predicted,)),
    )
    # It trains nothing of this run: what it finds is trained once it is merged.
    searched = _tuning(model, data, checked, propose=propose) if tune and spec.search else ()
    steps = _of_data(layout, dataset, raw or {}, propose=propose)
    return Pipeline(model, (*steps, *made_of_it, *searched))


def _of_data(
    layout: Layout, dataset: str, raw: Mapping[str, Sequence[str]], *, propose: bool
) -> tuple[Step, ...]:
    """From raw files to the dataset that a model learns from."""
    given = [name for name in ingested_of(layout, dataset) if raw.get(name)]
    ingests: list[Step] = []
    for name in given:
        line = ("data", "ingest", name, *raw[name])
        data = Artifact("dataset", name)
        ingests.append(Step("ingest", name, line, (Artifact("raw", name),), (data,), (name,)))
        if name != dataset:
            ingests.append(_validate(name, raw=(name,)))
    derives: list[Step] = []
    for name in chain_of(layout, dataset):
        if is_derived(layout, name):
            read = [Artifact("dataset", each) for each in sources_of(layout, name)]
            checks = [Artifact("validation", each.name) for each in read if each.name in given]
            line = ("data", "derive", name)
            data = Artifact("dataset", name)
            derives.append(Step("derive", name, line, (*read, *checks), (data,)))
    if not (propose and given):
        return (*ingests, *derives, _validate(dataset))
    proposal = _proposal(dataset, given)
    if dataset in given:
        return (*ingests, _validate(dataset), proposal)
    return (*ingests, proposal, *derives, _validate(dataset))


def _validate(dataset: str, raw: tuple[str, ...] = ()) -> Step:
    data, checked = Artifact("dataset", dataset), Artifact("validation", dataset)
    return Step("validate", dataset, ("data", "validate", dataset), (data,), (checked,), raw)


def _proposal(dataset: str, given: Sequence[str]) -> Step:
    """Rows that hold to their contract are news whatever is derived or learned from them."""
    data = [Artifact("dataset", name) for name in given]
    checks = [Artifact("validation", name) for name in given]
    line = ("data", "propose", dataset)
    opened = Artifact("proposal", dataset)
    return Step("propose", dataset, line, (*data, *checks), (opened,), tuple(given))


def raw_files(layout: Layout, model: str, given: Sequence[str]) -> dict[str, list[str]]:
    """Raw files by the dataset they go into, each list in the order given.

    Args:
        given: `FILE`, or `DATASET=FILE` where the model's data is made of several.

    Raises:
        BadInput: naming each that does not say which of several it goes into.
    """
    datasets = ingested_of(layout, layout.model(model).data.dataset)
    found: dict[str, list[str]] = {}
    problems: list[Problem] = []
    for one in given:
        name, _, file = one.partition("=")
        if name in datasets and file:
            found.setdefault(name, []).append(file)
        elif len(datasets) == 1:
            found.setdefault(datasets[0], []).append(one)
        else:
            what = f"{one!r} does not say which data of {model} it is: {', '.join(datasets)}"
            problems.append(Problem("--raw", what, f"write --raw {datasets[0]}={one}"))
    if problems:
        raise BadInput(problems)
    return found


def _tuning(model: str, data: Artifact, checked: Artifact, *, propose: bool) -> tuple[Step, ...]:
    """The search, and apart from it what speaks with the forge and runs no code of the model."""
    found = Artifact("search", model)
    tune = Step("tune", model, ("tune", model), (data, checked), (found,))
    line = ("tune", model, "--propose")
    suggest = Step("suggest", model, line, (data, found), (Artifact("proposal", model),))
    return (tune, suggest) if propose else (tune,)
