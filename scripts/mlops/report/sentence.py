"""What would change for users, in one sentence."""

from collections import Counter
from collections.abc import Sequence

from mlops.environments.markdown import code
from mlops.report.judging import Judged
from mlops.report.sections import in_words, word_of
from mlops.specs.result import ContractResult, EnvironmentResult, ModelResult

NOTHING = "Nothing changes for users: no service, model, contract or environment is touched."
UNKNOWN = "What changes for users is not wholly known: results are missing."


def what_changes(judged: Judged, services: Sequence[str] = ()) -> str:
    """Markdown, at most a few hundred characters.

    Args:
        judged: the results, and the plan they are of.
        services: that the change reaches.
    """
    results = judged.results
    told = [
        *(_environment(one.environment) for one in results if one.environment),
        *_models([model for result in results for model in result.models]),
        *_not_measured(judged),
        *_contracts([one for result in results for one in result.contracts]),
    ]
    if judged.missing:
        return " ".join([*told[:4], UNKNOWN])
    return " ".join(told[:4]) or _services(services)


def _services(names: Sequence[str]) -> str:
    if not names:
        return NOTHING
    return f"No model changes; the next release of {_named(names)} is built from other code."


def _not_measured(judged: Judged) -> list[str]:
    """Models that the plan has and no result: what they would do is not known."""
    measured = {model.evidence.model for result in judged.results for model in result.models}
    planned = {name for share in judged.plan if share.part == "models" for name in share.names}
    names = sorted(planned - measured)
    if not names:
        return []
    change = "changes with the next release and was" if len(names) == 1 else "change and were"
    return [f"{_named(names)} {change} not measured here."]


def _named(names: Sequence[str]) -> str:
    left_out = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return f"{', '.join(code(name) for name in names[:3])}{left_out}"


def _environment(one: EnvironmentResult) -> str:
    where = f"`{one.environment}`" if one.environment else "its environment"
    service = f"`{one.service}`" if one.service else "each service"
    serves = {
        "release": f"{service} in {where} would answer from release {one.release}.",
        "promotion": f"{service} in {where} would answer from release {one.release}.",
        "rollback": f"{service} in {where} would go back to release {one.release}.",
        "remove": f"{service} would stop serving in {where}.",
    }
    if one.kind in serves:
        return serves[one.kind]
    return f"It changes {code(one.kind or 'files')} of {service} in {where}."


def _models(models: Sequence[ModelResult]) -> list[str]:
    if not models:
        return []
    if len(models) == 1:
        return [_one_model(models[0])]
    counted = Counter(_word(model) for model in models)
    told = ", ".join(f"{counted[word]:,} {word}" for word in WORDS if counted[word])
    change = f"{len(models):,} models change with the next release"
    return [f"{change}; against what serves now: {told}."]


WORDS = ("worse", "better", "without a clear difference", "not compared")


def _word(model: ModelResult) -> str:
    """Worse when one metric is; better when one is and none is worse."""
    found = {word_of(one) for one in model.comparisons}
    if not found:
        return "not compared"
    return next((word for word in ("worse", "better") if word in found), WORDS[2])


def _one_model(model: ModelResult) -> str:
    if not model.comparisons:
        return f"`{model.evidence.model}` changes with the next release, compared with nothing."
    told = [in_words(one, f" in {model.environment}") for one in model.comparisons[:2]]
    return f"With the next release {'; '.join(told)}."


def _contracts(found: Sequence[ContractResult]) -> list[str]:
    if not found:
        return []
    breaking = [one for one in found if any(each.breaking for each in one.differences)]
    if not breaking:
        change = "contract changes" if len(found) == 1 else "contracts change"
        return [f"{len(found):,} {change}, and nobody's reading breaks."]
    names = _named([one.dataset for one in breaking])
    readers = len({name for one in breaking for name in one.models})
    readers += len({name for one in breaking for name in one.services})
    return [f"The contract of {names} breaks for {readers:,} models and services that read it."]
