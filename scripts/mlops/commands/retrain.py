"""mlops retrain: a model trained on the newest pinned data, and released where gates pass."""

import click

from mlops.commands.proposing import left_to_newer, skip_behind
from mlops.errors import BadInput, Exit, MlopsError, NotGood, Problem, bad_input
from mlops.repository import Repository


@click.command()
@click.argument("model", required=False)
@skip_behind
@click.option("--json", "as_json", is_flag=True, help="For machines: a line a step.")
def command(model: str | None, *, skip_behind: bool, as_json: bool) -> int:
    """Train MODEL (default: all) on the newest pinned data and release what serves it.

    For each service it opens the pull request that `mlops release` opens, when the gates are
    met. What was trained from these files and this data before is not trained again, and what
    the first environment holds already is not released again: then nothing is to be done.

    \b
    Example: mlops retrain bike-demand
    Example: mlops retrain
    """
    return retrain(Repository.at(), model, skip_behind=skip_behind, as_json=as_json)


def retrain(
    repo: Repository,
    model: str | None = None,
    *,
    skip_behind: bool = False,
    as_json: bool = False,
) -> int:
    """Train, then release each service; what is refused does not keep back the others.

    Args:
        model: its name; default: each that is served and has data.

    Raises:
        BadInput: when a model, its data or the state of the clone is wrong.
        NotGood: naming every gate that is not met, of all services.
    """
    from mlops.commands.release import release, train_models
    from mlops.commands.train import train

    if skip_behind and left_to_newer(repo, as_json=as_json):
        return Exit.DONE
    models = (model,) if model else with_data(repo, served(repo))
    services = {each: serving(repo, each) for each in models}
    refused: list[MlopsError] = []
    without: set[str] = set()
    for each in models:
        try:
            train(repo, each, as_json=as_json)
        except MlopsError as error:
            refused.append(error)
            without.update(services[each])
    for service in sorted({name for names in services.values() for name in names} - without):
        if skip_behind and left_to_newer(repo, as_json=as_json):  # while it was trained
            break
        try:
            train_models(repo, service, but=models)
            release(repo, service, as_json=as_json)
        except MlopsError as error:
            refused.append(error)
    _raise(refused)
    return Exit.DONE


def served(repo: Repository) -> tuple[str, ...]:
    """Every model that a service of the first environment serves, sorted."""
    services = [repo.service(name) for name in repo.served_in(repo.order[0])]
    return tuple(sorted({model for service in services for model in service.models}))


def with_data(repo: Repository, models: tuple[str, ...]) -> tuple[str, ...]:
    """The models that have data to train on; of the others a line is told on standard error."""
    from mlops.data.waiting import waits_for_data

    waiting = {model: line for model in models if (line := waits_for_data(repo, model))}
    for line in waiting.values():
        click.echo(line, err=True)
    return tuple(model for model in models if model not in waiting)


def serving(repo: Repository, model: str) -> tuple[str, ...]:
    """The services that serve a model and have a folder in the first environment.

    Raises:
        BadInput: when there is no such model, or no service to release.
    """
    repo.model(model)
    first = repo.order[0]
    found = tuple(name for name in repo.served_in(first) if model in repo.service(name).models)
    if not found:
        raise bad_input(
            f"models/{model}",
            f"is served by no service of {first}, so there is nothing to release",
            f"name it in apps/SERVICE/service.yaml and add environments/{first}/SERVICE/, "
            f"or only train it: mlops train {model}",
        )
    return found


def _raise(refused: list[MlopsError]) -> None:
    if not refused:
        return
    problems: list[Problem] = [one for error in refused for one in error.problems]
    wrong = any(isinstance(error, BadInput) for error in refused)
    raise BadInput(problems) if wrong else NotGood(problems)
