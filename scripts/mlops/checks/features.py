"""The contract of a model's features: what a change does to it, and whether there is one."""

from mlops.checks.context import Context
from mlops.checks.contracts import not_raised
from mlops.data.contract import FeaturesContract, read_features
from mlops.data.contract_changes import differences, needed
from mlops.errors import MlopsError, Problem
from mlops.repository import Layout
from mlops.specs.result import ContractResult

Found = tuple[ContractResult | None, tuple[Problem, ...], tuple[str, ...]]
"""The contract's change, what is wrong with it, and what a reader has to know."""


def features_contract(context: Context, model: str, services: tuple[str, ...]) -> Found:
    """How the contract of a model's features changes.

    Args:
        services: that serve the model.

    Raises:
        BadInput: when it is no valid contract, or has other features than features.py.
    """
    from mlops.data.feature_limits import limits_for, without_contract
    from mlops.training.training import features_of

    repo = context.repo
    before, after = _before(context.before, model), read_features(repo, model)
    if after is None:
        gone = f"{model} had a contract of its features, which is taken away" if before else ""
        return None, (), (gone or str(without_contract(model)),)
    limits_for(repo, model, features_of(repo, model).columns)
    found = differences(before, after) if before else ()
    if before and not found and before.version == after.version:
        return None, (), ()
    changed = ContractResult(
        dataset=model,
        of="features",
        before=before.version if before else None,
        after=after.version,
        needs=needed(found),
        differences=found,
        models=(model,),
        services=services,
    )
    return changed, not_raised(changed, after), ()


def _before(layout: Layout, model: str) -> FeaturesContract | None:
    """The contract as it was; None when there was none that could be read."""
    try:
        return read_features(layout, model)
    except MlopsError:
        return None
