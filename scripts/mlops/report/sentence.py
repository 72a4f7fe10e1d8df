"""What would change for users, in one sentence."""

from collections import Counter
from collections.abc import Sequence

from mlops.environments.markdown import code
from mlops.report.judging import Judged
from mlops.report.sections import in_words, word_of
from mlops.specs.result import ContractResult, EnvironmentResult, ModelResult, Result

NOTHING = "Nothing changes for users: no service, model, contract or environment is touched."
UNREAD = "What changes for users is not known: files of environments/ cannot be read."
SEVERAL = "It is not one kind of change of environments/, so what would serve is not told."
LATER = "What serves now stays; releases made from this change would be rendered otherwise."
UNPLANNED = "What changes for users is not known: there is no plan that results could belong to."
UNKNOWN = "What changes for users is not wholly known: results are missing."


def what_changes(judged: Judged, services: Sequence[str] = ()) -> str:
    """Markdown, at most a few hundred characters.

    Args:
        judged: the results, and the plan they are of.
        services: that the change reaches.
    """
    if not judged.plan and judged.to_do:
        return UNPLANNED
    results = judged.results
    told = [
        *_environments(results),
        *_models([model for result in results for model in result.models]),
        *_removed(results),
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


def _removed(results: Sequence[Result]) -> list[str]:
    names = sorted({name for result in results for name in result.removed})
    if not names:
        return []
    return [f"{_named(names)} {'is' if len(names) == 1 else 'are'} taken away."]


def _not_measured(judged: Judged) -> list[str]:
    """Models that the plan has and no result: what they would do is not known."""
    known = {model.evidence.model for result in judged.results for model in result.models}
    known |= {name for result in judged.results for name in result.removed}
    planned = {name for share in judged.plan if share.part == "models" for name in share.names}
    names = sorted(planned - known)
    if not names:
        return []
    change = "changes with the next release and was" if len(names) == 1 else "change and were"
    return [f"{_named(names)} {change} not measured here."]


def _named(names: Sequence[str]) -> str:
    left_out = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return f"{', '.join(code(name) for name in names[:3])}{left_out}"


def _environments(results: Sequence[Result]) -> list[str]:
    told = [_environment(one.environment) for one in results if one.environment]
    unread = any(one.part == "environments" and one.outcome != "good" for one in results)
    return told or ([UNREAD] if unread else [])


def _environment(one: EnvironmentResult) -> str:
    if one.kind is None or one.environment is None:
        return LATER if one.kind else SEVERAL
    where, service = f"`{one.environment}`", f"`{one.service}`" if one.service else "each service"
    told = "; ".join(in_words(each, f" in {one.environment}") for each in one.comparisons[:2])
    measured = f" {told}." if told else ""
    place = f", in place of release {one.replaces}" if one.replaces else ""
    serves = {
        "release": f"{service} in {where} would answer from release {one.release}{place}.",
        "promotion": f"{service} in {where} would answer from release {one.release}{place}.",
        "rollback": f"{service} in {where} would go back to release {one.release}.",
        "remove": f"{service if one.service else 'Everything'} would stop serving in {where}.",
        "create": f"{service} would be set up in {where}.",
        "base": f"What is rendered for {_rendered_for(one)} in {where} would change, no release.",
        "environment": f"The rules of {where} would change.",
    }
    sentence = serves.get(one.kind, f"The {code(one.kind)} of {service} in {where} would change.")
    return f"{sentence}{measured}"


def _rendered_for(one: EnvironmentResult) -> str:
    paths = (file.path.split("/") for file in one.rendered)
    return _named(sorted({parts[2] for parts in paths if len(parts) > 3})) or "no service"


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
    name = f"`{model.evidence.model}`"
    if model.comparisons:
        told = [in_words(one, f" in {model.environment}") for one in model.comparisons[:2]]
        return f"With the next release {'; '.join(told)}."
    if model.champion is None:
        return f"{name} changes with the next release, and no gate compares it with anything."
    champion = f"release {model.champion.release}, which serves {model.environment} now"
    return f"{name} changes with the next release and was not compared with {champion}."


def _contracts(found: Sequence[ContractResult]) -> list[str]:
    breaking = [one for one in found if any(each.breaking for each in one.differences)]
    if breaking:
        return [_breaking(breaking)]
    new = sum(one.before is None for one in found)
    gone = sum(one.after is None for one in found)
    told = [
        _number(new, "A contract is", "contracts are", "new"),
        _number(gone, "A contract is", "contracts are", "taken away, and nobody reads the data"),
        _number(
            len(found) - new - gone,
            "A contract changes,",
            "contracts change,",
            "and nobody's reading breaks",
        ),
    ]
    return [f"{each}." for each in told if each]


def _number(count: int, one: str, many: str, rest: str) -> str:
    if not count:
        return ""
    return f"{one} {rest}" if count == 1 else f"{count:,} {many} {rest}"


def _breaking(found: Sequence[ContractResult]) -> str:
    readers = {name for one in found for name in one.models}
    served = {name for one in found for name in one.services}
    whose = f"for {_named(sorted(readers))}, which {'reads' if len(readers) == 1 else 'read'} it"
    through = f" (served by {_named(sorted(served))})" if served else ""
    names = _named([one.dataset for one in found])
    return f"The contract of {names} breaks {whose if readers else 'for nobody here'}{through}."
