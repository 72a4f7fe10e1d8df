"""All that is found of a candidate: measured, compared with what serves, held to its gates."""

from dataclasses import dataclass

from mlops.errors import Problem
from mlops.lineage.step import recording
from mlops.registry import Registered
from mlops.repository import Layout, Repository
from mlops.specs.decision import Comparison
from mlops.specs.evidence import GateResult
from mlops.training import gates
from mlops.training.champion import Champion
from mlops.training.comparison import Pair, comparisons_of, pair_of
from mlops.training.evaluation import Measured, measure, scorer_of
from mlops.training.holdout import Split, split

FIX = "improve the model, or change the gate in a pull request"


@dataclass(frozen=True)
class Outcome:
    """All that was found of one candidate, and what it was found with.

    Attributes:
        champion: what it was compared with; None: the stated baseline, or nothing.
        comparisons: empty when they could not be made, or no gate is relative.
        gates: all of them; the relative ones as far as they were compared.
        services: for whom it is.
        rows: the split it was measured on.
        pair: the predictions for it, of the candidate and of what it was compared with.
    """

    registered: Registered
    measured: Measured
    environment: str
    champion: Champion | None
    comparisons: tuple[Comparison, ...]
    gates: tuple[GateResult, ...]
    services: tuple[str, ...]
    rows: Split
    pair: Pair

    @property
    def unmet(self) -> list[Problem]:
        """Each gate that is not met."""
        path = f"models/{self.registered.model}/model.yaml"
        return [
            Problem(path, f"gate `{one.gate}` is not met: {one.detail}", FIX)
            for one in self.gates
            if not one.passed
        ]


def outcome_of(
    repo: Repository,
    layout: Layout,
    registered: Registered,
    environment: str,
    champion: Champion | None,
    *,
    services: tuple[str, ...] = (),
    compared: bool = True,
) -> Outcome:
    """Measure a registered model on the holdout a tree pins, and hold it to its gates.

    Args:
        environment: whose champion it is.
        champion: what serves there; None compares with the stated baseline.
        services: for whom it is.
        compared: False leaves the comparison out, when what serves cannot be opened here.

    Raises:
        BadInput: when the model, its features.py or the data are not the ones named.
        NotGood: when the model was trained on rows of the holdout.
    """
    with recording(repo, "evaluate", registered.model):
        spec = layout.model(registered.model)
        found = measure(repo, layout, registered)
        rows = split(repo, layout, registered.model)
        scorer = scorer_of(repo, layout, registered)
        pair = pair_of(spec, rows, scorer, champion.scorer if champion else None)
        comparisons = comparisons_of(spec, rows, pair) if compared else ()
    return Outcome(
        registered=registered,
        measured=found,
        environment=environment,
        champion=champion,
        comparisons=comparisons,
        gates=(*found.evidence.gates, *gates.relative(spec, comparisons)),
        services=services,
        rows=rows,
        pair=pair,
    )
