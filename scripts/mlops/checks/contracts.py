"""Part `contracts`: what changes in a contract and for whom, and the pinned data held to it."""

from dataclasses import dataclass

from mlops.checks import data_pages
from mlops.checks.context import Context
from mlops.checks.found import count, result
from mlops.data.contract import Contract, Quality, contract_path, read_contract
from mlops.data.contract_changes import differences, enough, needed, next_version
from mlops.data.pin import Pin, pin_path, read_pin
from mlops.errors import MlopsError, NotHere, Problem
from mlops.repository import Layout
from mlops.specs.evidence import DataValidation, GateResult
from mlops.specs.result import ContractDifference, ContractResult, DatasetResult, Result

TOLD = 3
"""Differences named in a problem; all are in the result."""


@dataclass(frozen=True)
class _Found:
    """What was found of one dataset."""

    contract: ContractResult | None = None
    data: DatasetResult | None = None
    problems: tuple[Problem, ...] = ()
    not_here: tuple[Problem, ...] = ()


def run(context: Context) -> Result:
    """Compare and validate each dataset of the share."""
    found = [_dataset(context, name) for name in context.share.names]
    wrong = [problem for each in found for problem in each.problems]
    away = [problem for each in found for problem in each.not_here]
    return result(
        context,
        _summary(found, wrong, away),
        [*wrong, *away],
        outcome="not evaluated" if away and not wrong else None,
        checks=[_check(name, each) for name, each in zip(context.share.names, found, strict=True)],
        contracts=tuple(each.contract for each in found if each.contract),
        datasets=tuple(each.data for each in found if each.data),
    )


def _summary(found: list[_Found], wrong: list[Problem], away: list[Problem]) -> str:
    changed = [each.contract for each in found if each.contract]
    breaking = sum(each.needs == "major" for each in changed)
    parts = [count(len(found), "dataset")]
    parts += [f"{count(len(changed), 'contract')} changed"] if changed else []
    parts += [f"{breaking} of them breaking"] if breaking else []
    parts += [count(len(wrong), "problem")] if wrong else []
    parts += [f"{len(away)} not here to be validated"] if away else []
    return ", ".join(parts)


def _check(name: str, found: _Found) -> GateResult:
    said = [*found.problems, *found.not_here]
    validation = found.data.validation if found.data else None
    held = f"{validation.rules} rules on {validation.rows} rows" if validation else "no data pinned"
    if validation and validation.warned:
        held += f", {count(validation.warned, 'warning')}"
    return GateResult(
        gate=f"contract of {name}",
        passed=not said,
        detail="; ".join(problem.what for problem in said) or held,
    )


def _dataset(context: Context, name: str) -> _Found:
    before = _read(context.before, name)
    if name not in context.repo.datasets():
        return _removed(context, name, before)
    try:
        after = _runnable(context.repo, name)
    except MlopsError as error:
        return _Found(problems=error.problems)
    contract = _changes(context, before, after)
    problems = not_raised(contract, after) if contract else ()
    data, broken, away = _validated(context, name)
    return _Found(contract, data, (*problems, *broken), away)


def _runnable(layout: Layout, name: str) -> Contract:
    """The contract; refused, too, when it asks what could not run on any data."""
    contract = read_contract(layout, name)
    if any(quality.type in ("custom", "sql") for quality in _qualities(contract)):
        from mlops.data.validation import refuse_what_cannot_run

        refuse_what_cannot_run(contract)
    return contract


def _qualities(contract: Contract) -> tuple[Quality, ...]:
    columns = (quality for column in contract.columns for quality in column.quality)
    return (*contract.table.quality, *columns)


def _read(layout: Layout, name: str) -> Contract | None:
    """The contract as it was; None when there was none that could be read."""
    try:
        return read_contract(layout, name)
    except MlopsError:
        return None


def _changes(context: Context, before: Contract | None, after: Contract) -> ContractResult | None:
    found = differences(before, after) if before else ()
    if before and not found and before.version == after.version:
        return None
    models, services = _readers(context, after.dataset)
    return ContractResult(
        dataset=after.dataset,
        before=before.version if before else None,
        after=after.version,
        needs=needed(found),
        differences=found,
        models=models,
        services=services,
    )


def _removed(context: Context, name: str, before: Contract | None) -> _Found:
    models, services = _readers(context, name)
    contract = None
    if before:
        contract = ContractResult(
            dataset=name,
            before=before.version,
            needs="major",
            differences=(
                ContractDifference(
                    path=name, kind="removal", text="the whole contract", breaking=bool(models)
                ),
            ),
            models=models,
            services=services,
        )
    if not models:
        return _Found(contract)
    return _Found(contract, problems=(without_contract(context, name),))


def without_contract(context: Context, dataset: str) -> Problem:
    """That models learn from a dataset that nothing is promised of."""
    models, services = _readers(context, dataset)
    what = f"there is no contract, but {_named(models, services)} its data"
    fix = f"add the contract of {dataset}, or learn from a dataset that has one"
    return Problem(contract_path(dataset), what, fix)


def _readers(context: Context, dataset: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The models that learn from a dataset, and the services that serve them."""
    repo, affected = context.repo, context.affected
    models = tuple(name for name in affected.models if _learns_from(repo, name, dataset))
    services = tuple(name for name in affected.services if _serves(repo, name, models))
    return models, services


def _learns_from(layout: Layout, model: str, dataset: str) -> bool:
    try:
        return layout.model(model).data.dataset == dataset
    except MlopsError:
        return False  # its own check tells what is wrong with it


def _serves(layout: Layout, service: str, models: tuple[str, ...]) -> bool:
    try:
        return not set(models).isdisjoint(layout.service(service).models)
    except MlopsError:
        return False


def _named(models: tuple[str, ...], services: tuple[str, ...]) -> str:
    """`model a (service b) reads`, `models a, c (services b, d) read`."""
    said = f"model{'s' * (len(models) > 1)} {', '.join(models)}"
    if services:
        said += f" (service{'s' * (len(services) > 1)} {', '.join(services)})"
    return f"{said} {'read' if len(models) > 1 else 'reads'}"


def not_raised(found: ContractResult, contract: Contract) -> tuple[Problem, ...]:
    """That the version is raised as far as the differences ask."""
    before, after = found.before, contract.version
    if before is None or enough(before, after, found.needs):
        return ()
    decisive = [each for each in found.differences if each.breaking] or list(found.differences)
    said = "; ".join(f"{each.path}: {each.text}" for each in decisive[:TOLD])
    more = len(decisive) - TOLD
    if more > 0:
        said += f" and {more} more"
    kind = {"major": "breaks what was good", "minor": "changes what is asked"}.get(
        found.needs, "changes words"
    )
    stays = "stays" if before == after else f"goes from {before} to"
    what = f"the version {stays} {after}, but the change {kind}: {said}"
    if found.models and found.needs == "major":
        what += f". {_named(found.models, found.services).capitalize()} it"
    fix = f"write `version: {next_version(before, found.needs)}`"
    return (Problem(contract.path, what, fix),)


def _validated(
    context: Context, name: str
) -> tuple[DatasetResult | None, tuple[Problem, ...], tuple[Problem, ...]]:
    """The pinned version held to its contract: the result, broken rules, what is not here."""
    repo = context.repo
    if repo.tree.read(pin_path(name)) is None:
        return None, (), ()
    from mlops.data.currency import outdated

    try:
        pin = read_pin(repo, name)
        found, problems, page = _held(context, pin)
        problems = (*problems, *outdated(repo, pin))
    except NotHere as error:
        return DatasetResult(dataset=name), (), error.problems
    except MlopsError as error:
        return DatasetResult(dataset=name), error.problems, ()
    broken = tuple(problem.what for problem in problems)
    data = DatasetResult(dataset=name, validation=found, broken=broken, page=page)
    return data, problems, ()


def _held(context: Context, pin: Pin) -> tuple[DataValidation, tuple[Problem, ...], str | None]:
    """What was found of a version, each broken rule, and the digest of its page.

    A page needs more than is kept of a version that held. A dataset that the change itself leaves
    alone has one only when it is broken.
    """
    from mlops.data.validated import checked, recall

    repo, wanted = context.repo, data_pages.is_wanted(context, pin.dataset)
    kept = None if wanted else recall(repo, repo, pin)
    if kept is not None:
        return kept, (), None
    report = checked(repo, repo, pin)
    page = data_pages.write_page(context, pin, report) if wanted or not report.passed else None
    return report.summary(pin.digest), report.problems, page
